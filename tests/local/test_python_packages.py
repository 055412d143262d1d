"""`uv` installs by pip's settings, pip where `uv` can't, and neither anywhere but where it is told to."""

from __future__ import annotations

import os
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from local import python_packages
from local.paths import Paths
from local.python_packages import UV_PACKAGE, for_uv, why
from local.virtual_environments import Requirements, ensure
from tests.local import fakes

SMALL = Requirements("small", "small.txt", ("small.txt",))


@pytest.fixture
def paths(paths: Paths, tmp_path: Path) -> Paths:
    (paths.root / "small.txt").write_text("small==1.0\n")
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "small-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("small.py", "WORD = 'hello'\n")
        wheel.writestr("small-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: small\nVersion: 1.0\n")
        wheel.writestr("small-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(
            "small-1.0.dist-info/RECORD",
            "small.py,,\nsmall-1.0.dist-info/METADATA,,\nsmall-1.0.dist-info/WHEEL,,\n",
        )
    return paths


@pytest.fixture
def offline(tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": fakes.SYSTEM_PATH,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path / "wheels"),
    }


def word_of(python: Path) -> str:
    program = "import small; print(small.WORD)"
    return subprocess.run([python, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.usefixtures("uv")
def test_uv_fills_an_environment_by_the_settings_that_pip_has_and_nothing_elsewhere(
    paths: Paths, offline: dict[str, str], said: Callable[[], str], tmp_path: Path
) -> None:
    elsewhere = {"PIP_TARGET": str(tmp_path / "x"), "UV_SYSTEM_PYTHON": "1", "UV_PYTHON": "/nowhere"}
    python = ensure(paths, SMALL, offline | elsewhere)
    assert word_of(python) == "hello"
    assert not (tmp_path / "x").exists()
    assert not python.with_name("pip").exists()
    assert "pip" not in said()


def test_pip_fills_it_where_uv_cant_be_had(
    paths: Paths, offline: dict[str, str], said: Callable[[], str]
) -> None:
    assert word_of(ensure(paths, SMALL, offline)) == "hello"
    assert "pip takes the place of uv, which can't be had: `pip install uv==" in said()


def test_pip_fills_it_where_uv_fails(paths: Paths, offline: dict[str, str], said: Callable[[], str]) -> None:
    fakes.script(
        paths.cache / "tools" / UV_PACKAGE.replace("==", "-") / "bin" / "uv", "echo error: odd; exit 2"
    )
    assert word_of(ensure(paths, SMALL, offline)) == "hello"
    assert "by pip, since uv failed (error: odd), done in" in said()


def test_an_index_with_a_password_stays_out_of_the_command_line_and_uvs_own_wins(tmp_path: Path) -> None:
    index = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "https://user:hunter2@a.test/simple"}
    own = {"UV_DEFAULT_INDEX": "https://b.test/simple"}
    for environment, expected in ((index, index["PIP_INDEX_URL"]), (index | own, own["UV_DEFAULT_INDEX"])):
        command, variables = python_packages.uv_install(tmp_path, tmp_path, tmp_path, tmp_path, environment)
        assert "hunter2" not in " ".join(command)
        assert variables["UV_DEFAULT_INDEX"] == expected


def test_pips_settings_are_said_in_uvs_words() -> None:
    assert for_uv(
        {
            "index-url": "https://a.test/simple",
            "extra-index-url": "\nhttps://b.test/simple\nhttps://c.test/simple",
            "find-links": "/one /two",
            "cert": "/ca.pem",
            "trusted-host": "a.test",
            "default-timeout": "180",
            "require-virtualenv": "true",
        }
    ) == {
        "UV_DEFAULT_INDEX": "https://a.test/simple",
        "UV_INDEX": "https://b.test/simple https://c.test/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/one,/two",
        "SSL_CERT_FILE": "/ca.pem",
        "UV_INSECURE_HOST": "a.test",
        "UV_HTTP_TIMEOUT": "180",
    }


def test_an_interpreter_without_pip_makes_one_for_the_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(python_packages, "has_pip", lambda: False)
    python = python_packages._python_with_pip(tmp_path / "made", tmp_path / "log", os.environ)
    assert python == tmp_path / "made" / "bin" / "python"
    assert python.with_name("pip").exists()


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (
            "Collecting x\nERROR: No matching distribution found for x\nnotice",
            "ERROR: No matching distribution",
        ),
        ("a\nOSError: [Errno 28] No space left on device\nERROR: y", "No space left on device"),
        ("  × No solution found:\n  ╰─▶ Because x was not found, it fails.", "Because x was not found"),
        ("only this", "only this"),
        ("", "it printed nothing"),
    ],
)
def test_a_failed_installation_is_told_in_one_line(tmp_path: Path, log: str, expected: str) -> None:
    (tmp_path / "log").write_text(log)
    assert expected in why(tmp_path / "log")
    assert "\n" not in why(tmp_path / "log")
