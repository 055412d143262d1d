"""What goes wrong at the command line is told once, in words that say what to do, and nothing is created."""

from __future__ import annotations

import argparse
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local import cli, processes, virtual_environments
from local.fork_server import process as fork_server
from local.paths import ROOT, Paths
from tests.local import fakes
from tests.local.clone import Clone


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone.make(tmp_path / "clone")


def assert_one_error(answer: subprocess.CompletedProcess[str], *parts: str) -> None:
    """The command failed with one error and one fix that hold these parts, and no traceback."""
    assert answer.returncode == 1, answer.stdout
    lines = answer.stdout.splitlines()
    assert len([line for line in lines if line.startswith("error: ")]) == 1, answer.stdout
    assert len([line for line in lines if line.startswith("Fix: ")]) == 1, answer.stdout
    assert "Traceback" not in answer.stdout
    for part in parts:
        assert part in answer.stdout, answer.stdout


def assert_nothing_created(clone: Clone) -> None:
    assert not (clone.root / ".local" / "backend").exists()
    assert clone.run("status").stdout == "Nothing runs.\n"
    assert processes.marked(fork_server.MARK, str(clone.root / ".local")) == []


def test_the_engine_is_got_beside_the_environments_while_these_are_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(processes, "start_beside", lambda command, _folder: started.append(command))
    paths = Paths(root=ROOT, local=tmp_path / "local", cache=tmp_path / "cache")
    call = cli.Call(argparse.Namespace(), paths, {})

    cli._begin_engine(call)
    assert started == [[sys.executable, "-m", "local", "engine"]]

    monkeypatch.setattr(virtual_environments, "are_made", lambda _paths: True)
    cli._begin_engine(call)
    assert len(started) == 1


@pytest.mark.parametrize(
    ("command", "environment", "told"),
    [
        ("up --stack prd", {}, ["STACK is 'prd'", "Pulumi.prd.yaml", "choose one of local, prod"]),
        ("preview --stack prd", {}, ["STACK is 'prd'"]),
        ("start --stack prd", {}, ["STACK is 'prd'"]),
        ("up", {"STACK": "prd"}, ["STACK is 'prd'"]),
        ("up", {"FILEFLOW_PORT": "http"}, ["FILEFLOW_PORT is 'http'", "1 to 65535"]),
    ],
)
def test_what_is_asked_for_wrongly_is_one_error(
    clone: Clone, command: str, environment: dict[str, str], told: list[str]
) -> None:
    assert_one_error(clone.run(*command.split(), **environment), *told)
    assert not (clone.root / ".local").exists()


@pytest.mark.parametrize(
    ("second_line", "told"),
    [
        ("  small:topics: [1, 2\n", "Pulumi.prod.yaml:3:1: "),
        ("  small:a: 1\n  small:a: 2\n", "Pulumi.prod.yaml:3:3: the key 'small:a' is given twice"),
    ],
)
def test_a_malformed_stack_file_is_one_error_with_the_line(clone: Clone, second_line: str, told: str) -> None:
    (clone.root / "Pulumi.prod.yaml").write_text(f"config:\n{second_line}")
    answer = clone.run("up", "--stack", "prod")
    assert_one_error(answer, told, "correct the file at that line")
    assert_nothing_created(clone)


@pytest.mark.engine
def test_a_taken_port_is_one_error_when_the_user_chose_it(clone: Clone) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        answer = clone.run("up", FILEFLOW_PORT=port)
    assert_one_error(answer, f"FILEFLOW_PORT is {port}", "can't be taken", "choose another port")
    assert_nothing_created(clone)


@pytest.mark.engine
def test_another_port_while_the_emulator_runs_is_one_error(clone: Clone) -> None:
    try:
        assert clone.run("start").returncode == 0
        answer = clone.run("up", FILEFLOW_PORT="1")
        assert_one_error(
            answer, "FILEFLOW_PORT is 1, but the emulated AWS of this clone runs on port", "make down"
        )
    finally:
        clone.down()


def test_a_cache_that_cant_be_written_is_one_error(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    answer = clone.run("up", FILEFLOW_CACHE_DIR=str(tmp_path / "file" / "cache"))
    assert_one_error(
        answer, f"the cache {tmp_path / 'file' / 'cache'} can't be written", "FILEFLOW_CACHE_DIR"
    )
    assert_nothing_created(clone)


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="mounts a file system")
@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("size=1m", ["no space left on device", "FILEFLOW_CACHE_DIR"]),
        ("ro", ["Read-only file system", "make it writable"]),
    ],
)
def test_a_full_or_read_only_cache_is_one_error(
    clone: Clone, tmp_path: Path, option: str, told: list[str]
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    script = f"mount -t tmpfs -o {option} tmpfs '{cache}' || exit 77; exec '{sys.executable}' -m local up"
    answer = clone.command(
        "unshare", "--mount", "sh", "-c", script, FILEFLOW_CACHE_DIR=str(cache), PIP_NO_CACHE_DIR="1"
    )
    if answer.returncode == 77:
        pytest.skip("no file system can be mounted here")
    assert_one_error(answer, *told)
    assert_nothing_created(clone)


def test_a_wrong_python_is_one_error(clone: Clone, tmp_path: Path) -> None:
    code = (
        "import runpy, sys; sys.version_info = (3, 9, 2);"
        " runpy.run_path('local/__main__.py', run_name='__main__')"
    )
    answer = clone.command(sys.executable, "-c", code, PATH=str(tmp_path))
    assert_one_error(answer, "Python 3.9; Python 3.11 or later is needed", "apt-get install")


def test_the_makefile_takes_a_newer_python_than_one_that_is_too_old(clone: Clone, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    fakes.script(folder / "python3", "exit 1")
    fakes.script(folder / "python3.12", f'exec "{sys.executable}" "$@"')
    answer = clone.command("make", "status", PATH=f"{folder}:{fakes.SYSTEM_PATH}")
    assert "Nothing runs." in answer.stdout


def test_a_folder_of_the_users_own_in_the_links_place_is_one_error(clone: Clone) -> None:
    (clone.root / ".venv").mkdir()
    assert_one_error(clone.run("up"), "a folder of its own", "mv ")
    assert_nothing_created(clone)


def test_down_with_nothing_running_is_no_error(clone: Clone) -> None:
    answer = clone.run("down")
    assert (answer.returncode, answer.stdout) == (0, "Nothing runs.\n")


def test_make_alone_lists_the_targets() -> None:
    answer = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("up", "preview", "down", "test", "check"):
        assert re.search(rf"^  make {target} +\S", answer.stdout, re.MULTILINE), target
    assert "STACK=prod" in answer.stdout


def test_further_arguments_reach_the_command_that_they_are_for() -> None:
    asked = ["make", "--dry-run", "preview", "STACK=prod", "ARGUMENTS=--diff --refresh"]
    shown = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    [line] = [line for line in shown.splitlines() if " -m local " in line]
    options = cli._parse(line.partition(" -m local ")[2].split())

    assert (options.stack, options.arguments) == ("prod", ["--diff", "--refresh"])
    assert cli._parse(["up", "--stack", "dev"]).arguments == []


def test_arguments_of_one_target_do_not_reach_a_make_that_it_runs() -> None:
    nested = "nested: ; @$(MAKE) --no-print-directory --dry-run preview"
    asked = ["make", "--eval", nested, "nested", "STACK=prod", "ARGUMENTS=--diff"]
    shown = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "preview --stack prod" in shown
    assert "--diff" not in shown


def test_an_unknown_command_is_one_usage_error(clone: Clone) -> None:
    answer = clone.run("upp")
    assert answer.returncode == 2
    assert "invalid choice: 'upp'" in answer.stdout


WITHOUT_FCNTL = """
import runpy, sys
sys.modules["fcntl"] = None
sys.argv = ["local", "up"]
runpy.run_module(sys.argv[0], run_name="__main__")
"""


def test_another_system_is_told_in_one_sentence_what_is_needed(clone: Clone) -> None:
    answer = clone.command(sys.executable, "-c", WITHOUT_FCNTL)

    assert answer.returncode == 1
    assert_one_error(answer, "Linux, macOS or WSL", "install WSL")


def test_the_users_settings_of_python_stop_no_command(clone: Clone) -> None:
    assert clone.run("status", PYTHONOPTIMIZE="2", PYTHONWARNINGS="error").stdout == "Nothing runs.\n"
