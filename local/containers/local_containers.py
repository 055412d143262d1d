"""The engine and the registry that the local stack uses, together.

Owns the choice (an engine that answers already, else one of this clone's own) and the variables that point
everything else at it. Deliberately doesn't own how either is started (`docker_engine`, `registry`).

`FILEFLOW_DOCKER_DIR` names the folder of both, `containers` in the clone's state folder by default: images
and what was pushed stay there when they stop. `FILEFLOW_REGISTRY` names a registry of the user's own instead.
"""

from __future__ import annotations

import contextlib
import os
import socket
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from local import progress
from local.cache import writing_to
from local.containers import docker_engine, engine_api, programs, registry
from local.errors import LocalError
from local.locks import exclusive
from local.paths import Paths
from local.ports import HOST

FOLDER_VARIABLE = "FILEFLOW_DOCKER_DIR"
REGISTRY_VARIABLE = "FILEFLOW_REGISTRY"
NETWORK_VARIABLE = "FILEFLOW_CONTAINER_NETWORK"
_USERS_NETWORK = "bridge"
"""The network that every engine of a user's own has."""


@dataclass(frozen=True)
class LocalContainers:
    """An engine and a registry that answer.

    `network` is the Docker network for tasks; on `host` two tasks with one port can't run at once.
    """

    docker_host: str
    registry: str
    network: str

    def variables(self) -> dict[str, str]:
        """Return the variables for the emulated AWS, the docker plugin and the user's shell."""
        return {
            "DOCKER_HOST": self.docker_host,
            REGISTRY_VARIABLE: self.registry,
            NETWORK_VARIABLE: self.network,
        }


def folder_of(paths: Paths, environment: Mapping[str, str]) -> Path:
    """Return the folder of this clone's engine and registry."""
    given = environment.get(FOLDER_VARIABLE)
    return Path(os.path.realpath(paths.root / given if given else paths.local / "containers"))


def start(folder: Path, environment: Mapping[str, str]) -> LocalContainers:
    """Return an engine and a registry that answer; start what is missing.

    An engine of the user's own (at DOCKER_HOST or Docker's usual socket) is used as it is. What this clone
    started before is returned as it is.
    Raises LocalError when one can't be started, or when DOCKER_HOST names an engine that can't be used.
    """
    with writing_to(folder, "folder for containers", FOLDER_VARIABLE), _alone_in(folder, environment):
        host = _engine_that_answers(folder, environment)
        own = host == docker_engine.docker_host(folder)
        if host is None:
            docker_engine.start(folder, environment)
            host, own = docker_engine.docker_host(folder), True
        try:
            address = _registry(folder, environment)
        except LocalError:
            if own and not find(folder, environment):
                docker_engine.stop(folder)
            raise
        network = docker_engine.network_of(folder) if own else _USERS_NETWORK
    return LocalContainers(host, address, network)


def use(folder: Path, environment: Mapping[str, str]) -> LocalContainers | str:
    """Return what answers, with a registry beside the user's own engine; else say why there is nothing.

    Never starts an engine, and never fails: without containers the local stack comes up all the same.
    """
    found = find(folder, environment)
    if found:
        return found
    try:
        if _engine_that_answers(folder, environment) is None:
            return "no Docker engine answers; `make docker` starts one"
        return start(folder, environment)
    except LocalError as error:
        return f"{error.problem} {error.fix}"


def find(folder: Path, environment: Mapping[str, str]) -> LocalContainers | None:
    """Return the engine and the registry where both answer; start nothing."""
    try:
        host = _engine_that_answers(folder, environment)
    except LocalError:
        return None
    given = environment.get(REGISTRY_VARIABLE)
    port = registry.find(folder)
    address = f"{HOST}:{port}" if port else given
    if host is None or not address:
        return None
    own = host == docker_engine.docker_host(folder)
    return LocalContainers(host, address, docker_engine.network_of(folder) if own else _USERS_NETWORK)


def stop(folder: Path) -> None:
    """Stop what this clone started, containers included.

    Images and what was pushed stay in the folder. An engine of the user's own is left alone.
    """
    if not folder.is_dir():
        return
    with exclusive(folder / "lock", "another command that starts or stops containers"):
        if programs.find(folder, registry.PROGRAM):
            with progress.step("Stopping the registry"):
                registry.stop(folder)
        if programs.find(folder, docker_engine.PROGRAM):
            with progress.step("Stopping the Docker engine and its containers"):
                docker_engine.stop(folder)
        elif programs.stop_rest(folder) or docker_engine.runtime_folder(folder).exists():
            docker_engine.clear(folder)


def remove_tasks(containers: LocalContainers, emulator_port: int) -> int:
    """Remove the containers that one emulated AWS left in an engine when it was killed; return how many."""
    label = f"ministack.instance={socket.gethostname()}:{emulator_port}"
    try:
        return engine_api.remove_containers(containers.docker_host, label)
    except engine_api.EngineApiError as error:
        raise LocalError(
            f"the tasks' containers in the engine at {containers.docker_host} can't be removed: {error}.",
            f"remove them by: docker ps -aq --filter label={label} | xargs docker rm -f",
        ) from error


def _engine_that_answers(folder: Path, environment: Mapping[str, str]) -> str | None:
    """Return the address of this clone's engine, else of the user's own; None where neither answers.

    Raises LocalError for an engine that is named or there but can't be used, rather than use another one
    than the user meant.
    """
    own = docker_engine.docker_host(folder)
    if programs.find(folder, docker_engine.PROGRAM) and engine_api.ping(own) is None:
        return own
    given = environment.get("DOCKER_HOST")
    if given and given != own:
        parsed = urllib.parse.urlsplit(given)
        if parsed.scheme != "unix" and parsed.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise LocalError(
                f"DOCKER_HOST is {given}, an engine on another machine, which can't reach the registry here.",
                "leave DOCKER_HOST out, or name an engine on this machine by its unix:// socket.",
            )
        problem = engine_api.ping(given)
        if problem:
            raise LocalError(
                f"DOCKER_HOST is {given}, but no Docker engine can be used there: {problem}.",
                "start that engine, or leave DOCKER_HOST out.",
            )
        return given
    problem = engine_api.ping(docker_engine.DEFAULT_HOST)
    if problem == "this user may not use the socket":
        raise LocalError(
            f"a Docker engine runs at {docker_engine.DEFAULT_HOST}, but {problem}.",
            "add yourself to the group docker (`sudo usermod -aG docker $USER`, then log in anew).",
        )
    return None if problem else docker_engine.DEFAULT_HOST


def _registry(folder: Path, environment: Mapping[str, str]) -> str:
    if port := registry.find(folder):
        return f"{HOST}:{port}"
    given = environment.get(REGISTRY_VARIABLE)
    # After `source .local/env` it names the registry that this clone had, which is started again.
    if given and given != f"{HOST}:{registry.port_of(folder)}":
        return given
    registry.stop(folder)
    return f"{HOST}:{registry.start(folder, environment)}"


@contextlib.contextmanager
def _alone_in(folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Hold the folder's lock, the folder made first: what `sudo` makes belongs to the user."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    user, group = environment.get("SUDO_UID", ""), environment.get("SUDO_GID", "")
    if user.isdigit() and group.isdigit() and os.geteuid() == 0:
        for path in missing:
            os.chown(path, int(user), int(group))
    with exclusive(folder / "lock", "another command that starts or stops containers"):
        yield
