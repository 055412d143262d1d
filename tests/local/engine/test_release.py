"""The official release is used only when it is what it says it is."""

from __future__ import annotations

import hashlib
import http.server
import io
import socket
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from local import progress
from local.engine import release
from local.engine.version import Version
from local.errors import LocalError
from local.progress import Step

VERSION = Version(3, 250, 0)


class Published:
    """A release in a folder that a server offers."""

    def __init__(self, folder: Path) -> None:
        self.archive = folder / release.archive_name(VERSION)
        self.checksums = folder / f"v{VERSION}" / f"pulumi-{VERSION}-checksums.txt"

    def publish(self, archive: bytes, checksum: str | None = None) -> None:
        digest = checksum or hashlib.sha256(archive).hexdigest()
        other = f"pulumi-v{VERSION}-plan9-x64.tar.gz"
        self.checksums.parent.mkdir(parents=True)
        self.archive.write_bytes(archive)
        self.checksums.write_text(f"{'0' * 64}  {other}\n{digest}  {self.archive.name}\n")


@pytest.fixture
def published(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Published]:
    folder = tmp_path_factory.mktemp("published")
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        for source in ("ARCHIVES", "CHECKSUMS"):
            monkeypatch.setattr(release, source, f"http://127.0.0.1:{server.server_port}")
        yield Published(folder)
        server.shutdown()


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


def test_only_what_a_python_project_needs_is_extracted_and_not_outside_the_folder(
    published: Published, step: Step, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    published.publish(archive("../pulumi", "/pulumi-language-python", "pulumi/pulumi-language-go"))
    release.fetch(VERSION, folder, step)
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]
    assert sorted(file.name for file in folder.iterdir()) == ["pulumi", "pulumi-language-python"]
    assert (folder / "pulumi").stat().st_mode & 0o777 == 0o755
    assert (folder / "pulumi").read_text() == "../pulumi"


@pytest.mark.parametrize(
    "received", [archive("pulumi/another"), archive("pulumi/pulumi")[:-20]], ids=["changed", "broken off"]
)
def test_an_archive_that_was_changed_or_breaks_off_is_refused_and_removed(
    published: Published, step: Step, tmp_path: Path, received: bytes
) -> None:
    expected = hashlib.sha256(archive("pulumi/pulumi")).hexdigest()
    published.publish(received, checksum=expected)
    with pytest.raises(LocalError, match="the download was changed or damaged") as error:
        release.fetch(VERSION, tmp_path, step)
    assert expected in error.value.problem
    assert list(tmp_path.iterdir()) == []


def test_an_archive_without_a_checksum_is_refused(published: Published, step: Step, tmp_path: Path) -> None:
    published.publish(archive("pulumi/pulumi"))
    published.checksums.write_text("nothing of use\n")
    with pytest.raises(LocalError, match=r"doesn't name pulumi-v3\.250\.0"):
        release.fetch(VERSION, tmp_path, step)


@pytest.mark.usefixtures("published")
def test_a_release_that_isnt_there_leaves_other_ways_open(step: Step, tmp_path: Path) -> None:
    with pytest.raises(release.UnreachableError, match="not found"):
        release.fetch(VERSION, tmp_path, step)


def test_a_closed_port_leaves_other_ways_open(
    step: Step, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setattr(release, "CHECKSUMS", f"http://127.0.0.1:{probe.getsockname()[1]}")
    with pytest.raises(release.UnreachableError):
        release.fetch(VERSION, tmp_path, step)


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
