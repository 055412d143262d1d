"""A command that a fork runs can't be told from one that Python runs, and ends with its client."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local import processes
from local.fork_server import client, process
from local.fork_server.server import LAZY_LIBRARIES, LIBRARIES, Server
from local.paths import ROOT, Paths
from tests.waiting import eventually

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="a fork server is started on Linux only"),
    # One server for all.
    pytest.mark.xdist_group("fork-server"),
]

NOT_FOR_IT = {"AWS_SECRET_ACCESS_KEY": "x", "PULUMI_HOME": "x", processes.RUN_MARK: "x"}
"""Of a command that starts a server."""

TELL = """
import json, os, sys
print(json.dumps({
    "arguments": sys.argv[1:], "name": __name__, "folder": os.getcwd(), "path": sys.path,
    "environment": dict(os.environ), "input": sys.stdin.read(), "modules": sorted(sys.modules),
    "executable": sys.executable, "parent": os.getppid(),
}))
"""


@dataclass(frozen=True)
class Served:
    """A server, and how to run a command by it."""

    paths: Paths

    def environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return {**kept, client.VARIABLE: str(self.paths.fork_server), **extra}

    def command(self, *arguments: str | Path) -> list[str]:
        return [str(self.paths.python), "-I", "-S", client.__file__, *map(str, arguments)]

    def run(
        self, *arguments: str | Path, folder: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            input="typed",
            env=self.environment(environment),
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments), env=self.environment({}), stdout=subprocess.PIPE, text=True
        )

    def pids(self) -> list[int]:
        return processes.marked(process.MARK, str(self.paths.local))

    @property
    def pid(self) -> int:
        [pid] = self.pids()
        return pid


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    # Longer than the address of a socket may be.
    folder = tmp_path_factory.mktemp("local") / ("long" * 40)
    folder.mkdir()
    paths = Paths(root=ROOT, local=folder, cache=folder)
    process.ensure(paths, {**os.environ, **NOT_FOR_IT})
    yield Served(paths)
    process.stop(paths)
    assert processes.marked(process.MARK, str(paths.local)) == []
    assert not paths.fork_server.exists()


@contextmanager
def connected(path: Path) -> Iterator[socket.socket]:
    """A client by hand."""
    with socket.socket(socket.AF_UNIX) as made:
        client.at(str(path), made.connect)
        yield made


def number(value: int) -> bytes:
    return value.to_bytes(client.NUMBER_BYTES, "big")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    return tmp_path / "program.py"


def test_a_fork_is_what_python_would_have_been_but_for_its_libraries(
    served: Served, program: Path, tmp_path: Path
) -> None:
    program.write_text(TELL)
    (tmp_path / "elsewhere").mkdir()

    def told(**environment: str) -> dict[str, Any]:
        answer = served.run(program, "a", "b c", folder=tmp_path / "elsewhere", ONE="1", **environment)
        assert answer.stderr == ""
        return {**json.loads(answer.stdout), "modules": None}

    forked, plain = told(PYTHONPATH="/x:/y"), told(PYTHONPATH="/x:/y", PYTHONHASHSEED="1")

    assert plain["environment"].pop("PYTHONHASHSEED") == "1"
    assert (forked.pop("parent"), plain.pop("parent")) == (served.pid, os.getpid())
    assert forked == plain
    assert (forked["arguments"], forked["input"]) == (["a", "b c"], "typed")
    assert forked["environment"] == served.environment({"ONE": "1", "PYTHONPATH": "/x:/y"})


def test_a_fork_has_the_libraries_and_nothing_of_the_checkout(served: Served, program: Path) -> None:
    program.write_text(TELL)

    modules = set(json.loads(served.run(program).stdout)["modules"])

    assert modules >= {*LIBRARIES, *LAZY_LIBRARIES, "pulumi_aws.ecs.service", "pulumi_awsx.ec2.vpc"}
    checkout = {
        name for name in modules if name.split(".")[0] in {"local", "components", "settings", "tests"}
    }
    assert checkout == {"local", "local.fork_server", "local.fork_server.client"}


def test_a_module_is_run_as_a_module(served: Served) -> None:
    answer = served.run("-m", "json.tool", "--help")

    assert answer.returncode == 0
    assert "usage: json.tool" in answer.stdout.replace("python -m ", "")


@pytest.mark.parametrize(
    ("text", "code", "errors"),
    [
        ("pass", 0, ""),
        ("raise SystemExit(3)", 3, ""),
        ("raise SystemExit", 0, ""),
        ("raise SystemExit('a reason')", 1, "a reason"),
        ("raise ValueError('of the program')", 1, "ValueError: of the program"),
        ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL, ""),
        ("import os; os.kill(os.getpid(), 15)", -signal.SIGTERM, ""),
        ("import os; os._exit(7)", 7, ""),
    ],
)
def test_a_client_ends_as_its_fork_does(
    served: Served, program: Path, text: str, code: int, errors: str
) -> None:
    program.write_text(text)

    answer = served.run(program)

    assert answer.returncode == code
    assert answer.stderr.strip().endswith(errors)
    assert bool(answer.stderr) == bool(errors)


def test_a_fork_finishes_what_python_finishes_at_its_end(served: Served, program: Path) -> None:
    program.write_text(
        "import atexit, sys, threading, time\n"
        "atexit.register(print, 'at exit')\n"
        "threading.Thread(target=lambda: (time.sleep(0.2), print('thread'))).start()\n"
        "sys.stdout.write('unended ')\n"
    )

    assert served.run(program).stdout == "unended thread\nat exit\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_reaches_the_fork_in_whatever_it_waits(served: Served, program: Path, number: int) -> None:
    program.write_text(
        "import signal, threading\n"
        "stopped = threading.Event()\n"
        f"signal.signal({int(number)}, lambda number, frame: stopped.set())\n"
        "print('ready', flush=True)\n"
        "stopped.wait()\n"
        "raise SystemExit(42)\n"
    )
    started = served.start(program)
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"

    started.send_signal(number)

    assert started.wait(30) == 42


def assert_the_fork_ends_with(starter: subprocess.Popen[Any], served: Served) -> None:
    """A fork that has printed its line runs while `starter` does, and no longer."""
    assert starter.stdout is not None
    assert starter.stdout.readline() in ("1\n", b"1\n")
    assert len(served.pids()) == 2

    starter.kill()
    starter.wait()

    eventually(lambda: len(served.pids()) == 1)


def test_a_fork_ends_with_its_client_however_that_ends(served: Served, program: Path) -> None:
    program.write_text("import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint(1)\ntime.sleep(600)\n")
    started = served.start(program)

    assert_the_fork_ends_with(started, served)


def test_a_fork_ends_with_a_client_that_never_heard_that_it_was_accepted(
    served: Served, program: Path
) -> None:
    program.write_text("print('ready'); import time; time.sleep(60)")
    reading, writing = os.pipe()
    environment = (f"{name}={value}" for name, value in served.environment({}).items())
    fields = [*client.identity(str(served.paths.python)), "/", "1", str(program), *environment]
    message = "\0".join(fields).encode()
    with connected(served.paths.fork_server) as asking:
        socket.send_fds(asking, [number(len(message))], [reading, writing, writing])
        asking.sendall(message)
        os.close(writing)
        said = open(reading)  # noqa: SIM115, PTH123 a pipe, read to its end below
        assert said.readline() == "ready\n"

    eventually(lambda: len(served.pids()) == 1)
    with said:
        assert said.read() == ""


def test_a_fork_is_asked_to_stop_when_the_one_who_started_its_client_has_ended(
    served: Served, program: Path
) -> None:
    program.write_text("import time\nprint(1)\ntime.sleep(600)\n")
    engine = subprocess.Popen(
        ["sh", "-c", '"$@" & wait', "sh", *served.command(program)],
        env=served.environment({}),
        stdout=subprocess.PIPE,
    )

    assert_the_fork_ends_with(engine, served)


def test_what_isnt_a_command_doesnt_stop_the_server(served: Served, program: Path) -> None:
    for nonsense in (b"", b"x", number(3) + b"{}", number(2) + b"[]", number(9) + b"a\0b\0c\0d\0e"):
        with connected(served.paths.fork_server) as connection:
            connection.sendall(nonsense)
    program.write_text(TELL)

    assert json.loads(served.run(program).stdout)["parent"] == served.pid


def test_many_clients_are_served_side_by_side(served: Served, program: Path) -> None:
    program.write_text("import sys, time\ntime.sleep(0.3)\nsys.exit(int(sys.argv[1]))\n")
    started = [served.start(program, str(code)) for code in range(20)]

    assert [each.wait(60) for each in started] == list(range(20))
    eventually(lambda: len(served.pids()) == 1)


def test_without_a_server_python_runs_the_command(served: Served, program: Path, tmp_path: Path) -> None:
    program.write_text(TELL)

    answer = served.run(program, FILEFLOW_FORK_SERVER=str(tmp_path / "none"))

    assert json.loads(answer.stdout)["parent"] == os.getpid()


def test_another_virtual_environments_command_is_refused(served: Served) -> None:
    path = str(served.paths.fork_server)

    assert client.ask(path, "/usr/bin/python3", ()) is None
    accepted = client.ask(path, str(served.paths.python), ())
    assert accepted is not None
    accepted.close()


@pytest.mark.parametrize("changed", ["identity", "packages"])
def test_a_server_whose_code_or_packages_have_changed_refuses(tmp_path: Path, changed: str) -> None:
    path = tmp_path / "socket"
    asking = (
        "import sys\n"
        "from local.fork_server import client\n"
        f"sys.exit(client.ask({str(path)!r}, sys.executable, ()) is not None)\n"
    )
    with socket.socket(socket.AF_UNIX) as listener:
        client.at(str(path), listener.bind)
        listener.listen()
        server = Server(listener)
        if changed == "identity":
            server._identity = [*server._identity[:-1], "0"]
        else:
            server._installed -= 1
        asked = subprocess.Popen([sys.executable, "-c", asking], cwd=ROOT)
        assert server._take() is None
        assert asked.wait(30) == 0


def test_a_server_is_kept_and_replaced_when_it_doesnt_answer(served: Served) -> None:
    first = served.pid
    process.ensure(served.paths, os.environ)
    assert served.pid == first

    processes.stop([first], 0)
    process.ensure(served.paths, {**os.environ, **NOT_FOR_IT})
    assert served.pid != first


def test_only_the_user_may_ask_a_server(served: Served) -> None:
    assert served.paths.fork_server.stat().st_mode & 0o777 == 0o600


def test_nothing_of_a_command_reaches_the_server(served: Served) -> None:
    environment = Path("/proc", str(served.pid), "environ").read_bytes()
    names = {entry.partition(b"=")[0].decode() for entry in environment.split(b"\0")}
    assert names & set(NOT_FOR_IT) == set()
    assert process.MARK in names


def test_a_folder_is_run_by_its_main_module(served: Served, tmp_path: Path) -> None:
    (tmp_path / "plugin").mkdir()
    (tmp_path / "plugin" / "beside.py").write_text("told = 'beside'\n")
    (tmp_path / "plugin" / "__main__.py").write_text("import beside, sys\nprint(beside.told, sys.path[0])\n")

    assert served.run(tmp_path / "plugin").stdout == f"beside {tmp_path / 'plugin'}\n"
