"""Background programs of a folder: started with a mark, found by it, stopped with all that they started.

Owns processes and their logs. Deliberately doesn't know what the programs are. A mark in the environment
is found again whoever was killed at whatever moment, and no pid in a file can be another process's by now.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from local import processes
from local.errors import LocalError
from local.progress import Step

MARK = "FILEFLOW_CONTAINERS"
"""Its value is the folder that a program belongs to; what the program starts inherits it."""

_POLL_SECONDS = 0.1
_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where daemons are, and where a user's PATH often doesn't look."""

Cause: TypeAlias = tuple[str, str, str]
"""A pattern of a log, its meaning, and what to do about it."""

_FULL_BYTES = 16 * 1024 * 1024
"""With less than that a Docker engine doesn't come up."""

OTHER_FOLDER = "choose another folder by FILEFLOW_DOCKER_DIR."
_FULL_DISK = ("no space left on device", "the disk is full", f"make room in {{folder}}, or {OTHER_FOLDER}")

_KEPT_VARIABLES = ("HOME", "LANG", "TMPDIR")
_PROXY_SUFFIX = "_PROXY"


def search_path(environment: Mapping[str, str]) -> str:
    """Return the user's PATH with the system's folders behind it."""
    return os.pathsep.join((environment.get("PATH", os.defpath), *_SYSTEM_FOLDERS))


def which(name: str, environment: Mapping[str, str]) -> Path | None:
    """Find a program on the user's PATH or in the system's folders."""
    found = shutil.which(name, path=search_path(environment))
    return Path(found) if found else None


def find(folder: Path, program: str) -> int | None:
    """Return the process of a program of the folder; None where it doesn't run."""
    for pid in processes.marked(MARK, str(folder)):
        if processes.program_of(pid) == program:
            return pid
    return None


def start(
    command: Sequence[str | Path],
    folder: Path,
    log: Path,
    environment: Mapping[str, str],
) -> subprocess.Popen[bytes]:
    """Start a program in the background, its output in a log; the log of the run before is kept as `NAME.1`.

    It gets no variable of the caller's but PATH, home and proxies: a user's AWS or registry settings are not
    for it. Raises OSError when it can't be executed or the log can't be written.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if name in _KEPT_VARIABLES or name.upper().endswith(_PROXY_SUFFIX)
    }
    if log.exists():
        log.replace(log.with_name(f"{log.name}.1"))
    with log.open("wb") as output:
        return subprocess.Popen(
            [str(part) for part in command],
            env={**kept, "PATH": search_path(environment), MARK: str(folder)},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def launch(
    name: str,
    command: Sequence[str | Path],
    folder: Path,
    environment: Mapping[str, str],
    step: Step,
    *,
    ready: Callable[[], bool],
    timeout_seconds: float,
    causes: Sequence[Cause] = (),
) -> None:
    """Start a program with its log in the folder, and wait until it answers.

    Raises LocalError when it ends or isn't ready in time, and then nothing of it runs any more.
    """
    log = folder / f"{Path(command[0]).name}.log"
    process = start(command, folder, log, environment)
    deadline = time.monotonic() + timeout_seconds
    try:
        # Another's program may answer in the place of one that couldn't take its port.
        while not (ready() and process.poll() is None):
            code = process.poll()
            if code is not None:
                what = f"{name} ended with exit code {code} while it started"
                raise _explain(what, folder, log, causes)
            if time.monotonic() > deadline:
                raise _explain(f"{name} doesn't answer after {timeout_seconds:.0f} s", folder, log, causes)
            step.tick()
            time.sleep(_POLL_SECONDS)
    except BaseException:
        processes.stop([process.pid], 5)
        process.wait()
        raise


def stop(folder: Path, program: str, timeout_seconds: float) -> None:
    """Ask a program of the folder to end, and kill it after the time given."""
    if pid := find(folder, program):
        processes.stop([pid], timeout_seconds)


def stop_rest(folder: Path) -> int:
    """Kill what programs of the folder left behind, for instance containers of an engine that was killed.

    Returns how many processes that were.
    """
    rest = _with_descendants(processes.marked(MARK, str(folder)))
    processes.stop(rest, 0, signal.SIGKILL)
    return len(rest)


def _explain(what: str, folder: Path, log: Path, causes: Sequence[Cause]) -> LocalError:
    """Return the error for a program that doesn't come up, with the cause that its log shows."""
    text = log.read_text(errors="replace")[-20_000:]
    if shutil.disk_usage(folder).free < _FULL_BYTES:
        # The log on a full disk doesn't have the line that says so.
        text += "no space left on device"
    for pattern, cause, fix in (_FULL_DISK, *causes):
        if re.search(pattern, text):
            return LocalError(f"{what}: {cause}; its log is {log}.", fix.format(folder=folder))
    last = "\n".join(f"  {line[:300]}" for line in text.splitlines()[-12:])
    return LocalError(f"{what}; the last lines of its log:\n{last}", f"read {log}.")


def _with_descendants(pids: Iterable[int]) -> list[int]:
    """Add the processes that these started; a container has another environment and is found only so."""
    children: dict[int, list[int]] = {}
    for pid in processes.running():
        children.setdefault(processes.parent_of(pid), []).append(pid)
    found: list[int] = []
    waiting = list(pids)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.append(pid)
            waiting += children.get(pid, [])
    return found
