"""The aws stand-in on an emulated AWS, each test in an account of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import boto3
import pytest

from local.emulator import process
from tests.local.plugins.aws.case import Aws
from tests.local.plugins.aws.life import Life
from tests.local.plugins.aws.plugin import Plugin

REGION = "ap-northeast-2"
UNUSED_ACCOUNT = "200000000000"
"""Has nothing in it."""


def _enter(patch: pytest.MonkeyPatch, url: str, account: str) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        patch.delenv(name, raising=False)
    settings = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    for name, value in settings.items():
        patch.setenv(name, value)


@pytest.fixture
def aws(emulator: process.RunningEmulator, account: str, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """Makes boto3 clients of the test's own account: what someone else changes is changed by these."""
    _enter(monkeypatch, emulator.url, account)
    clients: Aws = boto3.session.Session().client
    return clients


@pytest.fixture
def plugin(aws: Aws) -> Plugin:
    return Plugin()


@pytest.fixture
def vpc(plugin: Plugin) -> Life:
    return Life(plugin, "ec2/vpc:Vpc", cidrBlock="10.20.0.0/16", tags={"Name": "network"})


@pytest.fixture(scope="module")
def shared_plugin(emulator: process.RunningEmulator) -> Iterator[Plugin]:
    """One stand-in for tests that make nothing: Check and Diff alone."""
    with pytest.MonkeyPatch.context() as patch:
        _enter(patch, emulator.url, UNUSED_ACCOUNT)
        yield Plugin()
