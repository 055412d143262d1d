"""The docker plugin over its protocol, and a Docker engine with a registry, if there is one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from pulumi.runtime.proto import engine_pb2, provider_pb2

from local.containers.local_containers import LocalContainers
from local.emulator import process
from local.plugins.common.values import decode, encode
from local.plugins.docker.servicer import DockerServicer
from tests.local.containers.real_engine import running
from tests.local.plugins import plugin

ACCOUNT = "646886795421"
HOST = f"{ACCOUNT}.dkr.ecr.ap-northeast-2.amazonaws.com"
REPOSITORY = f"{HOST}/fileflow"
IMAGE = "docker:index/image:Image"
TAG = "docker:index/tag:Tag"
REGISTRY_IMAGE = "docker:index/registryImage:RegistryImage"
TOKEN = "token-that-never-shows"


def build(tag: str, **changes: Any) -> dict[str, Any]:
    """Arguments of an image."""
    return {
        "imageName": f"{REPOSITORY}:{tag}",
        "build": {
            "context": "app",
            "dockerfile": "app/Dockerfile",
            "platform": "linux/amd64",
            "builderVersion": "BuilderBuildKit",
            **changes,
        },
        "registry": {"server": HOST, "username": "AWS", "password": TOKEN},
    }


Answer = tuple[int, Mapping[str, str], bytes]
"""Status, headers and content."""


@contextmanager
def serving(answer: Callable[[BaseHTTPRequestHandler], Answer | None]) -> Iterator[str]:
    """The address of a server that answers so; None drops the connection."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = answer(self)
            if found is None:
                self.connection.close()
                return
            status, headers, content = found
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the tests' output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class Ecr:
    """The stack's repository in the emulated ECR."""

    def __init__(self, client: Any) -> None:
        self.client = client

    @property
    def tags(self) -> dict[str, str]:
        """The digest that each tag has."""
        images = self.client.describe_images(repositoryName="fileflow")["imageDetails"]
        return {tag: image["imageDigest"] for image in images for tag in image.get("imageTags", ())}

    def manifest(self, digest: str) -> str:
        """The manifest of a digest."""
        answer = self.client.batch_get_image(repositoryName="fileflow", imageIds=[{"imageDigest": digest}])
        return str(answer["images"][0]["imageManifest"])

    def lose(self, tag: str) -> None:
        """Let somebody delete an image."""
        self.client.batch_delete_image(repositoryName="fileflow", imageIds=[{"imageTag": tag}])

    def keep_tags(self, *excluded: str) -> None:
        """Let no tag move, but for those of a pattern."""
        filters = [{"filterType": "WILDCARD", "filter": pattern} for pattern in excluded]
        self.client.put_image_tag_mutability(
            repositoryName="fileflow",
            imageTagMutability="IMMUTABLE_WITH_EXCLUSION" if excluded else "IMMUTABLE",
            **({"imageTagMutabilityExclusionFilters": filters} if excluded else {}),
        )


class _Engine:
    """Takes what the plugin has to say."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def Log(self, request: engine_pb2.LogRequest) -> None:
        self.messages.append(request.message)


class Plugin(plugin.Plugin):
    """The docker stand-in, with the environment as it is when it is made."""

    def __init__(self) -> None:
        engine = _Engine()
        super().__init__(DockerServicer(engine))
        self.messages = engine.messages

    def checked(self, token: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Check inputs that must be right."""
        found = self.check(token, inputs)
        assert found.failures == {}
        return found.inputs

    def made(
        self, token: str, inputs: Mapping[str, Any], *, preview: bool = False
    ) -> tuple[str, dict[str, Any]]:
        """Check and create; return id and outputs."""
        request = provider_pb2.CreateRequest(
            urn=self.urn(token, "image"), properties=encode(self.checked(token, inputs)), preview=preview
        )
        answer = self.provider.Create(request, self._context())
        return answer.id, decode(answer.properties)[0]

    def changed(
        self, token: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> tuple[list[str], list[str]]:
        """Compare; return what changed and what replaces."""
        found = self.diff(token, {}, old, new)
        return sorted(found.changes), found.replaces

    def refreshed(self, token: str, resource_id: str, state: Mapping[str, Any]) -> dict[str, Any] | None:
        """Refresh; return the outputs, or None when the resource is gone."""
        found = self.read(token, resource_id, state)
        return None if found is None else found[0]


def refusal(operation: Callable[[], Any]) -> str:
    """The message with which the plugin refuses an operation."""
    with pytest.raises(plugin.RefusedError) as caught:
        operation()
    return caught.value.message


@pytest.fixture(scope="session")
def ecr(emulator: process.RunningEmulator) -> Ecr:
    """ECR in the account that image names mention."""
    keys = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "local"}
    session = boto3.session.Session(**keys, region_name="ap-northeast-2")
    return Ecr(session.client("ecr", endpoint_url=emulator.url))


@pytest.fixture
def emulated(
    emulator: process.RunningEmulator, ecr: Ecr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Ecr]:
    """The environment of the local stack, with a working folder that holds a build context `app`.

    Its ECR has an empty repository `fileflow`.
    """
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("FILEFLOW_LOCAL_DIR", str(tmp_path / "local"))
    monkeypatch.delenv("FILEFLOW_REGISTRY", raising=False)
    folder = tmp_path / "work"
    (folder / "app").mkdir(parents=True)
    (folder / "app/Dockerfile").write_text("FROM scratch AS base\nCOPY file /file\nFROM base\n")
    (folder / "app/file").write_text("content")
    monkeypatch.chdir(folder)
    ecr.client.create_repository(repositoryName="fileflow")
    yield ecr
    ecr.client.delete_repository(repositoryName="fileflow", force=True)


@pytest.fixture
def paper(emulated: Ecr) -> Plugin:
    """The plugin without an engine."""
    return Plugin()


@pytest.fixture(scope="session")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalContainers]:
    """A Docker engine and a registry; where neither is nor can be started, its tests are skipped."""
    with running(tmp_path_factory.mktemp("containers")) as started:
        yield started


@pytest.fixture(scope="session")
def docker_engine(containers: LocalContainers) -> str:
    """The address of a Docker engine."""
    return containers.docker_host


@pytest.fixture(scope="session")
def local_registry(containers: LocalContainers) -> str:
    """The address of a registry on this machine."""
    return containers.registry


@pytest.fixture
def on_engine(
    emulated: Ecr,
    docker_engine: str,
    local_registry: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Plugin:
    """The plugin with a real engine, and a local registry in ECR's place."""
    monkeypatch.setenv("DOCKER_HOST", docker_engine)
    monkeypatch.setenv("FILEFLOW_REGISTRY", local_registry)
    return Plugin()
