"""The provider plugins are the real ones where they can be had, else this project's stand-ins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass
class Home:
    """A checkout's Pulumi home."""

    paths: Paths
    engine: Engine

    def decide(self, choice: str = "", has_containers: bool = True) -> dict[str, str]:
        environment = {"PATH": fakes.SYSTEM_PATH, "FILEFLOW_PLUGINS": choice}
        return plugin_home.ensure_plugins(self.paths, self.engine, environment, has_containers=has_containers)

    def wrapper(self, name: str, version: str) -> str:
        folder = self.paths.home / "plugins" / f"resource-{name}-v{version}"
        return (folder / f"pulumi-resource-{name}").read_text()


@pytest.fixture
def home(paths: Paths, tmp_path: Path) -> Home:
    """One whose engine makes by `plugin install resource NAME VERSION` a plugin that says it is real."""
    (paths.root / "requirements.txt").write_text(PINS)
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
    return Home(paths, Engine(pulumi, Version(3, 250, 0), "build"))


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


def test_stand_ins_are_asked_for_without_the_network(home: Home, unreachable: list[str]) -> None:
    assert home.decide("stand-in") == {"aws": "stand-in", "awsx": "stand-in", "docker": "stand-in"}
    assert unreachable == []
    command = home.wrapper("awsx", "3.1.0").splitlines()[-1]
    assert command.startswith(f"exec '{home.paths.root}'/.venv/bin/python ")
    assert command.endswith(' -m local.plugins.awsx "$@"')


def test_the_clis_own_log_is_off_unless_there_is_a_folder_for_it(home: Home) -> None:
    home.decide("stand-in")
    log = home.paths.home / "logs"
    assert "Make one in place of this file" in log.read_text()

    log.unlink()
    log.mkdir()
    home.decide("stand-in")
    assert log.is_dir()


def test_an_unreachable_server_is_asked_once_for_each_set_of_versions(
    home: Home, unreachable: list[str]
) -> None:
    for _ in range(2):
        assert set(home.decide().values()) == {"stand-in"}
    assert len(unreachable) == 1

    (home.paths.root / "requirements.txt").write_text(PINS.replace("7.1.0", "7.2.0"))
    home.decide()
    assert len(unreachable) == 2


@pytest.mark.usefixtures("unreachable")
def test_real_plugins_that_cant_be_had_are_an_error_when_asked_for(home: Home) -> None:
    with pytest.raises(LocalError, match=r"FILEFLOW_PLUGINS=real.*no route") as error:
        home.decide("real")
    assert "use the stand-ins" in error.value.fix


@pytest.mark.usefixtures("reachable")
@pytest.mark.parametrize(("has_containers", "docker"), [(True, "real"), (False, "stand-in")])
def test_real_plugins_are_downloaded_once_and_docker_is_used_where_an_engine_is(
    home: Home, has_containers: bool, docker: str
) -> None:
    for _ in range(2):
        decided = home.decide(has_containers=has_containers)
        assert decided == {"aws": "real", "awsx": "real", "docker": docker}
    installed = (home.engine.pulumi.parent / "installed").read_text().splitlines()
    assert installed == ["aws 7.1.0", "awsx 3.1.0", "docker 4.1.0"]
    assert str(home.paths.cache / "plugins") in home.wrapper("aws", "7.1.0")


@pytest.mark.usefixtures("reachable")
def test_a_failing_download_falls_back_to_the_stand_ins(home: Home, said: Callable[[], str]) -> None:
    fakes.script(home.engine.pulumi, "echo 'error: 403 forbidden' >&2; exit 1")
    assert set(home.decide().values()) == {"stand-in"}
    assert "403 forbidden" in said()


@pytest.mark.usefixtures("unreachable")
def test_a_cache_that_cant_be_written_is_no_reason_to_fail(home: Home) -> None:
    home.paths.cache.write_text("a file, where a folder should be")
    assert set(home.decide().values()) == {"stand-in"}


def test_a_wrong_choice_is_refused(home: Home) -> None:
    with pytest.raises(LocalError, match=r"FILEFLOW_PLUGINS is 'fake'.*auto, real, stand-in"):
        home.decide("fake")
