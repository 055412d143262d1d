"""The emulator's own process: what it refuses at start, what its health says, how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path

from local.emulator import process
from local.paths import ROOT
from tests.waiting import eventually


def run(python: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.defpath, "PYTHONPATH": str(ROOT)} | variables
    return subprocess.run(
        [str(python), *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def serve(python: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return run(python, "-m", "local.emulator.server", **variables)


def test_another_version_of_ministack_is_refused(python: Path, tmp_path: Path) -> None:
    information = tmp_path / "ministack-9.9.9.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: ministack\nVersion: 9.9.9\n")
    done = serve(python, PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert done.returncode == 2
    assert "ministack 9.9.9 is installed" in done.stderr
    assert "install that version" in done.stderr


def test_a_port_that_is_none_is_refused(python: Path) -> None:
    for port in ("http", "0", "65536"):
        done = serve(python, GATEWAY_PORT=port)
        assert done.returncode == 2
        assert f"GATEWAY_PORT is {port!r}; it must be a port number from 1 to 65535" in done.stderr


def test_a_taken_port_is_refused(python: Path, emulator: process.RunningEmulator) -> None:
    done = serve(python, GATEWAY_PORT=str(emulator.port))
    assert done.returncode == 1
    assert "choose another GATEWAY_PORT" in done.stderr


def test_the_health_names_the_process_and_its_generation(emulator: process.RunningEmulator) -> None:
    with urllib.request.urlopen(f"{emulator.url}/_ministack/health", timeout=10) as response:
        health = json.loads(response.read())
    assert health["status"] == "ready"
    assert health["generation"] == emulator.generation
    assert health["pid"] == emulator.pid
    assert {"ecs", "application-autoscaling", "elasticloadbalancing"} <= set(health["services"])


def test_the_head_of_an_answer_and_its_body_are_one_write(emulator: process.RunningEmulator) -> None:
    body = "Action=ListTopics&Version=2010-03-31"
    request = (
        "POST / HTTP/1.1\r\nHost: sns\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )
    with socket.create_connection(("127.0.0.1", emulator.port), timeout=10) as connection:
        for _ in range(50):
            connection.sendall(request.encode())
            # Of two writes this would be the first, as soon as it is there.
            answer = connection.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert answer.endswith(b"</ListTopicsResponse>")


def test_sigterm_ends_it_cleanly(python: Path, tmp_path: Path) -> None:
    running = process.start(python, None, tmp_path / "log", tmp_path)
    os.kill(running.pid, signal.SIGTERM)
    eventually(lambda: process.process_start(running.pid) is None)
    log = (tmp_path / "log").read_text()
    assert "shutting down" in log
    assert "Traceback" not in log
    assert process.find(tmp_path) is None


SHOWN_WHILE_COMPLETED = """
import sys, threading
from ministack.services import ecs
from local.emulator.completions import install
install()
sys.setswitchinterval(1e-6)
record = {f"key{number}": {"inner": [number]} for number in range(200)}
over = threading.Event()
def complete():
    while not over.is_set():
        record["attachments"] = []
        over.is_set()
        del record["attachments"]
threading.Thread(target=complete, daemon=True).start()
for _ in range(300):
    assert len(ecs._sanitize(record)) >= 200
over.set()
"""


def test_a_task_is_shown_although_another_thread_completes_it(python: Path) -> None:
    done = run(python, "-c", SHOWN_WHILE_COMPLETED)
    assert done.returncode == 0, done.stderr
