"""The awsx plugin, started once for the module's tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.local.plugins.awsx.recording_engine import AwsxPlugin


@pytest.fixture(scope="session")
def plugin() -> Iterator[AwsxPlugin]:
    """The plugin's process, for the whole session."""
    started = AwsxPlugin(os.environ)
    yield started
    started.stop()
