"""The AWS clients that the verbs share: one session, short time-outs, the region of the stack."""

from __future__ import annotations

import functools
from typing import Any

import boto3
from botocore.config import Config

CONNECT_TIMEOUT_SECONDS = 5
READ_TIMEOUT_SECONDS = 20


class Aws:
    """Clients by the credentials of the environment, for one region; each is made when first used."""

    def __init__(self, region: str) -> None:
        self.region = region
        self._session = boto3.Session(region_name=region)

    @functools.cache  # noqa: B019 one instance lives as long as the command
    def client(self, service: str) -> Any:
        """The client of a service, by boto3's name of it."""
        return self._session.client(
            service,
            config=Config(
                connect_timeout=CONNECT_TIMEOUT_SECONDS,
                read_timeout=READ_TIMEOUT_SECONDS,
                retries={"mode": "standard", "max_attempts": 3},
            ),
        )

    @property
    def ecs(self) -> Any:
        return self.client("ecs")
