"""Processes that end when they should, whatever ends first.

Owns: starting children that don't outlive this process, finding and stopping those that did, running a long
command into a log with progress. A process of the local stack carries a mark in its environment, because a
pid in a file may be lost or reused. Deliberately doesn't know what the commands are, nor own the emulated
AWS's process, which outlives the command that starts it (`local.emulator.process`).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from local.errors import LocalError
from local.progress import Step

RUN_MARK = "FILEFLOW_RUN"
"""Set in every process that one command starts and that must end with it."""

POLL_SECONDS = 0.1
_START_SECONDS = 0.5
_KILL_SECONDS = 30.0
_PR_SET_PDEATHSIG = 1
_PROC = Path("/proc")
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Interrupted(KeyboardInterrupt):
    """The user or the system asked this command to stop."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def interrupt_on_signals() -> None:
    """Turn SIGINT, SIGTERM and SIGHUP into one Interrupted; later ones are left to force the end."""

    def handle(number: int, _frame: object) -> None:
        raise Interrupted(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handle)


def end_with_parent(number: int) -> None:
    """Have the kernel send this process a signal when the thread that started it ends (Linux only)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)


def ending_with_parent(number: int) -> Callable[[], None]:
    """Return what a child runs before it executes its command, to end with this process."""
    parent = os.getpid()

    def prepare() -> None:
        end_with_parent(number)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return prepare


def alive(pid: int) -> bool:
    """Say whether a process runs; one that waits to be reaped doesn't."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    state = _stat(pid)[:1]
    return state[0] not in "ZX" if state else not _PROC.joinpath("self").exists()


def running() -> list[int]:
    """Return all processes of this machine; none where the system doesn't tell."""
    return [int(entry.name) for entry in _PROC.glob("[0-9]*")]


def parent_of(pid: int) -> int:
    """Return the process that another one descends from; 0 where there is none or it has ended."""
    return int((_stat(pid)[1:2] or ["0"])[0])


def program_of(pid: int) -> str | None:
    """Return the name of the program that a process runs, empty once it ended; None where none is told."""
    try:
        command = _PROC.joinpath(str(pid), "cmdline").read_bytes().split(b"\0")[0]
    except OSError:
        return "" if _PROC.joinpath("self").exists() else None
    return Path(command.decode(errors="replace")).name


def marked(name: str, value: str) -> list[int]:
    """Find the running processes with a mark in their environment, except this one and its ancestors."""
    entry = f"{name}={value}"
    own = set(_ancestors(os.getpid()))
    if _PROC.joinpath("self").exists():
        found = [pid for pid in running() if pid not in own and entry.encode() in _environment(pid)]
    else:
        listing = subprocess.run(
            ["ps", "axeww", "-o", "pid=,command="], capture_output=True, text=True, check=False
        ).stdout
        found = [
            int(line.split()[0])
            for line in listing.splitlines()
            if entry in line.split() and int(line.split()[0]) not in own
        ]
    return [pid for pid in found if alive(pid)]


def stop(pids: Iterable[int], grace_seconds: float, first: int = signal.SIGTERM) -> None:
    """End processes: ask with the signal `first`, wait, then kill.

    Raises LocalError when one hangs in the kernel.
    """
    remaining = [pid for pid in pids if alive(pid)]
    _signal(remaining, first)
    deadline = time.monotonic() + grace_seconds
    while remaining and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS / 2)
        remaining = [pid for pid in remaining if alive(pid)]
    _signal(remaining, signal.SIGKILL)
    deadline = time.monotonic() + _KILL_SECONDS
    while remaining := [pid for pid in remaining if alive(pid)]:
        if time.monotonic() > deadline:
            raise LocalError(
                f"processes {', '.join(map(str, remaining))} don't end, not even by SIGKILL.",
                "they hang in the kernel; look at them by `ps`, and restart the machine if need be.",
            )
        time.sleep(POLL_SECONDS / 2)


def stop_marked(name: str, value: str, grace_seconds: float) -> None:
    """End every process with a mark, and those that they start meanwhile."""
    while found := marked(name, value):
        stop(found, grace_seconds)


def start_beside(command: Sequence[str | Path], folder: Path) -> None:
    """Start a silent process that nobody waits for; it is asked to stop when this one ends."""
    subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        preexec_fn=ending_with_parent(signal.SIGTERM),  # noqa: PLW1509 this process has no threads
    )


def run_logged(
    command: Sequence[str | Path],
    log: Path,
    step: Step,
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
) -> int:
    """Run a long command with its output in a log, ticking the step with the log's last line.

    Returns its exit code. The command is killed when this process ends or is interrupted.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env),
            cwd=cwd,
            process_group=0,
            preexec_fn=ending_with_parent(signal.SIGKILL),  # noqa: PLW1509 this process has no threads
        )
    try:
        while (code := process.poll()) is None:
            step.tick(last_line(log))
            time.sleep(POLL_SECONDS)
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return code


def last_line(log: Path, width: int = 100) -> str:
    """Return the last line of a log that isn't blank, cut to a width in characters."""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - 2000))
        return short(stream.read().decode(errors="replace"), width)


def short(text: str, width: int = 100) -> str:
    """Return the last line of a text that isn't blank, cut to a width in characters."""
    return next((line.strip()[:width] for line in reversed(text.split("\n")) if line.strip()), "")


def telling_line(log: Path, telling: Iterable[str], but: tuple[str, ...] = ()) -> str:
    """Return the line of a log that says why a command failed: the first with the first of some words.

    Lines that begin with one of `but` don't count. Where no line has any of the words, the last one it is.
    """
    text = log.read_text(errors="replace")
    lines = [line.strip(" │├╰─▶×") for line in text.splitlines() if line.strip() and not line.startswith(but)]
    found = (line for words in telling for line in lines if words in line)
    return next(found, lines[-1] if lines else "it printed nothing")[:300]


def _stat(pid: int) -> list[str]:
    """Return what the kernel says of a process: its state, its parent and so on; nothing once it ended."""
    try:
        # This follows the command's name, which stands in parentheses and may hold spaces.
        return _PROC.joinpath(str(pid), "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _environment(pid: int) -> list[bytes]:
    shown = _PROC.joinpath(str(pid), "environ")
    deadline = time.monotonic() + _START_SECONDS
    try:
        # A program that is being started has none to show for a moment; the kernel's threads are no programs.
        while not (environment := shown.read_bytes()) and shown.with_name("exe").readlink():
            if time.monotonic() > deadline:
                break
            time.sleep(_START_SECONDS / 100)
        return environment.split(b"\0")
    except OSError:
        # Another user's process, or one that has just ended.
        return []


def _ancestors(pid: int) -> Iterable[int]:
    while pid > 1:
        yield pid
        pid = parent_of(pid)


def _signal(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
