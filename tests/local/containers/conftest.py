"""An engine for all tests of a file, and a user's own engine that only answers."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from local.containers import docker_engine
from local.containers.local_containers import LocalContainers
from tests.local.containers.real_engine import running


@pytest.fixture(autouse=True)
def no_engine_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The machine's own engine, if it has one, is neither used nor touched."""
    monkeypatch.setattr(docker_engine, "DEFAULT_HOST", f"unix://{tmp_path / 'none.sock'}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("containers")


@pytest.fixture(scope="module")
def containers(folder: Path) -> Iterator[LocalContainers]:
    with running(folder) as started:
        yield started


class UsersEngine(socketserver.ThreadingUnixStreamServer):
    """Something that answers a ping as a Docker engine does, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self, path: Path, status: int = 200) -> None:
        asked = self.asked = list[str]()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"OK")

            def address_string(self) -> str:
                return "unix"

            def log_message(self, format: str, *args: object) -> None:
                """Keep the tests' output quiet."""

        super().__init__(str(path), Handler)
        self.host = f"unix://{path}"
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def users_engine(tmp_path: Path) -> Iterator[UsersEngine]:
    with UsersEngine(tmp_path / "users.sock") as server:
        yield server
        server.shutdown()
