"""The stand-in for `pulumi-language-python` chooses the interpreter, starts it and ends it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from local import processes
from local.engine import language_host, runner
from local.engine.language_runtime import InterpreterError, activated, interpreter
from tests.local import fakes
from tests.waiting import eventually

MARK = "FILEFLOW_TEST_MARK"


@pytest.fixture
def virtual_environment(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / ".venv"
    fakes.script(folder / "bin" / "python", "exit 0")
    (folder / "pyvenv.cfg").touch()
    return folder


def test_the_named_environment_counts_before_the_active_one_and_that_before_path(
    virtual_environment: Path, tmp_path: Path
) -> None:
    project, python = str(virtual_environment.parent), virtual_environment / "bin" / "python"
    on_path = fakes.script(tmp_path / "python3", "exit 0")

    assert interpreter(project, {"virtualenv": ".venv"}, {"VIRTUAL_ENV": "/elsewhere"}) == python
    active = {"VIRTUAL_ENV": str(virtual_environment), "PATH": str(tmp_path)}
    assert interpreter("/", {}, active) == python
    assert interpreter("/", {}, {"PATH": str(tmp_path)}) == on_path


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"virtualenv": "venv"}, r"virtualenv is 'venv', but .* is not a virtual environment"),
        ({"toolchain": "poetry"}, "'poetry'"),
        ({"toolchain": "uv"}, "'uv'"),
        ({}, r"no python3 on PATH"),
    ],
)
def test_where_there_is_no_python_the_reason_is_told(
    tmp_path: Path, options: dict[str, str], told: str
) -> None:
    with pytest.raises(InterpreterError, match=told):
        interpreter(str(tmp_path), options, {"PATH": str(tmp_path)})


def test_a_virtual_environment_is_activated_for_the_program(virtual_environment: Path) -> None:
    made = activated(virtual_environment / "bin" / "python", {"PATH": "/usr/bin", "PYTHONHOME": "/x"})
    assert made == {"VIRTUAL_ENV": str(virtual_environment), "PATH": f"{virtual_environment}/bin:/usr/bin"}


def test_an_interpreter_outside_one_changes_nothing() -> None:
    assert activated(Path("/usr/bin/python3"), {"PATH": "/usr/bin"}) == {"PATH": "/usr/bin"}


class Host:
    """The language host as the engine sees it."""

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self.process = subprocess.Popen(
            [sys.executable, language_host.__file__, "127.0.0.1:1"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, MARK: mark, "VIRTUAL_ENV": sys.prefix},
        )
        assert self.process.stdout is not None
        port = int(self.process.stdout.readline())
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.stub = language_pb2_grpc.LanguageRuntimeStub(self.channel)

    def close(self) -> None:
        self.channel.close()
        self.process.terminate()
        self.process.wait(30)
        processes.stop_marked(MARK, self.mark, 1)

    def children(self) -> list[int]:
        return [pid for pid in processes.marked(MARK, self.mark) if pid != self.process.pid]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(str(tmp_path))
    yield made
    made.close()


def info(folder: Path, **options: str) -> Any:
    struct = struct_pb2.Struct()
    struct.update(options)
    return language_pb2.ProgramInfo(
        root_directory=str(folder), program_directory=str(folder), entry_point=".", options=struct
    )


def plugin_request(folder: Path, host: Host) -> Any:
    return language_pb2.RunPluginRequest(
        pwd=str(folder),
        info=info(folder),
        kind="resource",
        env=[f"{MARK}={host.mark}", f"PATH={os.environ['PATH']}"],
    )


def test_a_missing_environment_is_the_programs_error(host: Host, tmp_path: Path) -> None:
    request = language_pb2.RunRequest(info=info(tmp_path, virtualenv="venv"), pwd=str(tmp_path))
    assert "is not a virtual environment" in host.stub.Run(request).error


def test_a_plugins_output_and_exit_code_are_streamed(host: Host, tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text(
        "import os, sys\nprint('out', os.getcwd())\nprint('err', file=sys.stderr)\nsys.exit(5)\n"
    )
    answers = list(host.stub.RunPlugin(plugin_request(tmp_path, host)))
    assert b"".join(answer.stdout for answer in answers) == f"out {tmp_path}\n".encode()
    assert b"".join(answer.stderr for answer in answers) == b"err\n"
    assert answers[-1].exitcode == 5


@pytest.mark.parametrize(
    "end",
    [
        lambda _host, call: call.cancel(),
        lambda host, _call: host.stub.Cancel(empty_pb2.Empty()),
        lambda host, _call: host.process.terminate(),
    ],
    ids=["cancelled call", "cancelled host", "stopped host"],
)
def test_whatever_ends_a_call_ends_its_process(
    host: Host, tmp_path: Path, end: Callable[[Host, Any], object]
) -> None:
    (tmp_path / "__main__.py").write_text("import time\nprint('ready', flush=True)\ntime.sleep(600)\n")
    call = host.stub.RunPlugin(plugin_request(tmp_path, host))
    assert next(call).stdout.startswith(b"ready")
    assert len(host.children()) == 1
    end(host, call)
    eventually(lambda: host.children() == [])


def test_a_host_whose_engine_was_killed_ends(tmp_path: Path) -> None:
    command = f"'{sys.executable}' '{language_host.__file__}' 127.0.0.1:1 & echo $!; wait"
    engine = subprocess.Popen(
        ["sh", "-c", command],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, MARK: str(tmp_path)},
    )
    assert engine.stdout is not None
    assert engine.stdout.readline().strip().isdigit()
    assert engine.stdout.readline().strip().isdigit()
    engine.kill()
    engine.wait()
    eventually(lambda: processes.marked(MARK, str(tmp_path)) == [])


@pytest.mark.parametrize(
    ("told", "ended"), [("the image was not found", False), (runner.ENGINE_HAS_ENDED[0], True)]
)
def test_errors_that_were_raised_from_each_other_are_read_once(told: str, ended: bool) -> None:
    first, second = ValueError("the program failed"), ValueError(told)
    first.__context__, second.__context__ = second, first
    assert runner._ended_by_engine(first) is ended
