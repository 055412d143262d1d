"""The AWS clients that the verbs share: one session, short time-outs, the region and account of the stack."""

from __future__ import annotations

import functools
from typing import Any

import boto3
from botocore.config import Config

from operate.errors import OperateError

CONNECT_TIMEOUT_SECONDS = 5
READ_TIMEOUT_SECONDS = 20


class Aws:
    """Clients by the credentials of the environment, for one region; each is made when first used.

    Raises OperateError at the first one where the credentials are another account's than the stack's: the
    same names may be there, and would be restarted.
    """

    def __init__(self, region: str, account_id: str | None = None) -> None:
        self.region = region
        self.account_id = account_id

    @functools.cached_property
    def _session(self) -> boto3.Session:
        session = boto3.Session(region_name=self.region)
        if self.account_id is not None:
            found = _client(session, "sts").get_caller_identity()["Account"]
            if found != self.account_id:
                raise OperateError(
                    f"The stack is in account {self.account_id}, and the credentials are of {found}.",
                    "Take those of the stack's account, or choose another stack: --stack NAME; for the AWS "
                    "on this machine: make up STACK=NAME, then source .local/env",
                )
        return session

    @functools.cache  # noqa: B019 one instance lives as long as the command
    def client(self, service: str) -> Any:
        """The client of a service, by boto3's name of it."""
        return _client(self._session, service)

    @property
    def ecs(self) -> Any:
        return self.client("ecs")


def _client(session: boto3.Session, service: str) -> Any:
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=READ_TIMEOUT_SECONDS,
        retries={"mode": "standard", "max_attempts": 3},
    )
    try:
        return session.client(service, config=config)
    except ValueError as error:
        # Only an address can be wrong here, and botocore says so by a plain ValueError.
        raise OperateError(f"{error}.", "Correct or unset AWS_ENDPOINT_URL.") from error
