"""The emulator as a process: one per state directory, however its starter ended."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.emulator import process
from local.errors import LocalError
from local.paths import ROOT
from tests.waiting import eventually


@pytest.fixture
def state_dir(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "emulator"
    yield directory
    process.stop(directory)


def start(python: Path, state_dir: Path, port: int | None = None) -> process.RunningEmulator:
    return process.start(python, port, state_dir / "emulator.log", state_dir)


def test_a_second_start_returns_the_running_emulator_and_refuses_another_port(
    python: Path, state_dir: Path
) -> None:
    first = start(python, state_dir)
    assert process.is_healthy(first)
    assert start(python, state_dir) == process.find(state_dir) == first
    with pytest.raises(LocalError, match=f"runs on port {first.port}, not on {first.port - 1}"):
        start(python, state_dir, first.port - 1)


def test_starts_side_by_side_make_one_emulator(python: Path, state_dir: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from local.emulator import process; d = Path(sys.argv[2]);"
        "print(process.start(Path(sys.argv[1]), None, d / 'emulator.log', d).pid)"
    )
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(python), str(state_dir)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    pids = {starter.communicate(timeout=60)[0].strip() for starter in starters}
    running = process.find(state_dir)
    assert running is not None
    assert pids == {str(running.pid)}


def test_stop_ends_the_process_and_frees_the_port_which_the_next_one_takes_in_another_generation(
    python: Path, state_dir: Path
) -> None:
    running = start(python, state_dir)
    assert process.stop(state_dir) is True
    assert process.process_start(running.pid) is None
    assert process.find(state_dir) is None
    assert not process.is_healthy(running)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((process.HOST, running.port))
    assert process.stop(state_dir) is False
    second = start(python, state_dir)
    assert second.port == running.port
    assert second.generation != running.generation
    assert not process.is_healthy(running)


def test_an_emulator_that_was_killed_is_replaced(python: Path, state_dir: Path) -> None:
    first = start(python, state_dir)
    os.kill(first.pid, signal.SIGKILL)
    eventually(lambda: process.find(state_dir) is None)
    second = start(python, state_dir)
    assert process.is_healthy(second)
    assert second.pid != first.pid


def test_an_emulator_that_hangs_is_replaced(python: Path, state_dir: Path) -> None:
    first = start(python, state_dir)
    os.kill(first.pid, signal.SIGSTOP)
    second = process.start(python, None, state_dir / "emulator.log", state_dir, timeout_seconds=3)
    assert process.is_healthy(second)
    assert process.process_start(first.pid) is None


@pytest.mark.parametrize("after_seconds", [0.0, 0.02, 0.05, 0.1, 0.2, 0.4])
def test_a_start_that_is_killed_leaves_nothing_that_a_second_start_trips_over(
    python: Path, state_dir: Path, after_seconds: float
) -> None:
    program = (
        "import sys; from pathlib import Path; from local.emulator import process; d = Path(sys.argv[2]);"
        "print('go', flush=True); process.start(Path(sys.argv[1]), None, d / 'emulator.log', d);"
        "import time; time.sleep(60)"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", program, str(python), str(state_dir)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert starter.stdout is not None
    starter.stdout.readline()
    time.sleep(after_seconds)  # the moment of the kill is what this test varies
    starter.kill()
    starter.communicate()
    running = start(python, state_dir)
    assert process.is_healthy(running)
    assert process.stop(state_dir) is True
    assert process.stop(state_dir) is False


def test_a_taken_port_is_one_error_that_names_the_port_and_the_fix(python: Path, state_dir: Path) -> None:
    with socket.socket() as listener:
        listener.bind((process.HOST, 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(LocalError) as raised:
            start(python, state_dir, port)
    assert str(port) in raised.value.problem
    assert "choose another port" in raised.value.fix
    assert process.find(state_dir) is None


def test_a_pid_that_now_belongs_to_another_process_is_left_alone(python: Path, state_dir: Path) -> None:
    running = start(python, state_dir)
    process.stop(state_dir)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        record_path = state_dir / "emulator.json"
        record = json.loads(record_path.read_text())
        record_path.write_text(json.dumps(record | {"pid": bystander.pid}))
        assert process.find(state_dir) is None
        assert process.stop(state_dir) is False
        assert bystander.poll() is None
        bystander.communicate(b"\n")
    assert running.pid != bystander.pid


def test_a_python_without_ministack_is_an_error_with_the_last_log_lines(
    state_dir: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "python"
    bare.write_text(f"#!/bin/sh\nexec {sys.executable} -I -S -c \"raise SystemExit('no ministack here')\"\n")
    bare.chmod(0o755)
    with pytest.raises(LocalError) as raised:
        start(bare, state_dir)
    assert "no ministack here" in raised.value.problem
    assert "emulator.log" in raised.value.fix
    assert process.stop(state_dir) is False


def test_a_missing_python_is_an_error_that_names_it(state_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="nowhere"):
        start(tmp_path / "nowhere", state_dir)
    assert process.stop(state_dir) is False


def test_a_directory_that_cannot_be_made_is_an_error_that_names_it(python: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalError, match="file/emulator"):
        start(python, tmp_path / "file" / "emulator")


def test_the_users_aws_settings_do_not_reach_the_emulator(
    python: Path, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "the-users-own")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-users-own")
    running = start(python, state_dir)
    environment = Path(f"/proc/{running.pid}/environ").read_bytes()
    assert b"the-users-own" not in environment
