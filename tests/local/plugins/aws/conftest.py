"""The aws stand-in on an emulated AWS, each test in an account of its own."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from local.emulator import process
from tests.local.emulated import emulator_python
from tests.local.plugins.aws.plugin import Plugin

REGION = "ap-northeast-2"
_accounts = itertools.count(200_000_000_000)


def pytest_configure(config: pytest.Config) -> None:
    # The SDK warns of the old spellings of S3 types when it loads their module, whoever uses them.
    config.addinivalue_line("filterwarnings", "ignore:.* has been deprecated in favor of:DeprecationWarning")


@pytest.fixture(scope="session")
def emulator_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        # A Docker engine may be there; what these tests assert must not depend on it.
        patch.setenv("FILEFLOW_CONTAINER_ENGINE", "simulated")
        state_dir = tmp_path_factory.mktemp("emulator")
        running = process.start(emulator_python(), None, state_dir / "emulator.log", state_dir)
    yield running.url
    process.stop(state_dir)


@pytest.fixture
def account() -> str:
    """An account that no other test of this emulator uses."""
    return str(next(_accounts))


def _settings(url: str, account: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def _enter(patch: pytest.MonkeyPatch, url: str, account: str) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        patch.delenv(name, raising=False)
    for name, value in _settings(url, account).items():
        patch.setenv(name, value)


@pytest.fixture
def aws(emulator_url: str, account: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Makes boto3 clients of the test's own account: what someone else changes is changed by these."""
    _enter(monkeypatch, emulator_url, account)
    return lambda service: boto3.session.Session().client(service)


@pytest.fixture
def plugin(aws: Callable[[str], Any]) -> Plugin:
    return Plugin()


@pytest.fixture(scope="module")
def shared_plugin(emulator_url: str) -> Iterator[Plugin]:
    """One stand-in for tests that make nothing: Check and Diff alone."""
    with pytest.MonkeyPatch.context() as patch:
        _enter(patch, emulator_url, str(next(_accounts)))
        yield Plugin()
