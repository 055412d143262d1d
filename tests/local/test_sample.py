"""The stand-in for FileFlow, run as a process: what it answers, logs, and how it ends."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.containers import sample
from local.paths import ROOT, Paths
from tests.waiting import eventually

DEADLINE_SECONDS = 20.0
LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d) {2}INFO \d+ --- \[fileflow-web-api\]"
    r" \[ *\S+] \S+ +: .+"
)


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    root = tmp_path_factory.mktemp("clone")
    shutil.copytree(
        ROOT / "local" / "sample", root / "local" / "sample", ignore=shutil.ignore_patterns("bin")
    )
    return Paths(root=root, local=root / ".local", cache=Paths.of(os.environ).cache)


@pytest.fixture(scope="session")
def program(clone: Paths) -> Path:
    return sample.ensure(clone, os.environ)


class Running:
    """A process of the stand-in."""

    def __init__(self, program: Path, variables: dict[str, str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.environment = {"SERVER_PORT": str(self.port), **variables}
        self.process = subprocess.Popen(
            [program], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def get(
        self, path: str, port: int | None = None, timeout: float = 5.0
    ) -> tuple[int, str, http.client.HTTPResponse]:
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=timeout)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode(), response
        finally:
            connection.close()

    def listening(self) -> Running:
        def refused() -> int:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port))

        eventually(refused, lambda error: error == 0)
        return self

    def until(self, wanted: int, path: str = "/actuator/health") -> str:
        return eventually(lambda: self.get(path), lambda seen: seen[0] == wanted)[1]

    def end(self) -> tuple[int, str]:
        output, _ = self.process.communicate(timeout=DEADLINE_SECONDS)
        return self.process.returncode, output


Run = Callable[..., Running]


@pytest.fixture
def run(program: Path) -> Iterator[Run]:
    started: list[Running] = []

    def start(module: str = ":bootstrap:bootstrap-web-api", **variables: str) -> Running:
        running = Running(program, {"FILEFLOW_MODULE": module, **variables})
        started.append(running)
        return running

    yield start
    for running in started:
        running.process.kill()
        running.process.communicate()


def test_health_is_up_in_the_words_of_spring_boot(run: Run) -> None:
    running = run().listening()

    body = running.until(200)
    _, _, response = running.get("/actuator/health")

    assert json.loads(body) == {"status": "UP", "groups": ["liveness", "readiness"]}
    assert response.getheader("Content-Type") == "application/vnd.spring-boot.actuator.v3+json"
    for group in ("liveness", "readiness"):
        assert json.loads(running.until(200, f"/actuator/health/{group}")) == {"status": "UP"}


def test_metrics_are_prometheus_text_that_says_whose_they_are(run: Run) -> None:
    running = run().listening()
    running.until(200)

    status, body, response = running.get("/actuator/prometheus")

    assert status == 200
    assert response.getheader("Content-Type") == "text/plain;version=0.0.4;charset=utf-8"
    values = _prometheus(body)
    assert values["fileflow_stand_in"] == 1
    assert {"jvm_memory_used_bytes", "process_uptime_seconds", "process_cpu_seconds_total"} <= set(values)
    helps = [line for line in body.splitlines() if line.startswith("# HELP")]
    assert helps
    assert all(line.endswith("(of the stand-in for FileFlow)") for line in helps)


def test_the_root_and_the_info_page_say_that_a_stand_in_answers(run: Run) -> None:
    running = run().listening()

    root = json.loads(running.get("/")[1])
    info = json.loads(running.get("/actuator/info")[1])

    assert root["application"] == "fileflow-web-api"
    assert root["standIn"] is True
    assert info["app"] == {
        "name": "fileflow-web-api",
        "module": ":bootstrap:bootstrap-web-api",
        "standIn": True,
    }


def test_an_unknown_path_is_a_404_with_spring_boots_body(run: Run) -> None:
    status, body, _ = run().listening().get("/files/1")

    assert status == 404
    assert {key: value for key, value in json.loads(body).items() if key != "timestamp"} == {
        "status": 404,
        "error": "Not Found",
        "path": "/files/1",
    }


@pytest.mark.parametrize(
    ("module", "name", "port"),
    [
        (":bootstrap:bootstrap-web-api", "fileflow-web-api", 8083),
        (":bootstrap:bootstrap-scheduler-download", "fileflow-scheduler-download", 9091),
        (":bootstrap:bootstrap-scheduler-pipeline", "fileflow-scheduler-pipeline", 9092),
        (":bootstrap:another", "another", 8080),
    ],
)
def test_the_gradle_module_decides_name_and_default_port(
    program: Path, module: str, name: str, port: int
) -> None:
    # The health check names the port that it asks, whether anyone listens there or not.
    answer = _health_command(program, {"FILEFLOW_MODULE": module})
    assert f"127.0.0.1:{port}/" in answer.stdout + answer.stderr

    running = Running(program, {"FILEFLOW_MODULE": module}).listening()
    running.process.send_signal(signal.SIGTERM)
    assert f"[{name}]" in running.end()[1]


def test_the_actuator_moves_to_the_management_port(run: Run) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        management_port = int(probe.getsockname()[1])
    running = run(MANAGEMENT_SERVER_PORT=str(management_port)).listening()

    assert running.get("/actuator/health")[0] == 404
    assert running.get("/")[0] == 200
    assert running.get("/actuator/health", management_port)[0] in (200, 503)
    assert running.get("/", management_port)[0] == 404


def test_the_log_has_spring_boots_format(run: Run) -> None:
    running = run().listening()
    running.until(200)
    running.process.send_signal(signal.SIGTERM)

    lines = running.end()[1].splitlines()

    assert [line for line in lines if not LINE.fullmatch(line)] == []
    assert "stand-in for FileFlow" in lines[0]
    assert any("Started FileFlowWebApiApplication in" in line for line in lines)


def test_sigterm_waits_for_requests_and_ends_like_a_jvm(run: Run) -> None:
    running = run().listening()
    running.until(200)

    running.process.send_signal(signal.SIGTERM)
    code, output = running.end()

    assert code == 143
    assert output.splitlines()[-2].endswith(
        "Commencing graceful shutdown. Waiting for active requests to complete"
    )
    assert output.splitlines()[-1].endswith("Graceful shutdown complete")


def test_a_stopping_stand_in_is_out_of_service(run: Run) -> None:
    running = run(FILEFLOW_SIMULATE_STOP_SECONDS="60").listening()
    running.until(200)

    running.process.send_signal(signal.SIGTERM)

    assert json.loads(running.until(503))["status"] == "OUT_OF_SERVICE"
    assert running.process.poll() is None


def test_one_that_ignores_sigterm_has_to_be_killed(run: Run) -> None:
    running = run(FILEFLOW_SIMULATE_IGNORE_SIGTERM="1").listening()
    running.until(200)

    running.process.send_signal(signal.SIGTERM)
    running.until(503)
    running.process.send_signal(signal.SIGTERM)
    running.until(503)
    running.process.kill()

    assert running.end()[0] == -signal.SIGKILL


def test_a_slow_start_is_not_ready_before_its_time(run: Run) -> None:
    running = run(FILEFLOW_SIMULATE_START_SECONDS="60").listening()

    assert json.loads(running.until(503))["status"] == "OUT_OF_SERVICE"
    assert json.loads(running.until(200, "/actuator/health/liveness")) == {"status": "UP"}


@pytest.mark.parametrize(
    ("name", "value", "code", "told"),
    [
        ("FILEFLOW_SIMULATE_EXIT", "0", 0, ""),
        ("FILEFLOW_SIMULATE_EXIT", "7", 7, ""),
        ("FILEFLOW_SIMULATE_EXIT", "255", 255, ""),
        ("FILEFLOW_SIMULATE_FAILURE", "database", 1, "Unable to open JDBC Connection"),
        ("FILEFLOW_SIMULATE_FAILURE", "redis", 1, "Unable to connect to Redis"),
        ("FILEFLOW_SIMULATE_FAILURE", "secrets", 1, "to perform: secretsmanager:GetSecretValue"),
        ("FILEFLOW_SIMULATE_FAILURE", "oom", 3, "java.lang.OutOfMemoryError"),
        ("SERVER_PORT", "0", 2, 'SERVER_PORT is "0"; it must be '),
        ("MANAGEMENT_SERVER_PORT", "http", 2, 'MANAGEMENT_SERVER_PORT is "http"; it must be '),
        ("FILEFLOW_SIMULATE_EXIT", "256", 2, '_EXIT is "256"; it must be '),
        ("FILEFLOW_SIMULATE_FAILURE", "tired", 2, '_FAILURE is "tired"; it must be '),
        ("FILEFLOW_SIMULATE_STOP_SECONDS", "-1", 2, '_STOP_SECONDS is "-1"; it must be '),
        ("FILEFLOW_SIMULATE_START_SECONDS", "NaN", 2, '_START_SECONDS is "NaN"; it must be '),
    ],
)
def test_it_ends_as_it_is_told_with_a_message_of_the_guide_or_a_refusal(
    run: Run, name: str, value: str, code: int, told: str
) -> None:
    ended, output = run(**{"FILEFLOW_SIMULATE_EXIT_AFTER_SECONDS": "0.05", name: value}).end()

    assert ended == code
    assert told in output


def test_lines_of_ones_own_come_first_in_the_log(run: Run) -> None:
    code, output = run(FILEFLOW_SIMULATE_LOG="one\ntwo", FILEFLOW_SIMULATE_EXIT="3").end()

    assert code == 3
    assert output.splitlines()[2:4] == ["one", "two"]


@pytest.mark.parametrize(
    ("variables", "status", "word", "code"),
    [({}, 200, "UP", 0), ({"FILEFLOW_SIMULATE_UNHEALTHY": "1"}, 503, "DOWN", 1)],
    ids=["healthy", "unhealthy"],
)
def test_the_health_check_says_what_health_is(
    program: Path, run: Run, variables: dict[str, str], status: int, word: str, code: int
) -> None:
    running = run(**variables).listening()

    assert json.loads(running.until(status))["status"] == word
    assert _health_command(program, running.environment).returncode == code


def test_a_hanging_one_accepts_and_never_answers(run: Run) -> None:
    running = run(FILEFLOW_SIMULATE_HANG="1").listening()

    with pytest.raises(TimeoutError):
        running.get("/actuator/health", timeout=0.3)


def test_a_taken_port_fails_the_start_in_spring_boots_words(run: Run) -> None:
    first = run().listening()

    code, output = run(SERVER_PORT=str(first.port)).end()

    assert code == 1
    assert f"Web server failed to start. Port {first.port} was already in use" in output


def test_the_same_sources_make_the_same_bytes_without_the_cache(program: Path, tmp_path: Path) -> None:
    other = Paths(root=tmp_path / "other", local=tmp_path / "other" / ".local", cache=tmp_path / "cache")
    shutil.copytree(
        ROOT / "local" / "sample", other.root / "local" / "sample", ignore=shutil.ignore_patterns("bin")
    )

    again = sample.ensure(other, os.environ)

    assert again.read_bytes() == program.read_bytes()
    assert again.stat().st_mode & 0o777 == 0o755


def test_a_changed_source_gives_another_program_and_an_unchanged_one_keeps_the_file(
    clone: Paths, program: Path, tmp_path: Path
) -> None:
    before = program.stat()
    assert sample.ensure(clone, {}).stat().st_mtime_ns == before.st_mtime_ns

    copy = tmp_path / "sample"
    shutil.copytree(clone.root / "local" / "sample", copy)
    digest = sample.source_digest(copy)
    (copy / "README").write_text("not a source")
    assert sample.source_digest(copy) == digest
    (copy / "more.go").write_text("package main\n")
    assert sample.source_digest(copy) != digest


def test_only_sources_and_the_program_are_in_the_images_context(clone: Paths, program: Path) -> None:
    from local.plugins.docker import context

    folder = clone.root / "local" / "sample"
    (folder / "bin" / "fileflow.123.tmp").write_text("half")
    (folder / "notes.txt").write_text("not for the image")
    try:
        found = list(
            context.files(str(folder), context.ignore_patterns(str(folder / "Dockerfile"), str(folder)))
        )
    finally:
        (folder / "bin" / "fileflow.123.tmp").unlink()
        (folder / "notes.txt").unlink()

    sources = {file.name for file in folder.glob("*.go")} | {"Dockerfile", "go.mod"}
    assert program.is_file()
    assert set(found) == sources | {"bin/fileflow"}


def _health_command(program: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, "health"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )


def _prometheus(text: str) -> dict[str, Any]:
    """The value of each metric by name; fails on a line that isn't of the format."""
    values = {}
    for line in text.splitlines():
        if line.startswith("#"):
            assert re.fullmatch(r"# (HELP [a-z_]+ .+|TYPE [a-z_]+ (gauge|counter))", line), line
            continue
        match = re.fullmatch(r'([a-z_]+)\{((?:[a-z_]+="[^"]*",?)+)\} (\S+)', line)
        assert match, line
        values[match[1]] = float(match[3])
    return values
