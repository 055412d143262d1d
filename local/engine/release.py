"""Gets the Pulumi CLI from its official release.

Owns: the addresses, the checksum, the extraction. The checksums come from the release on GitHub, the
archive from Pulumi's own server: an archive that was changed in one place doesn't pass. Deliberately
doesn't own where the CLI is kept (`acquire`).
"""

from __future__ import annotations

import hashlib
import http.client
import platform
import shutil
import sys
import tarfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from local.engine.version import Version
from local.errors import LocalError
from local.progress import Step

ARCHIVES = "https://get.pulumi.com/releases/sdk"
CHECKSUMS = "https://github.com/pulumi/pulumi/releases/download"
CONNECT_TIMEOUT_SECONDS = 5.0
CHUNK_BYTES = 1 << 18
FILES = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python")
"""What a project in Python needs of the archive; the other languages' plugins stay out of the cache."""


class UnreachableError(Exception):
    """The release can't be had from here; another way is tried."""


def archive_name(version: Version) -> str:
    """Return the name of this platform's archive.

    Raises UnreachableError on a platform without a release.
    """
    system = {"linux": "linux", "darwin": "darwin"}.get(sys.platform)
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(
        platform.machine().lower()
    )
    if not system or not machine:
        raise UnreachableError(f"no Pulumi release for {sys.platform} on {platform.machine()}")
    return f"pulumi-v{version}-{system}-{machine}.tar.gz"


def expected_checksum(checksums: str, archive: str) -> str:
    """Find an archive's SHA-256 in the release's list.

    Raises LocalError when it isn't listed.
    """
    for line in checksums.splitlines():
        digest, _, name = line.strip().partition(" ")
        if name.strip().lstrip("*").removeprefix("./") == archive:
            return digest.lower()
    raise LocalError(
        f"the release's list of checksums doesn't name {archive}, so the download can't be verified.",
        "set FILEFLOW_ENGINE=build to build the CLI from its Go module, or install Pulumi yourself.",
    )


def fetch(version: Version, folder: Path, step: Step) -> None:
    """Download the release, verify it and extract what a Python project needs into `folder`.

    Raises UnreachableError when a server can't be reached or doesn't have the release, LocalError when the
    archive isn't what the release says it is.
    """
    archive = archive_name(version)
    step.tick("looking for the release")
    listed = _pieces(f"{CHECKSUMS}/v{version}/pulumi-{version}-checksums.txt")
    checksums = b"".join(piece for piece, _ in listed).decode(errors="replace")
    expected = expected_checksum(checksums, archive)
    file = folder / archive
    actual = _download(f"{ARCHIVES}/{archive}", file, step)
    if actual != expected:
        file.unlink()
        raise LocalError(
            f"the SHA-256 of {archive} is {actual}, but the release says {expected}:"
            " the download was changed or damaged.",
            "try again; if it stays, set FILEFLOW_ENGINE=build, or install Pulumi yourself.",
        )
    _extract(file, folder)
    file.unlink()


def _pieces(url: str) -> Iterator[tuple[bytes, int]]:
    """Yield the content of a URL piece by piece, each with the size of the whole, 0 where it isn't told."""
    try:
        with urllib.request.urlopen(url, timeout=CONNECT_TIMEOUT_SECONDS) as response:
            total_bytes = int(response.headers.get("Content-Length") or 0)
            while piece := response.read(CHUNK_BYTES):
                yield piece, total_bytes
    except (OSError, http.client.HTTPException) as error:
        raise UnreachableError(f"{url}: {getattr(error, 'reason', error)}") from error


def _download(url: str, file: Path, step: Step) -> str:
    """Save a URL and return the SHA-256 of what was saved."""
    digest = hashlib.sha256()
    received_bytes = 0
    with file.open("wb") as output:
        for piece, total_bytes in _pieces(url):
            digest.update(piece)
            output.write(piece)
            received_bytes += len(piece)
            of = f" of {total_bytes / 1e6:.0f}" if total_bytes else ""
            step.tick(f"{received_bytes / 1e6:.0f}{of} MB")
    return digest.hexdigest()


def _extract(archive: Path, folder: Path) -> None:
    """Write the files of `FILES` that the archive has; their folders in the archive don't count."""
    with tarfile.open(archive) as contents:
        for member in contents:
            name = Path(member.name).name
            if name not in FILES or not member.isfile():
                continue
            source = contents.extractfile(member)
            if source is not None:
                with source, (folder / name).open("wb") as output:
                    shutil.copyfileobj(source, output)
                (folder / name).chmod(0o755)
