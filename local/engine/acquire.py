"""Finds the Pulumi CLI for this project, or makes it: on PATH, from the official release, from the Go module.

Owns: the order, the cache of engines by version, that two clones never make the same engine twice and that an
interrupted attempt leaves nothing behind that looks finished.
Deliberately doesn't own how a release is verified (`release`) or how Go builds it (`build`).

`FILEFLOW_ENGINE` forces a way: `path`, `release`, `build`, or the path of a `pulumi` binary of the pinned
version to put into the cache. Default `auto`: the first that works.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local import progress
from local.cache import making, whole, write_atomically
from local.engine.version import Version, fits, pinned
from local.errors import LocalError
from local.paths import Paths

WAYS = ("auto", "path", "release", "build")

_LANGUAGE_HOST = """#!/bin/sh
# The language host of the checkout that `FILEFLOW_ROOT` names; local/env and the commands behind make set it.
if [ -z "$FILEFLOW_ROOT" ]; then
  echo "this pulumi belongs to a FileFlow checkout: source its .local/env first" >&2
  exit 1
fi
exec "$FILEFLOW_ROOT/.venv/bin/python" -I -S "$FILEFLOW_ROOT/local/engine/language_host.py" "$@"
"""


@dataclass(frozen=True)
class Engine:
    """A Pulumi CLI that fits this project, with a language host that it finds."""

    pulumi: Path
    version: Version
    source: str


def ensure_engine(paths: Paths, environment: Mapping[str, str]) -> Engine:
    """Return a CLI that fits; download or build it into the cache where there is none.

    Raises LocalError when there is none and none can be had, and on a cache that can't be written.
    """
    wanted = pinned(paths.root)
    way = environment.get("FILEFLOW_ENGINE") or "auto"
    if way in ("auto", "path"):
        found = on_path(wanted, environment)
        if isinstance(found, Engine):
            return found
        if way == "path":
            raise LocalError(
                f"FILEFLOW_ENGINE=path, but {found}.",
                f"install Pulumi {wanted}, or leave FILEFLOW_ENGINE out.",
            )
    elif way not in WAYS and not Path(way).is_file():
        raise LocalError(
            f"FILEFLOW_ENGINE is {way!r}: neither one of {', '.join(WAYS)} nor a file.",
            "correct it, or leave it out.",
        )
    folder = _folder(paths, wanted)
    cached = _cached(folder, wanted, way)
    if cached:
        return cached
    with making(paths.cache, folder.name, f"the process that gets Pulumi {wanted}", _log(paths)):
        cached = _cached(folder, wanted, way)
        if cached:
            return cached
        with whole(folder) as unfinished:
            source = _make(way, wanted, unfinished, paths, environment)
            _check(unfinished / "pulumi", wanted)
            if not (unfinished / "pulumi-language-python").exists():
                write_atomically(unfinished / "pulumi-language-python", _LANGUAGE_HOST, mode=0o755)
            (unfinished / "source").write_text(source + "\n")
    return Engine(folder / "pulumi", wanted, source)


def on_path(wanted: Version, environment: Mapping[str, str]) -> Engine | str:
    """Return the CLI on PATH when it fits, else say why not.

    Its language host has to be beside it or on PATH too.
    """
    path = environment.get("PATH", os.defpath)
    found = shutil.which("pulumi", path=path)
    if not found:
        return "there is no pulumi on PATH"
    version = version_of(Path(found))
    if version is None:
        return f"{found} doesn't tell its version"
    if not fits(version, wanted):
        return (
            f"{found} is version {version}, and {wanted.major}.{wanted.minor} or a later minor one is needed"
        )
    beside = Path(found).resolve().with_name("pulumi-language-python")
    if not beside.exists() and not shutil.which("pulumi-language-python", path=path):
        return f"{found} has no pulumi-language-python beside it or on PATH"
    return Engine(Path(found), version, "PATH")


def version_of(pulumi: Path) -> Version | None:
    """Ask a CLI for its version, away from the user's settings; None if it won't say."""
    try:
        answer = subprocess.run(
            [pulumi, "version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
            stdin=subprocess.DEVNULL,
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "PULUMI_SKIP_UPDATE_CHECK": "true",
                "HOME": os.devnull,
            },
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return Version.parse(answer.stdout)


def _folder(paths: Paths, wanted: Version) -> Path:
    return paths.cache / "engine" / f"v{wanted}-{sys.platform}-{platform.machine()}"


def _log(paths: Paths) -> Path:
    return paths.cache / "logs" / "engine.log"


def _cached(folder: Path, wanted: Version, way: str) -> Engine | None:
    source_file = folder / "source"
    if not source_file.is_file():
        return None
    source = source_file.read_text().strip()
    if way in ("release", "build") and way != source:
        return None
    return Engine(folder / "pulumi", wanted, source)


def _make(way: str, wanted: Version, folder: Path, paths: Paths, environment: Mapping[str, str]) -> str:
    """Put the CLI into `folder` and return how it was got."""
    from local.engine import build, release  # 50 ms, and a CLI is made once

    if way not in WAYS:
        shutil.copyfile(way, folder / "pulumi")
        (folder / "pulumi").chmod(0o755)
        return way
    unreachable = ""
    if way in ("auto", "release"):
        try:
            with progress.step(f"Getting Pulumi {wanted} from its official release") as step:
                try:
                    release.fetch(wanted, folder, step)
                except release.UnreachableError:
                    step.note("not reachable,")
                    raise
            return "release"
        except release.UnreachableError as error:
            unreachable = str(error)
            if way == "release":
                raise LocalError(
                    f"FILEFLOW_ENGINE=release, but the release can't be had: {unreachable}.",
                    "check the network, or leave FILEFLOW_ENGINE out to build the CLI from its Go module.",
                ) from error
    try:
        go = build.ensure_go(paths.cache, environment)
        build.build(go, wanted, folder, _log(paths), environment)
    except LocalError as error:
        if not unreachable:
            raise
        raise LocalError(
            f"no fitting pulumi is on PATH; its release can't be had ({unreachable}); {error.problem}",
            error.fix,
        ) from error
    return "build"


def _check(pulumi: Path, wanted: Version) -> None:
    """Run what was made once, before anyone relies on it."""
    version = version_of(pulumi) if pulumi.exists() else None
    if version != wanted:
        raise LocalError(
            f"the Pulumi CLI just made says it is version {version}, not {wanted}.",
            "set FILEFLOW_ENGINE to another way (path, release, build), or install Pulumi yourself.",
        )
