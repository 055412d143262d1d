"""The guard's own checks and tests in Go, and what its size and memory are bound to.

The simulation's seeds are printed with its numbers: `pytest -s` shows them, and a failure names its own.
"""

from __future__ import annotations

import http.server
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.engine import build
from local.paths import ROOT, Paths
from tests.waiting import eventually

GUARD = ROOT / "guard"
MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="session")
def go() -> Path:
    return build.ensure_go(Paths.of(os.environ).cache, os.environ)


@pytest.fixture(scope="session")
def program(go: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("guard") / "guard"
    _run(go, "build", "-trimpath", "-ldflags", "-s -w", "-o", str(output), ".")
    return output


def _run(go: Path, *arguments: str) -> str:
    done = subprocess.run(
        [go, *arguments],
        cwd=GUARD,
        env=build.go_environment(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


def _simulated(output: str) -> None:
    lines = [line for line in output.splitlines() if line.startswith("simulation: ")]
    assert lines
    print("\n".join(lines))


def test_the_sources_are_formatted_and_vetted(go: Path) -> None:
    gofmt = subprocess.run(
        [go.with_name("gofmt"), "-l", GUARD], capture_output=True, text=True, check=True
    ).stdout

    assert gofmt == ""
    _run(go, "vet", "./...")


def test_the_guard_does_what_it_says_and_no_history_has_two_children(go: Path) -> None:
    _simulated(_run(go, "test", "-count=1", "-v", "./..."))


@pytest.mark.nightly
def test_no_history_of_a_million_has_two_children_nor_any_of_three_faults(go: Path) -> None:
    _simulated(
        _run(go, "test", "-count=1", "-v", "-timeout=30m", "./protocol", "-histories=1000000", "-deep")
    )


@pytest.mark.nightly
def test_no_answer_of_dynamodb_confuses_the_guard(go: Path) -> None:
    _run(go, "test", "-run=^$", "-fuzz=FuzzAnswers", "-fuzztime=60s", "./table")


def test_the_guard_is_at_most_a_thousand_lines() -> None:
    """As `wc -l` counts, comments and blank lines too."""
    sources = [file for file in GUARD.rglob("*.go") if not file.name.endswith("_test.go")]
    assert sum(file.read_text().count("\n") for file in sources) <= 1000


def test_the_program_is_static_and_at_most_12_mebibytes(program: Path) -> None:
    content = program.read_bytes()

    assert content[:4] == b"\x7fELF"
    assert b"/ld-linux" not in content
    assert str(ROOT).encode() not in content
    assert len(content) <= 12 * MEBIBYTE


class _Granting(http.server.BaseHTTPRequestHandler):
    """Grants every lease: what is read is free, what is written is taken."""

    protocol_version = "HTTP/1.1"
    calls = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).calls += 1
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        """Not a word: the output is the test's."""


@pytest.fixture
def granting() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Granting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_guard_that_renews_takes_at_most_15_mebibytes(program: Path, granting: str) -> None:
    environment = {
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_ENDPOINT_URL_DYNAMODB": granting,
        "PATH": os.environ["PATH"],
    }
    guard = subprocess.Popen(
        [program, "run", "--table=t", "--key=k", "--lease=6s", "--socket=@test/memory", "--", "sleep", "600"],
        env=environment,
    )
    try:
        eventually(lambda: _Granting.calls, lambda calls: calls >= 12)
        status = Path(f"/proc/{guard.pid}/status").read_text()
    finally:
        guard.kill()
        guard.wait()

    resident = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert resident is not None
    print(f"guard: {int(resident[1]) / 1024:.1f} MiB resident")
    assert int(resident[1]) <= 15 * 1024
