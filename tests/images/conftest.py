"""An engine with bases of the machine's own files, a builder, and containers that end with their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import docker
import pytest

from local.containers.local_containers import LocalContainers
from tests.images import base_images
from tests.images.builder import BASES, Builder
from tests.local.containers.real_engine import running


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalContainers]:
    base_images.require_java()
    with running(tmp_path_factory.mktemp("containers")) as started:
        yield started


@pytest.fixture(scope="module")
def client(
    containers: LocalContainers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[docker.DockerClient]:
    connected = docker.DockerClient(base_url=containers.docker_host)
    java = base_images.jdk(tmp_path_factory.mktemp("java") / "jdk")
    base_images.import_image(connected, BASES["BUILD_IMAGE"], java, base_images.BUILD_TOOLS)
    # No shell at all.
    base_images.import_image(connected, BASES["RUNTIME_IMAGE"], java, ())
    yield connected
    connected.close()


@pytest.fixture
def builder(client: docker.DockerClient, containers: LocalContainers) -> Builder:
    return Builder(client, containers.docker_host)


@pytest.fixture
def run(client: docker.DockerClient, containers: LocalContainers) -> Iterator[Callable[..., Any]]:
    """Starts a container with the posture that a task definition gives it."""
    started = []

    def start(image: Any, **options: Any) -> Any:
        posture = {
            "read_only": True,
            "tmpfs": {"/tmp": "mode=1777"},
            "cap_drop": ["ALL"],
            "mem_limit": "256m",
        }
        container = client.containers.run(
            image, detach=True, network=containers.network, **{**posture, **options}
        )
        started.append(container)
        return container

    yield start
    for container in started:
        container.remove(force=True, v=True)
