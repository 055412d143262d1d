"""The official release is used only when it is what it says it is."""

from __future__ import annotations

import hashlib
import http.server
import io
import socket
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import progress
from local.engine import release
from local.engine.version import Version
from local.errors import LocalError
from local.progress import Step

VERSION = Version(3, 250, 0)


class Server:
    """Serves files from memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        files = self.files

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = files.get(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, format: str, *arguments: object) -> None:
                """Say nothing on stderr."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def sources(self) -> release.Sources:
        base = f"http://127.0.0.1:{self._server.server_port}"
        return release.Sources(archives=f"{base}/archives", checksums=f"{base}/checksums")

    def publish(self, archive: bytes, checksum: str | None = None) -> None:
        name = release.archive_name(VERSION)
        digest = checksum or hashlib.sha256(archive).hexdigest()
        self.files[f"/archives/{name}"] = archive
        self.files[f"/checksums/v{VERSION}/pulumi-{VERSION}-checksums.txt"] = (
            f"{'0' * 64}  pulumi-v{VERSION}-plan9-x64.tar.gz\n{digest}  {name}\n".encode()
        )

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def step() -> Iterator[Step]:
    with progress.step("Getting it") as made:
        yield made


def archive(*names: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as contents:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(name)
            contents.addfile(member, io.BytesIO(name.encode()))
    return buffer.getvalue()


def test_only_what_a_python_project_needs_is_extracted(server: Server, step: Step, tmp_path: Path) -> None:
    server.publish(archive("pulumi/pulumi", "pulumi/pulumi-language-python", "pulumi/pulumi-language-go"))
    release.fetch(VERSION, tmp_path, step, server.sources)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["pulumi", "pulumi-language-python"]
    assert (tmp_path / "pulumi").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "pulumi").read_text() == "pulumi/pulumi"


def test_no_member_is_written_outside_the_folder(server: Server, step: Step, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    server.publish(archive("../pulumi", "/pulumi-language-python"))
    release.fetch(VERSION, folder, step, server.sources)
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def test_a_changed_archive_is_refused_and_removed(server: Server, step: Step, tmp_path: Path) -> None:
    server.publish(archive("pulumi/pulumi"), checksum="a" * 64)
    with pytest.raises(LocalError, match="the download was changed or damaged") as error:
        release.fetch(VERSION, tmp_path, step, server.sources)
    assert "a" * 64 in error.value.problem
    assert list(tmp_path.iterdir()) == []


def test_an_archive_without_a_checksum_is_refused(server: Server, step: Step, tmp_path: Path) -> None:
    server.publish(archive("pulumi/pulumi"))
    server.files[f"/checksums/v{VERSION}/pulumi-{VERSION}-checksums.txt"] = b"nothing of use\n"
    with pytest.raises(LocalError, match=r"doesn't name pulumi-v3\.250\.0"):
        release.fetch(VERSION, tmp_path, step, server.sources)


def test_a_release_that_isnt_there_leaves_other_ways_open(server: Server, step: Step, tmp_path: Path) -> None:
    with pytest.raises(release.UnreachableError, match=r"404|Not Found"):
        release.fetch(VERSION, tmp_path, step, server.sources)


def test_a_closed_port_leaves_other_ways_open(step: Step, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{probe.getsockname()[1]}"
    with pytest.raises(release.UnreachableError):
        release.fetch(VERSION, tmp_path, step, release.Sources(closed, closed))


def test_a_download_that_breaks_off_leaves_other_ways_open(
    server: Server, step: Step, tmp_path: Path
) -> None:
    whole = archive("pulumi/pulumi")
    server.publish(whole)
    name = f"/archives/{release.archive_name(VERSION)}"
    server.files[name] = whole[: len(whole) // 2]
    with pytest.raises((release.UnreachableError, LocalError)):
        release.fetch(VERSION, tmp_path, step, server.sources)
    assert not (tmp_path / "pulumi").exists()


@pytest.mark.parametrize(
    ("system", "machine", "name"),
    [
        ("linux", "x86_64", "pulumi-v3.250.0-linux-x64.tar.gz"),
        ("linux", "aarch64", "pulumi-v3.250.0-linux-arm64.tar.gz"),
        ("darwin", "arm64", "pulumi-v3.250.0-darwin-arm64.tar.gz"),
    ],
)
def test_the_archive_is_the_platforms(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, name: str
) -> None:
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert release.archive_name(VERSION) == name


def test_a_platform_without_a_release_leaves_other_ways_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(release.UnreachableError, match="riscv64"):
        release.archive_name(VERSION)
