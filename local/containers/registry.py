"""A registry of this clone's own: Debian's `docker-registry` on the loopback address.

Owns its configuration, port, readiness and end. It has no users and no encryption, which Docker accepts on
the loopback address; nobody else reaches it. Deliberately doesn't own what is pushed to it.
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from local import ports, progress
from local.containers import programs
from local.errors import LocalError
from local.ports import HOST

PROGRAM = "docker-registry"
START_TIMEOUT_SECONDS = 30.0
STOP_TIMEOUT_SECONDS = 10.0

_TRIES = 3
"""Another process may take a free port between looking and listening; the registry can't be handed one."""


def configuration(folder: Path, port: int) -> str:
    """Return the registry's configuration; it is read as YAML, of which JSON is a part."""
    values = {
        "version": 0.1,
        "log": {"level": "info", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(folder / "registry")},
            "delete": {"enabled": True},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {"addr": f"{HOST}:{port}"},
    }
    return json.dumps(values, indent=2) + "\n"


def start(folder: Path, environment: Mapping[str, str]) -> int:
    """Start the folder's registry and return its port once it answers.

    It listens on the port that it had last, so that names of images stay right, else on any free one. Raises
    LocalError without docker-registry, or when it doesn't come up.
    """
    program = programs.which(PROGRAM, environment)
    if program is None:
        raise LocalError(
            "there is no registry to start: docker-registry isn't installed.",
            "install it, on Debian by: apt-get update && apt-get install -y --no-install-recommends"
            " docker-registry",
        )
    last = port_of(folder)
    with progress.step("Starting a registry") as step:
        for attempt in range(1, _TRIES + 1):
            port = last if last and ports.is_free(last) else _free_port()
            (folder / "registry.yml").write_text(configuration(folder, port))
            try:
                programs.launch(
                    "the registry",
                    [program, "serve", folder / "registry.yml"],
                    folder,
                    environment,
                    step,
                    ready=partial(answers, port),
                    timeout_seconds=START_TIMEOUT_SECONDS,
                )
            except LocalError as error:
                if "address already in use" not in error.problem or attempt == _TRIES:
                    raise
                continue
            break
        step.note(f"at {HOST}:{port},")
    return port


def stop(folder: Path) -> None:
    """Stop the folder's registry, if it runs; what was pushed stays."""
    programs.stop(folder, PROGRAM, STOP_TIMEOUT_SECONDS)


def find(folder: Path) -> int | None:
    """Return the port of the folder's registry if it runs and answers."""
    port = port_of(folder)
    return port if port and programs.find(folder, PROGRAM) and answers(port) else None


def port_of(folder: Path) -> int | None:
    """Return the port that the folder's registry was told last."""
    try:
        values = json.loads((folder / "registry.yml").read_text())
        return int(values["http"]["addr"].rpartition(":")[2])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        # Somebody else's edit is as good as no configuration: it is written anew.
        return None


def answers(port: int) -> bool:
    """Tell whether a registry answers on a port."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/v2/")
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return response.status == 200 and "registry/2.0" in (
        response.getheader("Docker-Distribution-Api-Version") or ""
    )


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
