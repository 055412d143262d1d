"""The session that BuildKit asks back on during a build: who may pull base images.

The engine turns a request into a gRPC connection and calls the client over it. Without one, BuildKit can't
pull from a registry that wants a token, not even an anonymous one. Owns that connection and the one answer
that matters, what `docker login` saved; it goes over it only when the engine asks for a registry.
"""

from __future__ import annotations

import socket
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import grpc

import docker
from local.plugins.docker.buildkit import read_fields, write_fields

_AUTH_SERVICE, _CREDENTIALS = "moby.filesync.v1.Auth", "Credentials"
_HEALTH_SERVICE, _CHECK = "grpc.health.v1.Health", "Check"
_SERVING = b"\x08\x01"
_CHUNK_BYTES = 65536


def _handlers(client: Any) -> tuple[Any, ...]:
    """Return what the session answers, on bytes."""

    def credentials(request: bytes, _context: grpc.ServicerContext) -> bytes:
        return _saved_credentials(client, dict(read_fields(request)).get(1, b"").decode())

    def check(_request: bytes, _context: grpc.ServicerContext) -> bytes:
        return _SERVING

    return tuple(
        grpc.method_handlers_generic_handler(service, {method: grpc.unary_unary_rpc_method_handler(answer)})
        for service, method, answer in (
            (_AUTH_SERVICE, _CREDENTIALS, credentials),
            (_HEALTH_SERVICE, _CHECK, check),
        )
    )


def _saved_credentials(client: Any, registry: str) -> bytes:
    """Return what `docker login` saved for a registry, as the real provider uses it."""
    hub = registry in ("registry-1.docker.io", "https://index.docker.io/v1/")
    try:
        saved = client._auth_configs.resolve_authconfig("docker.io" if hub else registry) or {}
    except docker.errors.DockerException:
        # A broken credential helper: the base image may still be public.
        return b""
    username = saved.get("username") or saved.get("Username")
    password = saved.get("password") or saved.get("Password")
    return write_fields({1: username, 2: password}) if username and password else b""


@contextmanager
def build_session(client: Any) -> Iterator[str]:
    """Hold a session with the engine of a `docker.APIClient`, and give its id for the build's request."""
    session_id = uuid.uuid4().hex
    with tempfile.TemporaryDirectory(prefix="build-session-") as folder:
        address = f"{folder}/socket"
        server = grpc.server(ThreadPoolExecutor(max_workers=4))
        server.add_generic_rpc_handlers(_handlers(client))
        server.add_insecure_port(f"unix:{address}")
        server.start()
        response = client._post(
            client._url("/session"),
            headers={
                "Connection": "Upgrade",
                "Upgrade": "h2c",
                "X-Docker-Expose-Session-Uuid": session_id,
                "X-Docker-Expose-Session-Name": "build",
                "X-Docker-Expose-Session-Grpc-Method": f"/{_AUTH_SERVICE}/{_CREDENTIALS}",
            },
            stream=True,
        )
        client._raise_for_status(response)
        # The engine may speak before its answer's headers are read, so what is buffered counts.
        reader = response.raw._fp.fp
        engine: socket.socket = reader.raw._sock
        local = socket.socket(socket.AF_UNIX)
        local.connect(address)
        copies = [
            threading.Thread(target=_copy, args=(reader.read1, local), daemon=True),
            threading.Thread(target=_copy, args=(local.recv, engine), daemon=True),
        ]
        for copy in copies:
            copy.start()
        try:
            yield session_id
        finally:
            for end in (local, engine):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            for copy in copies:
                copy.join()
            local.close()
            response.close()
            server.stop(grace=None).wait()


def _copy(read: Callable[[int], bytes], into: socket.socket) -> None:
    """Copy until one side ends; the session's end closes both in the middle of a read."""
    with suppress(OSError, ValueError):
        while chunk := read(_CHUNK_BYTES):
            into.sendall(chunk)
        into.shutdown(socket.SHUT_RDWR)
