"""A Docker engine and a registry for a test, or a skip that says why there can't be one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.containers import docker_engine, local_containers
from local.containers.local_containers import LocalContainers
from local.errors import LocalError

ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("DOCKER_", "FILEFLOW_", "SUDO_"))
}
"""Without an engine or registry of the user's own, so that a test has its own."""


def start_or_skip(folder: Path) -> LocalContainers:
    """Start both in a folder; skip the test on a machine that can't."""
    try:
        return local_containers.start(folder, ENVIRONMENT)
    except LocalError as error:
        pytest.skip(f"no Docker engine and registry can be started here: {error.problem} {error.fix}")


@contextmanager
def running(folder: Path) -> Iterator[LocalContainers]:
    """An engine of the test's own while the block runs; one at Docker's socket can't take its place."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(docker_engine, "DEFAULT_HOST", f"unix://{folder / 'none.sock'}")
        try:
            yield start_or_skip(folder)
        finally:
            local_containers.stop(folder)
