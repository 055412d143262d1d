"""One emulated AWS for the tests of a worker, and folders for each test."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local import virtual_environments
from local.emulator import process
from local.paths import Paths
from local.python_packages import UV_PACKAGE, ensure_tool


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What has been said on stderr so far."""
    heard: list[str] = []

    def so_far() -> str:
        heard.append(capsys.readouterr().err)
        return "".join(heard)

    return so_far


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """The folders of a checkout that is empty yet, and a cache of its own."""
    root = tmp_path / "a checkout"
    root.mkdir()
    return Paths(root=root, local=root / ".local", cache=tmp_path / "cache")


@pytest.fixture
def uv(paths: Paths) -> None:
    """The `uv` of the cache that all clones share, in a test's own."""
    shared = ensure_tool(UV_PACKAGE, "bin/uv", Paths.of(os.environ).cache, os.environ, "Tests").parent.parent
    tools = paths.cache / "tools"
    tools.mkdir(parents=True)
    (tools / shared.name).symlink_to(shared)


@pytest.fixture(scope="session")
def python() -> Path:
    """The Python that runs it."""
    return virtual_environments.ensure(Paths.of(os.environ), virtual_environments.EMULATOR, os.environ)


@pytest.fixture(scope="session")
def emulator(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[process.RunningEmulator]:
    # A Docker engine may be there; what these tests assert must not depend on it.
    environment = {**os.environ, "FILEFLOW_CONTAINER_ENGINE": "simulated"}
    state_dir = tmp_path_factory.mktemp("emulator")
    running = process.start(python, None, state_dir / "emulator.log", state_dir, environment=environment)
    yield running
    process.stop(state_dir)


_accounts = itertools.count(100_000_000_000)


@pytest.fixture
def account() -> str:
    """An account that no other test of this emulator uses."""
    return str(next(_accounts))
