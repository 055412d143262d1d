"""A command that a fork runs for a process that lives on: what `client` is without the process in between.

Owns the way back: the fork's end, and the signals to it, in the words of `subprocess.Popen`. The fork ends
with the process that started it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from typing import IO

from local.fork_server import client


class Forked:
    """A running fork; safe to use from several threads."""

    def __init__(self, server: socket.socket, stdout: IO[bytes] | None, stderr: IO[bytes] | None) -> None:
        self.stdout = stdout
        self.stderr = stderr
        self._server = server
        self._code: int | None = None
        self._reading = threading.Lock()

    @classmethod
    def start(
        cls,
        arguments: Sequence[str],
        *,
        python: str,
        cwd: str,
        env: Mapping[str, str],
        stdout: int | None = None,
        stderr: int | None = None,
    ) -> Forked | None:
        """Have a fork run a command, with nothing to read; None where `python` has to run it itself.

        `stdout` and `stderr` are None to share this process's, or `subprocess.PIPE`.
        """
        path = client.server_for(env)
        if path is None:
            return None
        with contextlib.ExitStack() as theirs:
            nothing = theirs.enter_context(open(os.devnull, "rb"))  # noqa: PTH123 needs no path
            streams = [nothing.fileno()]
            ours: list[IO[bytes] | None] = []
            for number, wanted in ((1, stdout), (2, stderr)):
                if wanted is None:
                    streams.append(number)
                    ours.append(None)
                    continue
                reading, writing = os.pipe()
                theirs.callback(os.close, writing)
                streams.append(writing)
                ours.append(open(reading, "rb", buffering=0))  # noqa: PTH123, SIM115 a pipe; the reader closes it
            server = client.ask(path, python, arguments, environment=env, folder=cwd, streams=streams)
        if server is None:
            for stream in filter(None, ours):
                stream.close()
            return None
        server.settimeout(None)
        return cls(server, *ours)

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or None while the fork runs."""
        with self._reading:
            if self._code is None and select.select([self._server], [], [], 0)[0]:
                self._code = client.end_of(self._server)
            return self._code

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code.

        Raises subprocess.TimeoutExpired after `timeout` seconds.
        """
        select.select([self._server], [], [], timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("a fork", timeout or 0)
        return code

    def terminate(self) -> None:
        """Ask the fork to end."""
        client.send_signal(self._server, signal.SIGTERM)

    def kill(self) -> None:
        """End the fork."""
        client.send_signal(self._server, signal.SIGKILL)
