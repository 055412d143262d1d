"""What the tests of all stand-ins share: models that are read once, and a warning that says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from unittest import mock

import pytest
from botocore.loaders import create_loader


def pytest_configure(config: pytest.Config) -> None:
    # The SDK warns of the old spellings of types when it loads their module, whoever uses them.
    config.addinivalue_line("filterwarnings", "ignore:.* has been deprecated in favor of:DeprecationWarning")


@pytest.fixture(scope="session", autouse=True)
def models() -> Iterator[None]:
    """Reads each of AWS's models once, not once for each stand-in: that takes two thirds of the time."""
    loader = create_loader()
    with mock.patch("botocore.session.create_loader", lambda *_: loader):
        yield
