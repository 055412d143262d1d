"""One maker at a time, across processes, without a lock that anyone would have to clear by hand.

The kernel gives a lock back when its holder ends, however it ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from local import progress
from local.processes import last_line

POLL_SECONDS = 0.2


@contextlib.contextmanager
def exclusive(path: Path, doing: str, log: Path | None = None) -> Iterator[None]:
    """Hold the lock at `path` while the block runs.

    `doing` names what the holder does; it is shown to whoever waits for the lock, with the last line of the
    holder's `log`. The wait has no limit: a dead holder holds nothing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _taken(descriptor):
            holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip() or "another process"
            with progress.step(f"Waiting for {holder}") as step:
                while not _taken(descriptor):
                    step.tick(last_line(log) if log and log.exists() else "")
                    time.sleep(POLL_SECONDS)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{doing} (process {os.getpid()})".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
