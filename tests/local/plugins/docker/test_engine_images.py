"""Images in a real Docker engine, pushed to a real registry that stands in ECR's place.

Skipped, with the reason, where neither is nor can be started.
"""

from __future__ import annotations

import json
import socket
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import docker
import pytest

from local.plugins.docker.engine_images import explain
from tests.local.plugins.docker.conftest import (
    IMAGE,
    REGISTRY_IMAGE,
    REPOSITORY,
    TAG,
    TOKEN,
    Answer,
    Ecr,
    Plugin,
    build,
    refusal,
    serving,
)

# One engine for all of them.
pytestmark = pytest.mark.xdist_group("docker-plugin")


@pytest.fixture
def tag(docker_engine: str) -> Iterator[str]:
    """A tag of its own for each test; the images that have it are removed afterwards."""
    own = f"test-{uuid.uuid4().hex[:12]}"
    yield own
    client = docker.APIClient(base_url=docker_engine, version="auto")
    for image in client.images():
        for name in image.get("RepoTags") or ():
            if own in name:
                client.remove_image(name, force=True)


def registry_digest(registry: str, tag: str) -> str:
    """The digest that the registry itself gives for a tag."""
    accepted = "application/vnd.docker.distribution.manifest.v2+json"
    request = urllib.request.Request(
        f"http://{registry}/v2/fileflow/manifests/{tag}", headers={"Accept": accepted}, method="HEAD"
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return str(response.headers["Docker-Content-Digest"])


def test_an_image_is_built_pushed_and_known_to_ecr_by_one_digest(
    on_engine: Plugin, emulated: Ecr, local_registry: str, tag: str
) -> None:
    """The registry's digest, ECR's and the output's are the same, under ECR's name."""
    _, outputs = on_engine.made(IMAGE, build(tag))
    digest = registry_digest(local_registry, tag)
    assert outputs["repoDigest"] == f"{REPOSITORY}@{digest}"
    assert emulated.tags[tag] == digest
    assert len(json.loads(emulated.manifest(digest))["layers"]) == 1


def test_both_tags_point_at_the_digest(
    on_engine: Plugin, emulated: Ecr, local_registry: str, tag: str
) -> None:
    """The version's tag and the `latest` one."""
    _, image = on_engine.made(IMAGE, build(tag))
    latest = f"{REPOSITORY}:{tag}-latest"
    on_engine.made(TAG, {"sourceImage": f"{REPOSITORY}:{tag}", "targetImage": latest})
    digest, _ = on_engine.made(REGISTRY_IMAGE, {"name": latest, "keepRemotely": True})
    assert image["repoDigest"].endswith(digest)
    assert registry_digest(local_registry, f"{tag}-latest") == digest == emulated.tags[f"{tag}-latest"]


def test_an_image_left_in_the_engine_is_tagged_and_pushed(
    on_engine: Plugin, docker_engine: str, local_registry: str, tag: str
) -> None:
    """What bootBuildImage does: an image of a plain local name."""
    on_engine.made(IMAGE, build(tag))
    docker.APIClient(base_url=docker_engine).tag(f"{REPOSITORY}:{tag}", "fileflow-web-api", tag)
    found = on_engine.invoke(
        "docker:index/getRemoteImage:getRemoteImage", {"name": f"fileflow-web-api:{tag}"}
    )
    target = f"{REPOSITORY}:web-{tag}"
    _, tagged = on_engine.made(TAG, {"sourceImage": f"fileflow-web-api:{tag}", "targetImage": target})
    assert tagged["sourceImageId"] == found["id"]
    digest, _ = on_engine.made(REGISTRY_IMAGE, {"name": target, "keepRemotely": True})
    assert registry_digest(local_registry, f"web-{tag}") == digest


def test_arguments_target_and_an_outside_dockerfile_reach_the_build(
    on_engine: Plugin, docker_engine: str, tag: str
) -> None:
    """The built image shows each of them."""
    Path("Dockerfile.outside").write_text(
        "FROM scratch AS first\nARG VERSION\nLABEL version=$VERSION\nCOPY file /file\n"
        "FROM first AS second\nLABEL stage=second\n"
    )
    inputs = build(tag, dockerfile="Dockerfile.outside", args={"VERSION": "7"}, target="first")
    _, outputs = on_engine.made(IMAGE, inputs)
    assert outputs["dockerfile"] == "../Dockerfile.outside"
    client = docker.APIClient(base_url=docker_engine, version="auto")
    assert client.inspect_image(f"{REPOSITORY}:{tag}")["Config"]["Labels"] == {"version": "7"}


def test_an_ignored_file_does_not_reach_the_engine(on_engine: Plugin, tag: str) -> None:
    """A copy of it fails the build, as with docker itself."""
    Path("app/.dockerignore").write_text("secret.txt\n")
    Path("app/secret.txt").write_text("x")
    Path("app/Dockerfile").write_text("FROM scratch\nCOPY secret.txt /x\n")
    assert "secret.txt" in refusal(lambda: on_engine.made(IMAGE, build(tag)))


def test_a_failing_build_shows_the_last_lines_and_changes_no_tag(
    on_engine: Plugin, emulated: Ecr, tag: str
) -> None:
    """One error with the image, the step and the engine's words."""
    Path("app/Dockerfile").write_text("FROM scratch\nCOPY missing-file /x\n")
    message = refusal(lambda: on_engine.made(IMAGE, build(tag)))
    assert message.startswith(f"{REPOSITORY}:{tag} can't be built: ")
    assert "missing-file" in message
    assert emulated.tags == {}


def test_a_missing_local_image_is_named(on_engine: Plugin, tag: str) -> None:
    """With the way to get it."""
    for operation in (
        lambda: on_engine.made(TAG, {"sourceImage": f"nothing:{tag}", "targetImage": f"{REPOSITORY}:x"}),
        lambda: on_engine.invoke("docker:index/getRemoteImage:getRemoteImage", {"name": f"nothing:{tag}"}),
    ):
        message = refusal(operation)
        assert f"there is no image nothing:{tag} in the Docker engine" in message
        assert "bootBuildImage" in message


def test_an_immutable_tag_does_not_move_until_it_may(
    on_engine: Plugin, emulated: Ecr, local_registry: str, tag: str
) -> None:
    """Neither in ECR nor in the registry; the same content again is fine."""
    emulated.keep_tags()
    _, first = on_engine.made(IMAGE, build(tag))
    assert on_engine.made(IMAGE, build(tag))[1]["repoDigest"] == first["repoDigest"]
    Path("app/file").write_text("changed")
    assert "raise the version" in refusal(lambda: on_engine.made(IMAGE, build(tag)))
    digest = first["repoDigest"].partition("@")[2]
    assert registry_digest(local_registry, tag) == emulated.tags[tag] == digest

    emulated.keep_tags("*")
    moved = on_engine.made(IMAGE, build(tag))[1]["repoDigest"].partition("@")[2]
    assert registry_digest(local_registry, tag) == emulated.tags[tag] == moved != digest


@pytest.mark.usefixtures("on_engine")
def test_a_registry_that_is_not_there_is_one_error(
    emulated: Ecr,
    tag: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its address and what to check; ECR stays as it is."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        monkeypatch.setenv("FILEFLOW_REGISTRY", address)
        message = refusal(lambda: Plugin().made(IMAGE, build(tag)))
    assert f"{REPOSITORY}:{tag} can't be pushed to {address}" in message
    assert "check its address" in message
    assert emulated.tags == {}


def _refusing(asked: BaseHTTPRequestHandler) -> Answer:
    """A registry that refuses every upload."""
    denied = {"errors": [{"code": "DENIED", "message": "requested access is denied"}]}
    status, body = {"GET": (200, {}), "HEAD": (404, {})}.get(asked.command, (403, denied))
    return status, {"Docker-Distribution-Api-Version": "registry/2.0"}, json.dumps(body).encode()


def _dropping(asked: BaseHTTPRequestHandler) -> Answer | None:
    """A registry that drops every upload."""
    return None if asked.command == "POST" else _refusing(asked)


@pytest.mark.parametrize(
    ("registry", "expected"),
    [
        (_refusing, "refuses the credentials"),
        # The engine tries again for most of a minute.
        pytest.param(_dropping, "dropped the connection", marks=pytest.mark.nightly),
    ],
)
@pytest.mark.usefixtures("on_engine")
def test_a_registry_that_refuses_or_drops_is_one_error(
    emulated: Ecr,
    tag: str,
    monkeypatch: pytest.MonkeyPatch,
    registry: Callable[[BaseHTTPRequestHandler], Answer | None],
    expected: str,
) -> None:
    """The cause and the fix; the token isn't in it, nor was it sent to the other registry."""
    with serving(registry) as address:
        monkeypatch.setenv("FILEFLOW_REGISTRY", address)
        message = refusal(lambda: Plugin().made(IMAGE, build(tag)))
    assert expected in message
    assert TOKEN not in message
    assert emulated.tags == {}


def test_a_base_image_behind_a_token_can_be_pulled_by_buildkit(
    on_engine: Plugin, local_registry: str, tag: str
) -> None:
    """BuildKit asks the build's session for credentials, an anonymous token included."""
    on_engine.made(IMAGE, build(tag))

    def behind_a_token(asked: BaseHTTPRequestHandler) -> Answer:
        if asked.path.startswith("/token"):
            return 200, {"Content-Type": "application/json"}, b'{"token": "anonymous"}'
        if asked.headers.get("Authorization") != "Bearer anonymous":
            challenge = f'Bearer realm="http://{address}/token",service="registry"'
            return 401, {"WWW-Authenticate": challenge}, b""
        request = urllib.request.Request(
            f"http://{local_registry}{asked.path}", headers={"Accept": asked.headers.get("Accept", "*/*")}
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            kept = ("Content-Type", "Docker-Content-Digest")
            headers = {name: value for name, value in response.headers.items() if name in kept}
            return 200, headers, response.read()

    with serving(behind_a_token) as address:
        Path("app/Dockerfile").write_text(f"FROM {address}/fileflow:{tag}\nLABEL derived=yes\n")
        _, outputs = on_engine.made(IMAGE, build(f"{tag}-derived"))
    assert outputs["repoDigest"].startswith(f"{REPOSITORY}@sha256:")


def test_progress_is_shown_without_secrets(on_engine: Plugin, tag: str) -> None:
    """The engine's steps appear; a secret value of the arguments doesn't."""
    Path("app/Dockerfile").write_text(f"FROM scratch\nCOPY file /{TOKEN}-{tag}\n")
    on_engine.made(IMAGE, build(tag))
    assert any(f"COPY file /[secret]-{tag}" in message for message in on_engine.messages)
    assert all(TOKEN not in message for message in on_engine.messages)


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("write /x: no space left on device", "docker system prune"),
        ("unauthorized: authentication required", "get a new token"),
        ("tag invalid: The image tag '1' is immutable", "raise the version"),
        ("name unknown: The repository with name 'x' does not exist", "create it first"),
        ("read tcp 10.0.0.1: connection reset by peer", "dropped the connection"),
        ("exec /bin/sh: exec format error", "build.platform"),
    ],
)
def test_a_known_cause_comes_with_its_fix(reason: str, hint: str) -> None:
    """The engine's words stay; what to do follows."""
    message = explain("image:1 can't be pushed", reason, ["the last line"])
    assert message.startswith(f"image:1 can't be pushed: {reason}; ")
    assert hint in message
    assert message.endswith("\n  the last line")


def test_no_engine_is_one_error(
    emulated: Ecr,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where a registry is named, an engine is needed; the error says how to go without."""
    monkeypatch.setenv("FILEFLOW_REGISTRY", "127.0.0.1:1")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    message = refusal(lambda: Plugin().made(IMAGE, build("x")))
    assert f"there is no Docker engine at unix://{tmp_path}/nothing.sock" in message
    assert "start one" in message
    assert emulated.tags == {}


def test_an_engine_without_permission_is_one_error(emulated: Ecr, monkeypatch: pytest.MonkeyPatch) -> None:
    """The group to join is named. A root user passes any file's permissions, so the refusal is made here."""
    import requests.exceptions

    def refused(*_args: Any, **_options: Any) -> None:
        raise docker.errors.DockerException(
            "Error while fetching server API version"
        ) from requests.exceptions.ConnectionError(PermissionError(13, "Permission denied"))

    monkeypatch.setenv("FILEFLOW_REGISTRY", "127.0.0.1:1")
    monkeypatch.setattr(docker, "APIClient", refused)
    message = refusal(lambda: Plugin().made(IMAGE, build("x")))
    assert "permission denied" in message
    assert "group docker" in message
    assert emulated.tags == {}
