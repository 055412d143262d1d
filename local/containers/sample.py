"""Builds the program in the sample image, a stand-in for FileFlow, before an engine packs it.

Owns `local/sample/bin/fileflow` and its copy in the cache. The program is built for Linux on this machine's
processor, without a path or a build number in it, so that the same sources and the same Go give the same
bytes. It is built on the machine because no engine can be relied on to reach an image with Go. Deliberately
doesn't own the sources nor the image (`local/sample`).
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path

from local import processes
from local.cache import writing_to
from local.engine import build
from local.errors import LocalError
from local.locks import exclusive
from local.paths import Paths
from local.progress import Progress

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def source_digest(folder: Path) -> str:
    """Return a digest of the sources' names and contents."""
    digest = hashlib.sha256()
    for file in sorted([folder / "go.mod", *folder.glob("*.go")]):
        content = file.read_bytes()
        digest.update(f"{file.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def program(root: Path) -> Path:
    """Return where the Dockerfile expects the program."""
    return root / "local" / "sample" / "bin" / "fileflow"


def ensure(paths: Paths, environment: Mapping[str, str], progress: Progress) -> Path:
    """Return the program of the sources as they are now; build it where it is missing.

    Needs Go only then, and gets it as a Python package where the machine has none.
    Raises LocalError when it can't be built.
    """
    folder = paths.root / "local" / "sample"
    architecture = _ARCHITECTURES.get(platform.machine().lower(), platform.machine().lower())
    cached = paths.cache / "sample" / f"{source_digest(folder)[:16]}-linux-{architecture}" / "fileflow"
    if not cached.is_file():
        with (
            writing_to(paths.cache),
            exclusive(
                paths.cache_locks / f"sample-{cached.parent.name}.lock",
                "another command that builds the sample",
                progress,
            ),
        ):
            if not cached.is_file():
                _build(folder, cached, architecture, paths, environment, progress)
    target = program(paths.root)
    if not (target.is_file() and target.read_bytes() == cached.read_bytes()):
        _put(cached, target)
    return target


def _build(
    folder: Path,
    output: Path,
    architecture: str,
    paths: Paths,
    environment: Mapping[str, str],
    progress: Progress,
) -> None:
    go = build.ensure_go(paths.cache, environment, progress)
    output.parent.mkdir(parents=True, exist_ok=True)
    unfinished = output.with_name(f"fileflow.{os.getpid()}.tmp")
    log = paths.cache / "logs" / "sample.log"
    command = [
        *(str(go), "build", "-trimpath", "-buildvcs=false"),
        # No symbols and no build id: those are what would differ.
        *("-ldflags", "-s -w -buildid="),
        *("-o", str(unfinished), "."),
    ]
    variables = {
        **build.go_environment(environment),
        # The installed Go does; the sources need no other, and no network.
        "GOTOOLCHAIN": "local",
        "GOOS": "linux",
        "GOARCH": architecture,
    }
    with progress.step("Building the stand-in for FileFlow") as step:
        code = processes.run_logged(command, log, step, env=variables, cwd=folder)
    if code:
        unfinished.unlink(missing_ok=True)
        raise LocalError(
            f"`go build` of {folder} ended with exit code {code}: {build.failure(log)}",
            f"read {log}; correct the sources or make room.",
        )
    unfinished.chmod(0o755)
    unfinished.replace(output)


def _put(source: Path, target: Path) -> None:
    """Copy in one step, with the same mode everywhere, because the image's context counts modes too."""
    unfinished = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, unfinished)
        unfinished.chmod(0o755)
        unfinished.replace(target)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise LocalError(
            f"{target} can't be written: {error.strerror}.", "make room, or make the checkout writable."
        ) from error
