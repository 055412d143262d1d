"""Builds images by the project's Dockerfile as the docker plugin does, and asks what runs in them."""

from __future__ import annotations

import http.client
from pathlib import Path
from typing import Any

import docker

from local.containers.local_containers import LocalContainers
from local.paths import ROOT
from local.plugins.docker.emulated_ecr import EmulatedEcr
from local.plugins.docker.engine_images import EngineImages
from local.plugins.docker.images import Build
from local.plugins.docker.names import ImageName
from tests.waiting import eventually

DOCKERFILE = ROOT / "images" / "spring-boot.Dockerfile"
WEB_API = ":bootstrap:bootstrap-web-api"
BASES = {"BUILD_IMAGE": "base:build", "RUNTIME_IMAGE": "base:runtime"}


class Builder:
    """Builds images of a project, and keeps what the builder said last."""

    def __init__(self, client: docker.DockerClient, host: str) -> None:
        self._client = client
        self._images = EngineImages(host, EmulatedEcr())
        self.platform = f"linux/{client.version()['Arch']}"
        self.said: list[str] = []

    def build(self, project: Path, module: str = WEB_API, **arguments: str) -> Any:
        self.said = []
        image_id = self._images.build(
            ImageName.parse("fileflow-test:1"),
            Build(
                context=str(project),
                dockerfile=str(DOCKERFILE),
                args={**BASES, "MODULE": module, **arguments},
                platform=self.platform,
                # Nothing may be fetched: what the build needs is in the bases and the project.
                network="none",
            ),
            self.said.append,
        )
        return self._client.images.get(image_id)


def get(container: Any, containers: LocalContainers, port: int, path: str) -> str:
    """What the application answers, as soon as it does."""

    def answer() -> str:
        container.reload()
        assert container.status == "running", container.logs().decode()
        host = "127.0.0.1"
        if containers.network != "host":
            host = container.attrs["NetworkSettings"]["Networks"][containers.network]["IPAddress"]
        connection = http.client.HTTPConnection(host, port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        except ConnectionRefusedError:
            return ""
        finally:
            connection.close()

    return eventually(answer)
