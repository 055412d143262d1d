"""`client.py FILE ARGUMENTS...` or `client.py -m MODULE ARGUMENTS...`: like `python -u`, by a fork.

`FILEFLOW_FORK_SERVER` names the server's socket. Without it, or where the server can't be asked or refuses,
this process becomes `python -u ...` itself, so that nothing depends on a server.

Owns the client's half of the protocol: what a fork has to know about the command, the signals passed on to
it, its exit code. Stands before every command, and is meant to be run with `-I -S`. Deliberately imports C
modules and `os` alone: what `json`, `signal` and `socket` import takes longer than all else here.

A fork lives only as long as its client: it is killed when the client is, and asked to stop when the client's
own parent has ended.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found] # typeshed has `signal` alone
import _socket
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

VARIABLE = "FILEFLOW_FORK_SERVER"
NUMBER_BYTES = 4
"""Of the request's length, and of the exit code."""

ACCEPTED = b"\x01"

_ANSWER_TIMEOUT_SECONDS = 60.0
"""A server that has only just been started imports for some seconds before it answers."""

_PARENT_POLL_SECONDS = 0.5
_HONOURED = {"PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
"""Python's own variables that a fork can still take to heart; the others count when Python starts."""

_FORWARDED = (_signal.SIGTERM, _signal.SIGINT, _signal.SIGHUP)


def main(arguments: Sequence[str]) -> int:
    """Run the command by a fork of the server and return its exit code; without a server, become it."""
    path = os.environ.get(VARIABLE)
    if any(name.startswith("PYTHON") and name not in _HONOURED for name in os.environ):
        path = None
    # It may end while the fork starts already.
    parent = os.getppid()
    # A signal that arrives in that time is passed on as well.
    _signal.pthread_sigmask(_signal.SIG_BLOCK, _FORWARDED)
    server = ask(path, sys.executable, arguments) if path else None
    if server is None:
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, _FORWARDED)
        os.execv(sys.executable, [sys.executable, "-u", *arguments])
    return _follow(server, parent)


def at(path: str, use: Callable[[str], object]) -> None:
    """Bind or connect a socket, whichever `use` does, to a path of any length."""
    folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
    try:
        # The kernel takes 108 bytes at most.
        use(f"/proc/self/fd/{folder}/{os.path.basename(path)}")
    finally:
        os.close(folder)


def identity(python: str) -> list[str]:
    """What a client and its server must have in common: the virtual environment and this protocol."""
    here = os.path.dirname(os.path.abspath(__file__))
    return [
        # bin/python of a virtual environment is a link to the base interpreter, so its folder is resolved.
        os.path.realpath(os.path.dirname(os.path.dirname(python))),
        *(str(os.stat(os.path.join(here, name)).st_mtime_ns) for name in ("client.py", "server.py")),
    ]


def request(python: str, arguments: Sequence[str]) -> bytes:
    """What a server has to know: fields with a NUL between them, which none of them can hold."""
    environment = (f"{name}={value}" for name, value in os.environ.items())
    fields = [*identity(python), os.getcwd(), str(len(arguments)), *arguments, *environment]
    return os.fsencode("\0".join(fields))


def ask(path: str, python: str, arguments: Sequence[str]) -> _socket.socket | None:
    """Have the server at `path` run a command as the interpreter `python` would; None where it doesn't.

    The command gets this process's environment, folder and streams. Without arguments the server forks
    nothing, and only tells that it would.
    """
    message = request(python, arguments)
    streams = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
    server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        at(path, server.connect)
        server.settimeout(_ANSWER_TIMEOUT_SECONDS)
        length = len(message).to_bytes(NUMBER_BYTES, "big")
        server.sendmsg([length], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
        server.sendall(message)
        answer = server.recv(1)
    except OSError:
        # There is no server, or none that answers.
        answer = b""
    if answer == ACCEPTED:
        return server
    server.close()
    return None


def _follow(server: _socket.socket, parent: int) -> int:
    """Pass signals on to the fork until it has ended, and end as it did."""

    def forward(number: int, _frame: FrameType | None = None) -> None:
        try:
            server.send(bytes([number]))
        except OSError:
            # It has just ended, which is what a sender waits for.
            return

    for number in _FORWARDED:
        _signal.signal(number, forward)
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, _FORWARDED)
    server.settimeout(_PARENT_POLL_SECONDS)
    answer = None
    while answer is None:
        try:
            answer = server.recv(NUMBER_BYTES)
        except TimeoutError:
            if os.getppid() != parent:
                forward(_signal.SIGTERM)
        except OSError:
            answer = b""
    if len(answer) < NUMBER_BYTES:
        sys.stderr.write("the process that Python processes are forked from has ended\n")
        return 1
    status = int.from_bytes(answer, "big", signed=True)
    if status < 0:
        for number in _FORWARDED:
            _signal.signal(number, _signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
