"""One emulated AWS for the tests of a worker, and boto3 clients for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local.emulator import process

ACCOUNT = "646886795421"
REGION = "ap-northeast-2"


def emulator_python() -> Path:
    """The Python that has ministack: FILEFLOW_EMULATOR_PYTHON, else the one that the bootstrap caches."""
    given = os.environ.get("FILEFLOW_EMULATOR_PYTHON")
    if given:
        return Path(given)
    pytest.skip("FILEFLOW_EMULATOR_PYTHON doesn't say which Python has ministack")


@pytest.fixture(scope="session")
def python() -> Path:
    return emulator_python()


@pytest.fixture(scope="session")
def emulator(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[process.RunningEmulator]:
    state_dir = tmp_path_factory.mktemp("emulator")
    running = process.start(python, None, state_dir / "emulator.log", state_dir)
    yield running
    process.stop(state_dir)


Client = Callable[..., Any]


@pytest.fixture(scope="session")
def client(emulator: process.RunningEmulator) -> Client:
    """Makes a boto3 client: `client("ecs")`, `client("ecs", account="111122223333", region="us-east-1")`."""

    def make(service: str, *, account: str = ACCOUNT, region: str = REGION) -> Any:
        return boto3.client(
            service,
            endpoint_url=emulator.url,
            region_name=region,
            aws_access_key_id=account,
            aws_secret_access_key="local",
            config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    return make
