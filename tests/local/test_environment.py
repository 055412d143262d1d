"""A command of the local stack sees the local stack, and nothing of the user's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.engine.acquire import Engine
from local.engine.version import Version
from local.environment import (
    LOCAL_ACCOUNT_ID,
    account_id,
    child_environment,
    users_environment,
    variables,
    write_commands,
    write_env_file,
)
from local.paths import Paths
from tests.local import fakes

STACK_NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=30)


@pytest.fixture
def engine(paths: Paths) -> Engine:
    pulumi = fakes.script(paths.cache / "engine" / "pulumi", 'echo "pulumi $FILEFLOW_ROOT: $*"')
    return Engine(pulumi, Version(3, 250, 0), "build")


def test_the_local_stack_has_the_guides_account_and_the_others_their_own() -> None:
    assert account_id("local") == LOCAL_ACCOUNT_ID == "646886795421"
    assert len({account_id(stack) for stack in ("local", "dev", "staging", "prod")}) == 4


@given(STACK_NAMES.filter(lambda name: name != "local"))
def test_every_other_stack_has_twelve_digits_of_its_own(stack: str) -> None:
    assert account_id(stack) == account_id(stack) != LOCAL_ACCOUNT_ID
    assert len(account_id(stack)) == 12
    assert account_id(stack).isdigit()


def test_nothing_of_the_users_aws_or_pulumi_settings_reaches_a_child(paths: Paths, engine: Engine) -> None:
    base = {
        "PATH": "/usr/bin",
        "HOME": "/home/someone",
        "AWS_PROFILE": "production",
        "AWS_SESSION_TOKEN": "token",
        "AWS_ENDPOINT_URL_ECS": "https://elsewhere.example",
        "PULUMI_ACCESS_TOKEN": "token",
        "PULUMI_CONFIG_PASSPHRASE_FILE": "/home/someone/passphrase",
    }
    values = variables(paths, "local", 4600, real_plugins=False)
    child = child_environment(paths, engine, values, base)
    assert not set(base) & set(child) - {"PATH", "HOME"}
    assert child["AWS_ACCESS_KEY_ID"] == LOCAL_ACCOUNT_ID
    assert child["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4600"
    assert child["AWS_SHARED_CREDENTIALS_FILE"] == child["AWS_CONFIG_FILE"] == os.devnull
    assert child["PULUMI_BACKEND_URL"] == paths.backend.as_uri()
    assert child["PULUMI_HOME"] == str(paths.home)


def test_a_user_without_a_name_gets_one_for_the_cli(paths: Paths, engine: Engine) -> None:
    assert child_environment(paths, engine, {}, {"PATH": "/usr/bin"})["USER"] == "local"
    assert child_environment(paths, engine, {}, {"PATH": "/usr/bin", "USER": "kim"})["USER"] == "kim"


def test_only_stand_ins_turn_the_download_of_plugins_off(paths: Paths) -> None:
    name = "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"
    assert name in variables(paths, "local", 1, real_plugins=False)
    assert name not in variables(paths, "local", 1, real_plugins=True)


def test_a_proxy_is_not_asked_for_what_is_on_this_machine(paths: Paths, engine: Engine) -> None:
    base = {"PATH": "/usr/bin", "HTTP_PROXY": "http://proxy.example", "NO_PROXY": ".example"}
    child = child_environment(paths, engine, {}, base)
    assert child["NO_PROXY"] == ".example,127.0.0.1,localhost"
    assert child["no_proxy"] == "127.0.0.1,localhost"
    assert child["HTTP_PROXY"] == "http://proxy.example"


def sourced(paths: Paths, script: str, environment: dict[str, str]) -> str:
    """Run a shell script after `.local/env`, with nothing else in its environment."""
    answer = subprocess.run(
        ["sh", "-euc", f". '{paths.env}'\n{script}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def environment_of_shell(paths: Paths, environment: dict[str, str], times: int = 1) -> dict[str, str]:
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    more = f". '{paths.env}'\n" * (times - 1)
    printed = sourced(paths, f"{more}'{sys.executable}' -c '{code}'", environment)
    answer: dict[str, str] = json.loads(printed)
    return answer


def test_the_file_to_source_gives_a_shell_what_a_child_has(paths: Paths, engine: Engine) -> None:
    values = variables(paths, "local", 4600, real_plugins=False)
    write_env_file(paths, engine, values)
    base = {"PATH": "/usr/bin:/bin", "AWS_PROFILE": "production", "PULUMI_ACCESS_TOKEN": "token"}
    shell = environment_of_shell(paths, base)
    child = child_environment(paths, engine, values, base)
    assert {name: shell.get(name) for name in child} == child | {"USER": None}
    assert "AWS_PROFILE" not in shell
    assert "PULUMI_ACCESS_TOKEN" not in shell


def test_sourcing_twice_changes_nothing(paths: Paths, engine: Engine) -> None:
    write_env_file(paths, engine, variables(paths, "local", 4600, real_plugins=False))
    base = {"PATH": "/usr/bin:/bin"}
    assert environment_of_shell(paths, base, times=2) == environment_of_shell(paths, base)


def test_a_shell_that_has_sourced_it_doesnt_take_our_commands_for_the_users(
    paths: Paths, engine: Engine, tmp_path: Path
) -> None:
    another = tmp_path / "another" / ".local" / "bin"
    write_commands(paths, engine, {"PATH": "/nowhere"})
    another.mkdir(parents=True)
    (another / ".fileflow").touch()
    own = [paths.bin, engine.pulumi.parent, paths.venv / "bin", another]
    path = os.pathsep.join([*map(str, own), "/usr/bin", "/bin"])
    assert users_environment(paths, {"PATH": path})["PATH"] == "/usr/bin:/bin"


def test_an_entry_of_path_that_cannot_be_asked_is_no_error(paths: Paths) -> None:
    # As one that may not be read, which root can't try.
    path = f"/usr/bin:/{'x' * 5000}:/bin"

    assert users_environment(paths, {"PATH": path})["PATH"] == path


@pytest.mark.parametrize("name", ["PYTHONSAFEPATH", "PYTHONOPTIMIZE", "PYTHONWARNINGS", "PYTHONPATH"])
def test_the_users_settings_of_python_reach_no_command(paths: Paths, engine: Engine, name: str) -> None:
    assert name not in users_environment(paths, {name: "1", "PATH": "/bin"})
    assert name not in child_environment(paths, engine, {}, {name: "1", "PATH": "/bin"})


@pytest.mark.parametrize("folder", ["100% done", "a%2Fb", "a#b", "a?b", "a'b", 'a"b', "ü b"])
def test_the_backend_is_the_same_folder_whatever_its_name(paths: Paths, folder: str) -> None:
    odd = Paths(root=paths.root / folder, local=paths.root / folder / ".local", cache=paths.cache)

    url = urlsplit(variables(odd, "local", 4600, real_plugins=False)["PULUMI_BACKEND_URL"])

    assert (url.scheme, unquote(url.path), url.query, url.fragment) == ("file", str(odd.backend), "", "")


def plain_pulumi(paths: Paths, engine: Engine, emulator: int, *arguments: str) -> tuple[int, str, str]:
    """What the command `pulumi` answers while the emulator's record names a process."""
    write_commands(paths, engine, {"PATH": "/nowhere"})
    paths.emulator.mkdir(exist_ok=True)
    (paths.emulator / "emulator.json").write_text(json.dumps({"pid": emulator}, indent=2))
    answer = subprocess.run(
        [paths.bin / "pulumi", *arguments],
        env={"PATH": "/usr/bin:/bin", "PYTHONSAFEPATH": "1", "PYTHONPATH": "kept"},
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.returncode, answer.stdout, answer.stderr


SALTING = """
printf 'config: {}\nencryptionsalt: v1:x\n' > "$FILEFLOW_ROOT/Pulumi.prod.yaml"
echo "python:${PYTHONSAFEPATH:-}${PYTHONPATH:-}"
exit 3
"""
"""A CLI that does what the real one does to a stack's file that has no salt."""


@pytest.mark.parametrize(
    ("arguments", "selected", "kept"),
    [
        (["preview", "--stack", "prod"], "local", True),
        (["stack", "init", "prod"], "local", True),
        (["preview"], "organization/fileflow/prod", True),
        # What a user asks for is left: a secret that is set needs the salt.
        (["config", "set", "--secret", "x", "y", "--stack", "prod"], "local", False),
    ],
)
def test_plain_pulumi_writes_no_salt_into_a_committed_file(
    paths: Paths, tmp_path: Path, arguments: list[str], selected: str, kept: bool
) -> None:
    cli = fakes.script(tmp_path / "salting" / "pulumi", SALTING)
    (paths.home / "workspaces").mkdir(parents=True)
    (paths.home / "workspaces" / "fileflow-1-workspace.json").write_text(json.dumps({"stack": selected}))
    (paths.root / "Pulumi.local.yaml").write_text("config: {}\nencryptionsalt: v1:local\n")
    file = paths.root / "Pulumi.prod.yaml"
    file.write_text("config: {}\n")

    salting = Engine(cli, Version(3, 250, 0), "build")
    assert plain_pulumi(paths, salting, os.getpid(), *arguments) == (3, "python:kept\n", "")
    assert ("encryptionsalt" not in file.read_text()) is kept


def test_plain_pulumi_runs_while_the_emulator_does_and_else_says_what_to_do(
    paths: Paths, engine: Engine
) -> None:
    with subprocess.Popen(["true"]) as ended:
        ended.wait()

    code, output, errors = plain_pulumi(paths, engine, ended.pid, "up", "--yes")
    assert (code, output, errors.splitlines()[-1]) == (1, "", "Fix: make up")
    for emulator, arguments in ((ended.pid, "version"), (os.getpid(), "up --yes")):
        told = f"pulumi {paths.root}: {arguments}\n"
        assert plain_pulumi(paths, engine, emulator, *arguments.split()) == (0, told, "")


@pytest.mark.parametrize(
    ("says", "theirs"),
    [("aws-cli/2.31.0 Python/3.13", True), ("aws-cli/2.12.9 Python/3.11", False), ("aws-cli/1.46.3", False)],
)
def test_the_users_aws_cli_is_used_from_version_2_13_on(
    paths: Paths, engine: Engine, tmp_path: Path, says: str, theirs: bool
) -> None:
    path = {"PATH": f"{tmp_path / 'bin'}:{fakes.SYSTEM_PATH}"}
    fakes.script(tmp_path / "bin" / "aws", f"echo aws-cli/2.31.0; echo asked >> {tmp_path / 'asked'}")
    for _ in range(2):
        write_commands(paths, engine, path)
        assert (paths.bin / "aws").exists()
    assert (tmp_path / "asked").read_text() == "asked\n"
    fakes.script(tmp_path / "bin" / "aws", f"echo {says}")
    write_commands(paths, engine, path)
    assert (paths.bin / "aws").exists() is theirs
    write_commands(paths, engine, {"PATH": "/nowhere"})
    assert not (paths.bin / "aws").exists()


def test_the_folders_follow_the_environment(tmp_path: Path) -> None:
    root = tmp_path / "root"
    given_local = Paths.of({"FILEFLOW_LOCAL_DIR": str(tmp_path / "mine"), "FILEFLOW_CACHE_DIR": "/c"}, root)
    assert (given_local.local, given_local.cache) == (tmp_path / "mine", Path("/c"))
    by_default = Paths.of({"XDG_CACHE_HOME": "/x"}, root)
    assert (by_default.local, by_default.cache) == (root / ".local", Path("/x/fileflow-ecs"))
    assert Paths.of({}, root).cache == Path.home() / ".cache" / "fileflow-ecs"
