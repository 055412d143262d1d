"""The aws stand-in on an emulated AWS, each test in an account of its own."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.emulator import process
from tests.local.plugins.aws.plugin import Plugin

REGION = "ap-northeast-2"
_accounts = itertools.count(200_000_000_000)


def pytest_configure(config: pytest.Config) -> None:
    # The SDK warns of the old spellings of S3 types when it loads their module, whoever uses them.
    config.addinivalue_line("filterwarnings", "ignore:.* has been deprecated in favor of:DeprecationWarning")


@pytest.fixture(scope="session")
def emulator_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    python = os.environ.get("FILEFLOW_EMULATOR_PYTHON")
    if not python:
        pytest.skip("FILEFLOW_EMULATOR_PYTHON doesn't say which Python has ministack")
    with pytest.MonkeyPatch.context() as patch:
        # A Docker engine may be there; what these tests assert must not depend on it.
        patch.setenv("FILEFLOW_CONTAINER_ENGINE", "simulated")
        state_dir = tmp_path_factory.mktemp("emulator")
        running = process.start(Path(python), None, state_dir / "emulator.log", state_dir)
    yield running.url
    process.stop(state_dir)


@pytest.fixture
def account() -> str:
    """An account that no other test of this emulator uses."""
    return str(next(_accounts))


@pytest.fixture
def aws(emulator_url: str, account: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Makes boto3 clients of the test's own account: what someone else changes is changed by these."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", account)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    return lambda service: boto3.session.Session().client(service)


@pytest.fixture
def plugin(aws: Callable[[str], Any]) -> Plugin:
    del aws
    return Plugin()
