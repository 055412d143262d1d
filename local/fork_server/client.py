"""`client.py FILE ARGUMENTS...` or `client.py -m MODULE ARGUMENTS...`: like `python -u`, by a fork.

`FILEFLOW_FORK_SERVER` names the server's socket. Without it, or where the server can't be asked or refuses,
this process becomes `python -u ...` itself, so that nothing depends on a server.

Owns the client's half of the protocol: what a fork has to know about the command, the signals passed on to
it, its exit code. Deliberately imports little, not even pathlib, and is meant to be run with `-I -S`: it
stands before every command.

A fork lives only as long as its client: it is killed when the client is, and asked to stop when the client's
own parent has ended.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from types import FrameType

VARIABLE = "FILEFLOW_FORK_SERVER"
LENGTH = struct.Struct("!I")
STATUS = struct.Struct("!i")
ACCEPTED = b"\x01"

_ANSWER_TIMEOUT_SECONDS = 60.0
"""A server that has only just been started imports for some seconds before it answers."""

_PARENT_POLL_SECONDS = 0.5
_HONOURED = {"PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
"""Python's own variables that a fork can still take to heart; the others count when Python starts."""

_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main(arguments: Sequence[str]) -> int:
    """Run the command by a fork of the server and return its exit code; without a server, become it."""
    path = os.environ.get(VARIABLE)
    if any(name.startswith("PYTHON") and name not in _HONOURED for name in os.environ):
        path = None
    # It may end while the fork starts already.
    parent = os.getppid()
    # A signal that arrives in that time is passed on as well.
    signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)
    server = ask(path, sys.executable, arguments) if path else None
    if server is None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
        os.execv(sys.executable, [sys.executable, "-u", *arguments])
    return _follow(server, parent)


def opened(path: str, use: Callable[[socket.socket, str], object]) -> socket.socket:
    """Return a socket that was bound or connected, whichever `use` does, to a path of any length.

    Raises OSError where that fails.
    """
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
        try:
            # The kernel takes 108 bytes at most.
            use(made, f"/proc/self/fd/{folder}/{os.path.basename(path)}")
        finally:
            os.close(folder)
    except OSError:
        made.close()
        raise
    return made


def identity(python: str) -> list[str | int]:
    """What a client and its server must have in common: the virtual environment and this protocol."""
    here = os.path.dirname(os.path.abspath(__file__))
    return [
        # bin/python of a virtual environment is a link to the base interpreter, so its folder is resolved.
        os.path.realpath(os.path.dirname(os.path.dirname(python))),
        *(os.stat(os.path.join(here, name)).st_mtime_ns for name in ("client.py", "server.py")),
    ]


def ask(path: str, python: str, arguments: Sequence[str]) -> socket.socket | None:
    """Have the server at `path` run a command as the interpreter `python` would; None where it doesn't.

    The command gets this process's environment, folder and streams. Without arguments the server forks
    nothing, and only tells that it would.
    """
    command = {
        "identity": identity(python),
        "arguments": list(arguments),
        "environment": dict(os.environ),
        "folder": os.getcwd(),
    }
    message = json.dumps(command).encode()
    try:
        server = opened(path, socket.socket.connect)
        server.settimeout(_ANSWER_TIMEOUT_SECONDS)
        socket.send_fds(server, [LENGTH.pack(len(message))], [0, 1, 2])
        server.sendall(message)
        if server.recv(1) == ACCEPTED:
            return server
    except OSError:
        return None
    server.close()
    return None


def _follow(server: socket.socket, parent: int) -> int:
    """Pass signals on to the fork until it has ended, and end as it did."""

    def forward(number: int, _frame: FrameType | None = None) -> None:
        try:
            server.send(bytes([number]))
        except OSError:
            # It has just ended, which is what a sender waits for.
            return

    for number in _FORWARDED:
        signal.signal(number, forward)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
    while not select.select([server], [], [], _PARENT_POLL_SECONDS)[0]:
        if os.getppid() != parent:
            forward(signal.SIGTERM)
    try:
        answer = server.recv(STATUS.size)
    except OSError:
        answer = b""
    if len(answer) < STATUS.size:
        sys.stderr.write("the process that Python processes are forked from has ended\n")
        return 1
    status = int(STATUS.unpack(answer)[0])
    if status < 0:
        for number in _FORWARDED:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
