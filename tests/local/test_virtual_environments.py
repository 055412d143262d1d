"""Virtual environments are shared, whole, and made again when they no longer fit."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from local.errors import LocalError
from local.paths import ROOT, Paths
from local.virtual_environments import EMULATOR, PROJECT, Requirements, ensure, folder_of, link
from tests.local import fakes

EMPTY = Requirements("empty", "empty.txt", ("empty.txt",))


@pytest.fixture
def paths(paths: Paths) -> Paths:
    (paths.root / "empty.txt").write_text("# nothing\n")
    return paths


@pytest.fixture
def environment() -> dict[str, str]:
    return {"PATH": fakes.SYSTEM_PATH, "PIP_NO_INDEX": "1"}


@pytest.mark.usefixtures("uv")
def test_an_environment_is_made_once_unless_it_is_unfinished_or_its_python_was_removed(
    paths: Paths, environment: dict[str, str], said: Callable[[], str]
) -> None:
    folder = folder_of(paths, EMPTY)
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").write_text("half")
    for _ in range(2):
        python = ensure(paths, EMPTY, environment)
        prefix = subprocess.run(
            [python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=True
        ).stdout.strip()
        assert Path(prefix) == folder
    assert said().count("done in") == 1

    python.unlink()
    python.symlink_to("/nowhere/python3")
    assert ensure(paths, EMPTY, environment) == python
    assert python.exists()


@pytest.mark.usefixtures("uv")
def test_what_cant_be_installed_is_told_in_one_error(paths: Paths, environment: dict[str, str]) -> None:
    (paths.root / "empty.txt").write_text("no-such-package-as-this==1.0\n")
    with pytest.raises(LocalError, match="no-such-package-as-this") as error:
        ensure(paths, EMPTY, environment)
    assert "check the network" in error.value.fix
    assert not (folder_of(paths, EMPTY) / "complete").exists()


def test_changed_requirements_give_another_environment(paths: Paths) -> None:
    before = folder_of(paths, EMPTY)
    (paths.root / "empty.txt").write_text("# something\n")
    assert folder_of(paths, EMPTY) != before


def test_the_link_in_the_checkout_is_replaced_in_one_step(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    at = tmp_path / ".venv"
    link(at, first)
    link(at, second)
    assert at.resolve() == second
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".venv", "first", "second"]


def test_a_users_own_folder_is_left_alone(tmp_path: Path) -> None:
    at = tmp_path / ".venv"
    at.mkdir()
    with pytest.raises(LocalError, match="a folder of its own") as error:
        link(at, tmp_path / "first")
    assert f"mv {at}" in error.value.fix
    assert not at.is_symlink()


@pytest.mark.parametrize("requirements", [PROJECT, EMULATOR], ids=lambda requirements: requirements.name)
def test_every_package_is_pinned(requirements: Requirements) -> None:
    lines = [
        line.partition("#")[0].strip()
        for file in requirements.files
        for line in (ROOT / file).read_text().splitlines()
    ]
    packages = [line for line in lines if line and not line.startswith("-")]
    assert packages
    assert [line for line in packages if "==" not in line] == []
