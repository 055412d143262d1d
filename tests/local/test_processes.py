"""Nothing that a command starts outlives it unnoticed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import processes, progress
from local.paths import ROOT
from tests.local import fakes
from tests.waiting import eventually

MARK = "FILEFLOW_TEST_MARK"


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[str]:
    yield str(tmp_path)
    processes.stop_marked(MARK, str(tmp_path), 0)


def sleeper(mark: str, ignore: str = "") -> subprocess.Popen[bytes]:
    script = f"trap '' {ignore}; while :; do sleep 0.1; done" if ignore else "exec sleep 600"
    return subprocess.Popen(["sh", "-c", script], env={**os.environ, MARK: mark})


def test_marked_processes_are_found_and_stopped(mark: str) -> None:
    ours = [sleeper(mark), sleeper(mark)]
    other = sleeper(mark + "-other")
    try:
        eventually(lambda: set(processes.marked(MARK, mark)) == {process.pid for process in ours})
        processes.stop_marked(MARK, mark, 5)
        assert processes.marked(MARK, mark) == []
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
        for process in ours:
            process.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="an environment is read from /proc on Linux only")
def test_a_program_that_doesnt_show_its_environment_yet_is_found(
    mark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = sleeper(mark)
    eventually(lambda: processes.marked(MARK, mark) == [program.pid])
    # As the kernel shows a program in the middle of its start: there is one, and no environment.
    shown = tmp_path / "proc" / str(program.pid)
    shown.mkdir(parents=True)
    (shown.parent / "self").mkdir()
    (shown / "exe").symlink_to("/bin/sh")
    (shown / "stat").write_text(f"{program.pid} (sh) S 1")
    environment = shown / "environ"
    environment.touch()
    monkeypatch.setattr(processes, "_PROC", shown.parent)
    threading.Timer(0.05, environment.write_text, [f"{MARK}={mark}\0"]).start()

    assert processes.marked(MARK, mark) == [program.pid]


def test_a_process_that_doesnt_listen_is_killed(mark: str) -> None:
    stubborn = sleeper(mark, ignore="TERM INT")
    eventually(lambda: stubborn.pid in processes.marked(MARK, mark))
    time.sleep(0.1)
    processes.stop_marked(MARK, mark, 0.2)
    assert stubborn.wait(10) == -signal.SIGKILL


def test_a_process_doesnt_find_itself_or_those_it_descends_from(mark: str) -> None:
    code = f"from local import processes; print(processes.marked({MARK!r}, {mark!r}))"
    answer = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -c "{code}"; true'],
        env={**os.environ, MARK: mark},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "[]"


def test_a_process_that_waits_to_be_reaped_is_not_alive() -> None:
    child = subprocess.Popen(["true"])
    eventually(lambda: not processes.alive(child.pid))
    child.wait()
    assert processes.alive(os.getpid())


def test_a_long_command_writes_its_log_and_gives_its_exit_code(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "log"
    with progress.step("Working") as step:
        code = processes.run_logged(["sh", "-c", "echo out; echo err >&2; exit 7"], log, step, env=os.environ)
    assert code == 7
    assert log.read_text() == "out\nerr\n"
    assert processes.last_line(log) == "err"


@pytest.mark.parametrize(
    ("number", "told"),
    [
        pytest.param(
            signal.SIGKILL,
            "",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends it with its parent"),
        ),
        (signal.SIGTERM, "SIGTERM\n"),
    ],
)
def test_a_long_command_ends_with_the_process_that_runs_it(
    tmp_path: Path, mark: str, number: int, told: str
) -> None:
    code = (
        "import os, pathlib\n"
        "from local import processes, progress\n"
        "processes.interrupt_on_signals()\n"
        "try:\n"
        "    with progress.step('x') as step:\n"
        f"        processes.run_logged(['sleep', '600'], pathlib.Path({str(tmp_path / 'log')!r}), step,"
        f" env={{**os.environ, {MARK!r}: {mark!r}}})\n"
        "except processes.Interrupted as interruption:\n"
        "    print(interruption)\n"
    )
    runner = fakes.python(code, ROOT)
    eventually(lambda: len(processes.marked(MARK, mark)) == 1)
    runner.send_signal(number)
    output, _ = runner.communicate(timeout=30)
    assert output == told
    # The kernel takes its time to end what was killed.
    eventually(lambda: processes.marked(MARK, mark) == [])
