"""Starts and ends this clone's fork server.

Owns its socket, its log, and the mark by which its processes are found. Deliberately doesn't own when there
is one: `local.cli` has it beside the emulated AWS, and `local.stack` ends it with that.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from local import processes
from local.environment import FOREIGN_PREFIXES
from local.fork_server import client
from local.paths import Paths

MARK = "FILEFLOW_FORKS_OF"
"""Set in the server, and as the system sees it in every fork."""

GRACE_SECONDS = 2.0
_SERVER = Path(client.__file__).with_name("server.py")


def ensure(paths: Paths, environment: Mapping[str, str]) -> None:
    """Have a server that holds the libraries of the project's virtual environment; on Linux only."""
    if sys.platform != "linux":
        return
    answer = client.ask(str(paths.fork_server), str(paths.python), ())
    if answer is None:
        stop(paths)
        _start(paths, environment)
    else:
        answer.close()


def stop(paths: Paths) -> None:
    """End the server, if there is one, and its forks."""
    processes.stop_marked(MARK, str(paths.local), GRACE_SECONDS)
    paths.fork_server.unlink(missing_ok=True)


def _start(paths: Paths, environment: Mapping[str, str]) -> None:
    kept = {
        name: value
        for name, value in environment.items()
        if not name.startswith(FOREIGN_PREFIXES) and name != processes.RUN_MARK
    }
    with (
        socket.socket(socket.AF_UNIX) as listener,
        paths.fork_server.with_suffix(".log").open("wb") as log,
    ):
        client.at(str(paths.fork_server), listener.bind)
        paths.fork_server.chmod(0o600)
        listener.listen(128)
        subprocess.Popen(
            [str(paths.python), "-I", str(_SERVER), str(listener.fileno())],
            env={**kept, MARK: str(paths.local)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
