"""`python -I server.py LISTENER`: imports the libraries, then forks for each client of the listening socket.

Owns the server's half of the protocol, and what a fork changes about itself to become the command: folder,
environment, streams, signals, `sys.argv`, `sys.path`. Deliberately imports nothing of the checkout but that
protocol, and has one thread, as a process must that forks.

A client sends its streams and a command. It is told that it is accepted, and later how the fork has ended; or
it is refused, where it belongs to another virtual environment or speaks another version of the protocol, or
where packages were installed since.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import io
import os
import runpy
import selectors
import signal
import socket
import sys
import sysconfig
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

_CHECKOUT: Final = str(Path(__file__).parents[2])
sys.path.append(_CHECKOUT)
from local.fork_server.client import ACCEPTED, NUMBER_BYTES, identity  # noqa: E402 found by the line above

sys.path.remove(_CHECKOUT)

LIBRARIES: Final = (
    "asyncio",
    "botocore.client",
    "botocore.httpsession",
    "botocore.session",
    "docker.utils.build",
    "email.message",
    "google.protobuf.json_format",
    "grpc._channel",
    "grpc._server",
    "grpc.aio",
    "pulumi.dynamic",
    "pulumi.provider.server",
    "pulumi_docker",
    "pulumi_policy",
    "pydantic.dataclasses",
    "pydantic.fields",
    "pydantic.main",
    "yaml",
)
"""What the program, the pack and the stand-ins import and what takes long."""

LAZY_LIBRARIES: Final = (
    *(
        f"pulumi_aws.{package}"
        for package in ("appautoscaling", "cloudwatch", "ec2", "ecr", "ecs", "iam", "lb", "s3", "sns", "vpc")
    ),
    *(f"pulumi_awsx.{package}" for package in ("ec2", "ecr", "lb")),
)
"""Those that are loaded when they are first asked for something."""

_REQUEST_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True)
class Command:
    """What a fork has to become, and whom it serves."""

    folder: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    streams: Sequence[int]
    client: socket.socket


class Server:
    """Takes clients, and tells each how its fork has ended."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._clients: dict[int, socket.socket] = {}
        self._child_ended, self._wakeup = socket.socketpair()
        for end in (self._child_ended, self._wakeup):
            end.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._selector.register(self._child_ended, selectors.EVENT_READ)
        self._identity = identity(sys.executable)
        self._packages = Path(sysconfig.get_path("purelib"))
        self._installed = self._packages.stat().st_mtime_ns

    def serve(self) -> Command:
        """Serve for ever; return in each fork, with its command."""
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(self._wakeup.fileno())
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._child_ended:
                    self._child_ended.recv(4096)
                    self._reap()
                elif (command := self._take()) is not None:
                    self._let_go()
                    return command

    def _take(self) -> Command | None:
        """Fork for a client; return its command in the fork, nothing in the server."""
        client, _ = self._listener.accept()
        client.settimeout(_REQUEST_TIMEOUT_SECONDS)
        streams: list[int] = []
        try:
            head, streams, _, _ = socket.recv_fds(client, NUMBER_BYTES, 3)
            fields = os.fsdecode(_receive(client, int.from_bytes(head, "big"))).split("\0")
            theirs, (folder, count), rest = fields[:3], fields[3:5], fields[5:]
            arguments = rest[: int(count)]
            environment = dict(entry.split("=", 1) for entry in rest[int(count) :])
            unchanged = self._packages.stat().st_mtime_ns == self._installed
            accepted = unchanged and theirs == self._identity
            if accepted:
                client.sendall(ACCEPTED)
            if not accepted or not arguments:
                client.close()
            elif pid := os.fork():
                self._clients[pid] = client
            else:
                return Command(folder, arguments, environment, streams, client)
        except (OSError, ValueError):
            # A client that ended in the middle, or never was one.
            client.close()
        for stream in streams:
            os.close(stream)
        return None

    def _reap(self) -> None:
        while self._clients:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            client = self._clients.pop(pid)
            with client:
                try:
                    code = os.waitstatus_to_exitcode(status)
                    client.sendall(code.to_bytes(NUMBER_BYTES, "big", signed=True))
                except OSError:
                    # It ended first, and its fork for that reason.
                    continue

    def _let_go(self) -> None:
        """In a fork: have nothing more to do with the server."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        for file in (self._listener, self._child_ended, self._wakeup, *self._clients.values()):
            file.close()


def _receive(client: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length:
        piece = client.recv(length - len(received))
        if not piece:
            raise ConnectionError("the client ended before it had said what to do")
        received += piece
    return received


def become(command: Command) -> None:
    """Take on the folder, the environment and the streams of a client, and end with it."""
    command.client.settimeout(None)
    threading.Thread(target=_obey, args=(command.client,), name="client", daemon=True).start()
    os.setpgid(0, 0)
    os.chdir(command.folder)
    os.environ.clear()
    os.environ.update(command.environment)
    time.tzset()
    sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in os.environ
    for number, stream in enumerate(command.streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), encoding="utf-8")
    sys.stdout = _unbuffered(1, "strict")
    sys.stderr = _unbuffered(2, "backslashreplace")


def _unbuffered(number: int, errors: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.FileIO(number, "w", closefd=False), encoding="utf-8", errors=errors, write_through=True
    )


def _obey(client: socket.socket) -> None:
    """Send this process the signals that its client is sent; kill it when the client is gone."""
    main_thread = threading.main_thread().ident
    assert main_thread is not None
    try:
        while number := client.recv(1):
            # Another thread may take a signal for the process, and the main one then sleeps on.
            signal.pthread_kill(main_thread, number[0])
    finally:
        # Reading fails where the client ended before it had read that it was accepted.
        os.kill(os.getpid(), signal.SIGKILL)


def run(arguments: Sequence[str]) -> None:
    """Run `-m MODULE ARGUMENTS...` or `FILE ARGUMENTS...` as Python would."""
    module = arguments[0] == "-m"
    sys.argv = list(arguments[1:] if module else arguments)
    first = Path.cwd() if module else Path(arguments[0]).absolute()
    if first.is_file():
        first = first.parent
    sys.path[:0] = [str(first), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    if module:
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(arguments[0], run_name="__main__")


def import_libraries() -> None:
    """Import what forks will need, and leave it out of their search for garbage."""
    for name in LIBRARIES:
        importlib.import_module(name)
    for name in LAZY_LIBRARIES:
        hasattr(importlib.import_module(name), "anything")
    gc.collect()
    gc.freeze()


def end(code: object) -> NoReturn:
    """End a fork as `sys.exit(code)` would, but leave the libraries alone: to take them apart takes long."""
    if isinstance(code, str):
        sys.stderr.write(f"{code}\n")
    threading._shutdown()  # type: ignore[attr-defined] # what ends a fork of multiprocessing, too
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def main(listener: int) -> None:
    """Serve; in a fork, run the command to its end."""
    import_libraries()
    command = Server(socket.socket(fileno=listener)).serve()
    become(command)
    try:
        run(command.arguments)
    except SystemExit as exit:
        end(exit.code)
    end(None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
