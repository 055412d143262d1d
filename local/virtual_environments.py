"""The virtual environments: the project's own, and the emulated AWS's, which pins other versions.

Owns: when one is made, from which files, in which interpreter, and that two clones share one. They lie in
the cache, by Python version and content of the requirement files; `.venv` in the checkout is a link to the
project's. Deliberately doesn't own which packages are in them (requirements*.txt), nor how packages are got
(`python_packages`).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local import processes, progress, python_packages
from local.cache import full, making
from local.errors import LocalError
from local.paths import Paths


@dataclass(frozen=True)
class Requirements:
    """What one virtual environment holds: the file to install, and all files that decide its content."""

    name: str
    install: str
    files: tuple[str, ...]


PROJECT = Requirements(
    "project", "requirements-dev.txt", ("requirements-dev.txt", "requirements.txt", "constraints.txt")
)
EMULATOR = Requirements(
    "emulator",
    "local/emulator/requirements.txt",
    ("local/emulator/requirements.txt", "local/emulator/constraints.txt"),
)


def folder_of(paths: Paths, requirements: Requirements) -> Path:
    """Return where the virtual environment lies for this interpreter and the files as they are now."""
    digest = hashlib.sha256()
    for file in requirements.files:
        digest.update(file.encode() + b"\0" + (paths.root / file).read_bytes() + b"\0")
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return (
        paths.cache
        / "venvs"
        / f"{requirements.name}-{sys.implementation.name}-{version}-{digest.hexdigest()[:12]}"
    )


def are_made(paths: Paths) -> bool:
    """Say whether both virtual environments are there, so that a command can start at once."""
    return all(_usable(folder_of(paths, requirements)) for requirements in (PROJECT, EMULATOR))


def ensure(paths: Paths, requirements: Requirements, environment: Mapping[str, str]) -> Path:
    """Return the interpreter of a virtual environment, made first where it is missing or no longer runs.

    Raises LocalError when it can't be made.
    """
    folder = folder_of(paths, requirements)
    python = folder / "bin" / "python"
    if _usable(folder):
        return python
    with making(paths.cache, folder.name, f"another command that makes {folder.name}"):
        if not _usable(folder):
            try:
                _make(folder, paths, requirements, environment)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
    return python


def ensure_project(paths: Paths, environment: Mapping[str, str]) -> Path:
    """Return the project's interpreter, by way of the link `.venv` in the checkout.

    The policy pack and the package for other languages name an environment of their own (`policies/.venv`),
    since each works alone elsewhere. Here it is a link to the same one, which holds all that they need.
    """
    folder = ensure(paths, PROJECT, environment).parent.parent
    link(paths.venv, folder)
    for alone in ("policies", "pulumi_package"):
        if (paths.root / alone).is_dir():
            link(paths.root / alone / paths.venv.name, folder)
    return paths.python


def link(at: Path, target: Path) -> None:
    """Make `at` a link to a folder, in one step; leave it alone where it is one already.

    Raises LocalError when something that isn't a link is there.
    """
    if at.is_symlink():
        if at.readlink() == target:
            return
    elif at.exists():
        raise LocalError(
            f"{at} is a folder of its own; this project keeps a link into its cache there.",
            f"move it away: mv {at} {at}.own",
        )
    unfinished = at.with_name(f"{at.name}.{os.getpid()}.tmp")
    unfinished.unlink(missing_ok=True)
    unfinished.symlink_to(target)
    unfinished.replace(at)


def _usable(folder: Path) -> bool:
    """Say whether an environment was finished and its base interpreter is still there."""
    if not (folder / "complete").exists():
        return False
    # Its bin/python is a link to the interpreter that made it, which an upgrade may have removed.
    return (folder / "bin" / "python").exists()


def _make(folder: Path, paths: Paths, requirements: Requirements, environment: Mapping[str, str]) -> None:
    # Not built elsewhere and renamed: its scripts name the folder. The file `complete` comes last instead.
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    log = paths.cache / "logs" / f"{requirements.name}-environment.log"
    file, python = paths.root / requirements.install, folder / "bin" / "python"
    uv = _uv(paths, environment)
    with progress.step(f"Making the {requirements.name}'s virtual environment") as step:

        def run(command: Sequence[str], env: Mapping[str, str]) -> bool:
            return processes.run_logged(command, log, step, env=env) == 0

        clean = python_packages.clean(environment)
        create = [sys.executable, "-m", "venv", "--clear", str(folder)]
        made = False
        if uv:
            install, variables = python_packages.uv_install(uv, python, file, paths.cache, environment)
            made = run([*create, "--without-pip"], clean) and run(install, variables)
            if not made:
                if no_room := full(paths.cache):
                    raise no_room
                step.note(f"by pip, since uv failed ({python_packages.why(log)}),")
        if not made:
            install = python_packages.pip_install(python, file)
            without = ["--without-pip"] if python_packages.has_pip() else []
            made = run([*create, *without], clean) and run(install, clean)
        if not made:
            raise full(paths.cache) or _failed(requirements, log)
        (folder / "complete").touch()


def _uv(paths: Paths, environment: Mapping[str, str]) -> Path | None:
    """Return `uv`, or say why pip takes its place."""
    try:
        return python_packages.ensure_tool(
            python_packages.UV_PACKAGE, "bin/uv", paths.cache, environment, "For the Python packages"
        )
    except LocalError as error:
        progress.say(f"pip takes the place of uv, which can't be had: {error.problem}")
        return None


def _failed(requirements: Requirements, log: Path) -> LocalError:
    return LocalError(
        f"the packages of {requirements.install} can't be installed: {python_packages.why(log)}",
        f"read {log}; check the network, the free disk space and pip's configuration (`pip config list`).",
    )
