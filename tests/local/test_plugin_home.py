"""The provider plugins are the real ones where they can be had, else this project's stand-ins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from local import plugin_home
from local.engine.acquire import Engine
from local.engine.version import Version
from local.errors import LocalError
from local.paths import Paths
from tests.local import fakes

PINS = """
pulumi==3.250.0
pulumi-aws==7.1.0  # x
pulumi-awsx==3.1.0
pulumi-docker==4.1.0
pulumi-policy==1.0.0
"""


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    root = tmp_path / "checkout"
    root.mkdir()
    (root / "requirements.txt").write_text(PINS)
    return Paths(root=root, local=root / ".local", cache=tmp_path / "cache")


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """An engine whose `plugin install resource NAME VERSION` makes a plugin that says it is real."""
    pulumi = fakes.script(
        tmp_path / "engine" / "pulumi",
        """
[ "$1 $2 $3" = "plugin install resource" ] || exit 3
echo "$4 $5" >> "$(dirname "$0")/installed"
folder="$PULUMI_HOME/plugins/resource-$4-v$5"
mkdir -p "$folder"
printf '#!/bin/sh\\necho real %s\\n' "$4" > "$folder/pulumi-resource-$4"
chmod +x "$folder/pulumi-resource-$4"
""",
    )
    return Engine(pulumi, Version(3, 250, 0), "build")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"PATH": f"{tmp_path / 'bin'}:{fakes.SYSTEM_PATH}"}


@pytest.fixture
def reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin_home, "_unreachable", lambda: "")


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Make the plugins' server unreachable, and record each attempt."""
    attempts: list[str] = []

    def answer() -> str:
        attempts.append("asked")
        return "no route"

    monkeypatch.setattr(plugin_home, "_unreachable", answer)
    return attempts


def wrapper(paths: Paths, name: str, version: str) -> str:
    return (paths.home / "plugins" / f"resource-{name}-v{version}" / f"pulumi-resource-{name}").read_text()


def test_stand_ins_are_asked_for_without_the_network(
    paths: Paths, engine: Engine, environment: dict[str, str], unreachable: list[str]
) -> None:
    decided = plugin_home.ensure_plugins(paths, engine, environment | {"FILEFLOW_PLUGINS": "stand-in"})
    assert decided == {"aws": "stand-in", "awsx": "stand-in", "docker": "stand-in"}
    assert unreachable == []
    command = wrapper(paths, "awsx", "3.1.0").splitlines()[-1]
    assert command.startswith(f"exec {paths.root}/.venv/bin/python ")
    assert command.endswith(' -m local.plugins.awsx "$@"')


def test_the_clis_own_log_is_off_unless_there_is_a_folder_for_it(
    paths: Paths, engine: Engine, environment: dict[str, str]
) -> None:
    stand_ins = environment | {"FILEFLOW_PLUGINS": "stand-in"}
    plugin_home.ensure_plugins(paths, engine, stand_ins)
    log = paths.home / "logs"
    assert "Make one in place of this file" in log.read_text()

    log.unlink()
    log.mkdir()
    plugin_home.ensure_plugins(paths, engine, stand_ins)
    assert log.is_dir()


def test_an_unreachable_server_is_asked_once_and_remembered(
    paths: Paths, engine: Engine, environment: dict[str, str], unreachable: list[str]
) -> None:
    for _ in range(2):
        decided = plugin_home.ensure_plugins(paths, engine, environment)
        assert set(decided.values()) == {"stand-in"}
    assert unreachable == ["asked"]


def test_another_set_of_versions_asks_again(
    paths: Paths, engine: Engine, environment: dict[str, str], unreachable: list[str]
) -> None:
    plugin_home.ensure_plugins(paths, engine, environment)
    (paths.root / "requirements.txt").write_text(PINS.replace("7.1.0", "7.2.0"))
    plugin_home.ensure_plugins(paths, engine, environment)
    assert len(unreachable) == 2


@pytest.mark.usefixtures("unreachable")
def test_real_plugins_that_cant_be_had_are_an_error_when_asked_for(
    paths: Paths, engine: Engine, environment: dict[str, str]
) -> None:
    with pytest.raises(LocalError, match=r"FILEFLOW_PLUGINS=real.*no route") as error:
        plugin_home.ensure_plugins(paths, engine, environment | {"FILEFLOW_PLUGINS": "real"})
    assert "use the stand-ins" in error.value.fix


@pytest.mark.usefixtures("reachable")
def test_real_plugins_are_downloaded_once_into_the_cache(
    paths: Paths, engine: Engine, environment: dict[str, str], tmp_path: Path
) -> None:
    fakes.script(tmp_path / "bin" / "docker", "echo 28.0")
    for _ in range(2):
        decided = plugin_home.ensure_plugins(paths, engine, environment)
        assert decided == {"aws": "real", "awsx": "real", "docker": "real"}
    installed = (engine.pulumi.parent / "installed").read_text().splitlines()
    assert installed == ["aws 7.1.0", "awsx 3.1.0", "docker 4.1.0"]
    assert str(paths.cache / "plugins") in wrapper(paths, "aws", "7.1.0")


@pytest.mark.usefixtures("reachable")
def test_without_a_docker_engine_only_docker_is_a_stand_in(
    paths: Paths, engine: Engine, environment: dict[str, str], tmp_path: Path
) -> None:
    fakes.script(tmp_path / "bin" / "docker", "echo 'Cannot connect' >&2; exit 1")
    decided = plugin_home.ensure_plugins(paths, engine, environment)
    assert decided == {"aws": "real", "awsx": "real", "docker": "stand-in"}


@pytest.mark.usefixtures("reachable")
def test_a_failing_download_falls_back_to_the_stand_ins(
    paths: Paths, environment: dict[str, str], tmp_path: Path, said: Callable[[], str]
) -> None:
    broken = fakes.script(tmp_path / "broken" / "pulumi", "echo 'error: 403 forbidden' >&2; exit 1")
    decided = plugin_home.ensure_plugins(paths, Engine(broken, Version(3, 250, 0), "build"), environment)
    assert set(decided.values()) == {"stand-in"}
    assert "403 forbidden" in said()


@pytest.mark.usefixtures("unreachable")
def test_a_cache_that_cant_be_written_is_no_reason_to_fail(
    paths: Paths, engine: Engine, environment: dict[str, str]
) -> None:
    paths.cache.write_text("a file, where a folder should be")
    decided = plugin_home.ensure_plugins(paths, engine, environment)
    assert set(decided.values()) == {"stand-in"}


def test_a_wrong_choice_is_refused(paths: Paths, engine: Engine, environment: dict[str, str]) -> None:
    with pytest.raises(LocalError, match=r"FILEFLOW_PLUGINS is 'fake'.*auto, real, stand-in"):
        plugin_home.ensure_plugins(paths, engine, environment | {"FILEFLOW_PLUGINS": "fake"})
