"""One at a time, and a dead holder holds nothing."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from local.locks import exclusive
from local.paths import ROOT
from tests.local import fakes
from tests.waiting import eventually


def holder(lock: Path) -> subprocess.Popen[str]:
    """Start a process that holds the lock until it is killed, and wait until it does."""
    code = (
        "import pathlib, time\n"
        "from local.locks import exclusive\n"
        f"with exclusive(pathlib.Path({str(lock)!r}), 'the test'):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(600)\n"
    )
    process = fakes.python(code, ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_one_waits_and_says_for_whom(tmp_path: Path, said: Callable[[], str]) -> None:
    lock = tmp_path / "folder" / "lock"
    first = holder(lock)
    taken = threading.Event()

    def take() -> None:
        with exclusive(lock, "the second"):
            taken.set()

    second = threading.Thread(target=take)
    second.start()
    eventually(said, lambda text: "Waiting for the test" in text)
    assert not taken.is_set()
    first.kill()
    first.wait()
    second.join(30)
    assert taken.is_set()
    assert f"process {first.pid}" in said()


def test_the_lock_is_free_after_an_error(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    for _ in range(2):
        try:
            with exclusive(lock, "a failing one"):
                raise ValueError
        except ValueError:
            continue
