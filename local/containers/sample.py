"""Builds the programs that stack `local` packs into images, before an engine does: the sample and the guard.

Owns `local/sample/bin/fileflow`, `local/guard/bin/guard` and their copies in the cache. A program is built
for Linux on this machine's processor, without a path or a build number in it, so that the same sources and
the same Go give the same bytes. It is built on the machine because no engine can be relied on to reach an
image with Go. Deliberately doesn't own the sources (`local/sample`, `guard`) nor the images.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local import processes, progress
from local.cache import making, whole, write_atomically
from local.engine import build
from local.errors import LocalError
from local.paths import Paths

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class Program:
    """A program: what it is, the folder of its sources, and where its image's Dockerfile expects it."""

    what: str
    sources: str
    target: str


SAMPLE = Program("the stand-in for FileFlow", "local/sample", "local/sample/bin/fileflow")
GUARD = Program("the guard", "guard", "local/guard/bin/guard")


def source_digest(folder: Path) -> str:
    """Return a digest of the sources' names and contents."""
    digest = hashlib.sha256()
    modules = [file for file in (folder / "go.mod", folder / "go.sum") if file.exists()]
    for file in sorted([*modules, *folder.rglob("*.go")]):
        if file.name.endswith("_test.go"):
            continue
        content = file.read_bytes()
        digest.update(f"{file.relative_to(folder)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def ensure(paths: Paths, environment: Mapping[str, str], program: Program = SAMPLE) -> Path:
    """Return the program of the sources as they are now; build it where it is missing.

    Needs Go only then, and gets it as a Python package where the machine has none.
    Raises LocalError when it can't be built.
    """
    folder = paths.root / program.sources
    target = paths.root / program.target
    architecture = _ARCHITECTURES.get(platform.machine().lower(), platform.machine().lower())
    cached = paths.cache / "sample" / f"{source_digest(folder)[:16]}-linux-{architecture}" / target.name
    if not cached.is_file():
        name = f"sample-{cached.parent.name}"
        with making(paths.cache, name, f"another command that builds {program.what}"):
            if not cached.is_file():
                with whole(cached.parent) as unfinished:
                    _build(program, unfinished / target.name, architecture, paths, environment)
    try:
        # With the same mode everywhere, because the image's context counts modes too.
        write_atomically(target, cached.read_bytes(), mode=0o755)
    except OSError as error:
        raise LocalError(
            f"{target} can't be written: {error.strerror}.", "make room, or make the checkout writable."
        ) from error
    return target


def _build(
    program: Program, output: Path, architecture: str, paths: Paths, environment: Mapping[str, str]
) -> None:
    go = build.ensure_go(paths.cache, environment)
    folder = paths.root / program.sources
    log = paths.cache / "logs" / f"{output.name}.log"
    command = [
        *(str(go), "build", "-trimpath", "-buildvcs=false"),
        # No symbols and no build id: those are what would differ.
        *("-ldflags", "-s -w -buildid="),
        *("-o", str(output), "."),
    ]
    variables = {**build.go_environment(environment), "GOOS": "linux", "GOARCH": architecture}
    with progress.step(f"Building {program.what}") as step:
        code = processes.run_logged(command, log, step, env=variables, cwd=folder)
    if code:
        raise LocalError(
            f"`go build` of {folder} ended with exit code {code}: {build.why(log)}",
            f"read {log}; correct the sources or make room.",
        )
