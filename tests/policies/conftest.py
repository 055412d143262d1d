"""Puts the policy pack on the import path, and gives tests a project to run the real Pulumi CLI in.

The pack is a folder of its own, usable without this repository.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.fork_server import process as fork_server
from local.paths import Paths

PACK = Path(__file__).parents[2] / "policies"
if str(PACK) not in sys.path:
    sys.path.insert(0, str(PACK))

from tests.policies.command_line import Project, Template  # noqa: E402 # they need the pack on the path
from tests.policies.echo_provider import EchoProvider, serving  # noqa: E402


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves the nightly tests out unless they are asked for: `pytest -m nightly`."""
    if "nightly" in config.option.markexpr:
        return
    nightly = {item for item in items if item.get_closest_marker("nightly")}
    if nightly:
        config.hook.pytest_deselected(items=list(nightly))
        items[:] = [item for item in items if item not in nightly]


@pytest.fixture(scope="session")
def provider() -> Iterator[tuple[EchoProvider, int]]:
    with serving() as served:
        yield served


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    paths = dataclasses.replace(Paths.of(os.environ), local=tmp_path_factory.mktemp("local"))
    fork_server.ensure(paths, os.environ)
    yield Template.make(tmp_path_factory.mktemp("project"), "prod", paths.fork_server)
    fork_server.stop(paths)


@pytest.fixture
def project(
    request: pytest.FixtureRequest, tmp_path: Path, template: Template, provider: tuple[EchoProvider, int]
) -> Project:
    return template.project(tmp_path, getattr(request, "param", None), *provider)
