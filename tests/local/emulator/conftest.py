"""boto3 clients for the emulated AWS."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config

from local.emulator import process
from tests.local.emulator.answers import wrong
from tests.local.emulator.aws import REGION, Client
from tests.local.emulator.ecs_world import World


@pytest.fixture
def client(emulator: process.RunningEmulator, account: str) -> Client:
    """Makes boto3 clients of the test's own account: `client("ecs")`, `client("ecs", region="us-east-1")`.

    Every answer that a test gets is held against the service's model.
    """

    def make(service: str, *, region: str = REGION, account: str = account) -> Any:
        made = boto3.client(
            service,
            endpoint_url=emulator.url,
            region_name=region,
            aws_access_key_id=account,
            aws_secret_access_key="local",
            config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
        )

        def judge(event_name: str, response_dict: Any, parsed_response: Any, **_: Any) -> None:
            operation = made.meta.service_model.operation_model(event_name.rpartition(".")[2])
            assert wrong(operation, response_dict, parsed_response) == []

        made.meta.events.register("response-received", judge)
        return made

    return make


@pytest.fixture
def world(client: Client, account: str) -> World:
    """A cluster in a network, without anything in it."""
    return World(client, account)
