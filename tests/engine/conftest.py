"""One deployment of the whole program, for tests that look at it or put back what they change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engine.deployment import Deployment
from tests.engine.runbook import settled


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """FileFlow on stack `local`, after `make up`."""
    deployment = Deployment.copy(tmp_path_factory.mktemp("deployed"))
    up = deployment.up()
    try:
        assert up.returncode == 0, up.stdout
        yield deployment
    finally:
        deployment.down()


@pytest.fixture(scope="module")
def stack(deployed: Deployment) -> Deployment:
    """The same, once its tasks run and nothing is wrong."""
    settled(deployed)
    return deployed


@pytest.fixture
def changed(stack: Deployment) -> Iterator[Deployment]:
    """The same, for a test that changes what runs."""
    yield stack
    settled(stack)
