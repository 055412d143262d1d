"""Images in a Docker engine, pushed to a registry: the Docker SDK for Python behind `images.Images`.

Images for ECR are pushed to the local registry that FILEFLOW_REGISTRY names, and their manifests also into
the emulated ECR, so that both answer with the same digest; names keep ECR's address. The stack's credentials
go nowhere: the local registry asks for none.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import requests

import docker
import docker.errors
import docker.utils
from docker.utils.config import load_general_config
from local.plugins.common.registries import registry_address
from local.plugins.docker import buildkit
from local.plugins.docker import context as contexts
from local.plugins.docker.emulated_ecr import MANIFEST_TYPES, EmulatedEcr
from local.plugins.docker.images import Build, Say
from local.plugins.docker.names import ImageError, ImageName
from local.plugins.docker.resource import found_or_fail
from local.plugins.docker.session import build_session

_BUILDKIT = "2"
_CONNECT_TIMEOUT_SECONDS = 10
_OPERATION_TIMEOUT_SECONDS = 3600
_SHOWN_LINES = 15
_CAUSES = (
    (r"no space left on device|disk quota exceeded", "the disk is full; make room: docker system prune"),
    (
        r"exec format error|does not match the (?:specified|expected) platform|no match for platform"
        r"|no matching manifest for",
        "the base image isn't made for this platform; set build.platform to one that it has",
    ),
    (
        r"unauthorized|authentication required|no basic auth credentials|access to the resource is denied"
        r"|access is denied|denied:|403 forbidden|401 ",
        "the registry refuses the credentials; get a new token and check that it may push there",
    ),
    (r"immutable|already exists", "the registry doesn't let this tag move; raise the version"),
    (
        r"name unknown|repository .*(?:not found|does not exist)|repository name not known",
        "the repository isn't in the registry; create it first",
    ),
    (
        r"connection refused|connection reset|broken pipe|\beof\b|timeout|no such host|server misbehaving",
        "the registry can't be reached or dropped the connection; check its address and that it runs",
    ),
)


class EngineImages:
    """Implements `images.Images`. Connects at first use; safe to share between threads."""

    def __init__(self, host: str, ecr: EmulatedEcr) -> None:
        self._host = host
        self._ecr = ecr
        self._lock = threading.Lock()
        self._connected: docker.APIClient | None = None

    # -- images that are here ------------------------------------------------------------------------------

    def build(self, name: ImageName, build: Build, say: Say) -> str:
        """Build with BuildKit."""
        archive, dockerfile = contexts.archive(build.context, build.dockerfile)
        parameters = {
            "t": str(name),
            "dockerfile": dockerfile,
            "buildargs": json.dumps(dict(build.args)),
            "target": build.target or None,
            "platform": build.platform,
            "networkmode": build.network or None,
            "version": _BUILDKIT,
            "rm": True,
            "forcerm": True,
        }
        output: deque[str] = deque(maxlen=_SHOWN_LINES)
        image_id = ""
        client = self._client()

        with archive, self._explained(f"{name} can't be built", output), build_session(client) as session:
            response = client._post(
                client._url("/build"),
                data=archive,
                params={**parameters, "session": session},
                headers={"Content-Type": "application/x-tar"},
                stream=True,
            )
            client._raise_for_status(response)
            for event in client._stream_helper(response, decode=True):
                for line in _lines(event):
                    output.append(line)
                    say(line)
                if "error" in event:
                    raise _ReportedError(str(event["error"]))
                if isinstance(event.get("aux"), Mapping) and event["aux"].get("ID"):
                    image_id = str(event["aux"]["ID"])
        if not image_id:
            raise ImageError(f"{name} can't be built: the engine ended without an image; see its log")
        return image_id

    def find(self, name: ImageName) -> str | None:
        """Return the image's id."""
        client = self._client()
        with self._explained(f"{name} can't be looked up in the Docker engine"):
            try:
                return str(client.inspect_image(str(name))["Id"])
            except docker.errors.ImageNotFound:
                return None

    def tag(self, source: ImageName, target: ImageName) -> str:
        """Give an image another name."""
        image_id = found_or_fail(self.find(source), source)
        with self._explained(f"{source} can't be tagged as {target}"):
            self._client().tag(image_id, target.repository, target.tag or "latest", force=True)
        return image_id

    # -- images in a registry ------------------------------------------------------------------------------

    def push(self, name: ImageName, say: Say) -> str:
        """Push to the local registry in ECR's place."""
        image_id = found_or_fail(self.find(name), name)
        there = name.at_host(registry_address(name.host))
        existing = self._ecr.digest(name)
        if existing is None:
            digest = self._pushed(name, there, say)
        else:
            # Only a push tells the digest, and the local registry would move a tag that ECR keeps.
            beside = f"{name.tag or 'latest'}.{image_id[-12:]}"[-128:]
            digest = self._pushed(name, replace(there, tag=beside), say)
        if digest != existing:
            manifest, media_type = self._manifest(there, digest)
            self._ecr.put(name, manifest, media_type)
            if existing is not None:
                self._pushed(name, there, say)
        return digest

    def _pushed(self, name: ImageName, there: ImageName, say: Say) -> str:
        """Push an image under another name, and return its digest there."""
        client, tag = self._client(), there.tag or "latest"
        with self._explained(f"{name} can't be tagged for {there.host}"):
            client.tag(str(name), there.repository, tag, force=True)
        try:
            with self._explained(f"{name} can't be pushed to {there.host}"):
                events = client.push(there.repository, tag=tag, stream=True, decode=True)
                digest = _follow(events, name, say)
        finally:
            # A name left over does no harm; the push's own outcome is what counts.
            with suppress(docker.errors.DockerException, requests.RequestException):
                client.remove_image(str(there))
        if not digest:
            raise ImageError(f"{name} can't be pushed: {there.host} gave no digest; is it a registry?")
        return digest

    def _manifest(self, there: ImageName, digest: str) -> tuple[str, str]:
        with self._explained(f"the manifest of {there.with_digest(digest)} can't be read"):
            response = requests.get(
                f"{_scheme(there.host)}://{there.host}/v2/{there.path}/manifests/{digest}",
                headers={"Accept": ", ".join(MANIFEST_TYPES)},
                timeout=_CONNECT_TIMEOUT_SECONDS,
            )
            response.raise_for_status()
        return response.content.decode(), response.headers["Content-Type"].partition(";")[0]

    # -- the engine ----------------------------------------------------------------------------------------

    def _client(self) -> docker.APIClient:
        with self._lock:
            if self._connected is None:
                self._connected = self._connect()
            return self._connected

    def _connect(self) -> docker.APIClient:
        try:
            options = docker.utils.kwargs_from_env({**os.environ, "DOCKER_HOST": self._host})
            client = docker.APIClient(version="auto", timeout=_OPERATION_TIMEOUT_SECONDS, **options)
            client._general_configs = load_general_config()
            client.ping()
        except (docker.errors.DockerException, requests.RequestException, OSError, ValueError) as error:
            raise ImageError(_connection_problem(self._host, error)) from None
        return client

    @contextmanager
    def _explained(self, problem: str, output: Iterable[str] = ()) -> Iterator[None]:
        """Turn the engine's error into one message: what failed, the cause, the way out, the last lines."""
        try:
            yield
        except (_ReportedError, docker.errors.DockerException, requests.RequestException, OSError) as error:
            raise ImageError(explain(problem, _reason(error), list(output))) from None


class _ReportedError(Exception):
    """An error in a stream of the engine."""


def explain(problem: str, reason: str, output: list[str]) -> str:
    """Return one message for a failure; `output` is the end of what the engine said before."""
    hint = next((fix for pattern, fix in _CAUSES if re.search(pattern, reason, re.IGNORECASE)), "")
    told = f"{problem}: {reason}" + (f"; {hint}" if hint else "")
    return "\n".join([told, *(f"  {line}" for line in output if line != reason)])


def _connection_problem(host: str, error: Exception) -> str:
    text = "".join(repr(known) for known in (error, getattr(error, "__cause__", None)))
    if "PermissionError" in text or "Permission denied" in text:
        return (
            f"the Docker engine at {host} refuses this user (permission denied); "
            "add the user to the group docker and log in again, or run as root"
        )
    return (
        f"there is no Docker engine at {host}; start one, or name it in DOCKER_HOST "
        f"(without FILEFLOW_REGISTRY, the local stack works without one)"
    )


def _reason(error: Exception) -> str:
    explanation = getattr(error, "explanation", None)
    return " ".join(str(explanation or error).split())


def _scheme(address: str | None) -> str:
    """Return how a registry is reached; like the engine, one on this machine without TLS."""
    host = (address or "").rpartition(":")[0] or address
    return "http" if host in ("localhost", "127.0.0.1", "[::1]") else "https"


def _lines(event: Mapping[str, Any]) -> list[str]:
    if event.get("id") == "moby.buildkit.trace" and isinstance(event.get("aux"), str):
        return buildkit.lines(event["aux"])
    return [line for line in str(event.get("stream", "")).splitlines() if line.strip()]


def _follow(events: Iterable[Mapping[str, Any]], name: ImageName, say: Say) -> str:
    """Show a push's progress and return the digest that it reports."""
    digest = ""
    shown: dict[str, str] = {}
    for event in events:
        if "error" in event:
            raise _ReportedError(str(event["error"]))
        aux = event.get("aux")
        if isinstance(aux, Mapping) and aux.get("Digest"):
            digest = str(aux["Digest"])
        part, status = str(event.get("id", "")), str(event.get("status", ""))
        if status and shown.get(part) != status:
            shown[part] = status
            say(f"{name.path}: {part} {status}".replace("  ", " "))
    return digest
