"""The way to AWS: clients of the emulated endpoint, and the words for what goes wrong on it.

Owns provider configuration as far as it decides where calls go, clients (one per service and region), and
the one-line form of errors. Works on an endpoint that is named explicitly only: a stand-in must never change
a real account.
"""

from __future__ import annotations

import functools
import json
import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

_MAX_CONNECTIONS: Final = 32
_CONNECT_TIMEOUT_SECONDS: Final = 5
_READ_TIMEOUT_SECONDS: Final = 60


class ConfigurationError(Exception):
    """The provider can't work as configured; the message says what to change."""


class AwsError(Exception):
    """One line: what was asked of AWS, and what it answered."""


@dataclass(frozen=True)
class Configuration:
    """What the program and the stack say about the provider."""

    region: str
    endpoint_url: str
    default_tags: Mapping[str, str] = field(default_factory=dict)


def configuration(arguments: Mapping[str, Any]) -> Configuration:
    """Reads the provider's arguments (as Configure gets them) and the environment.

    Raises ConfigurationError where no region or no emulated endpoint is named.
    """
    region = arguments.get("region") or os.environ.get("AWS_REGION")
    if not region:
        raise ConfigurationError("no AWS region is set: `pulumi config set aws:region REGION`")
    endpoint_url = os.environ.get("AWS_ENDPOINT_URL", "")
    if not endpoint_url:
        raise ConfigurationError(
            "the aws stand-in works on the emulated AWS only and AWS_ENDPOINT_URL isn't set:"
            " run make up, then source .local/env; for a real account use the real aws plugin"
        )
    given = arguments.get("defaultTags") or {}
    # From a stack's settings it comes as JSON text.
    tags = (json.loads(given) if isinstance(given, str) else given).get("tags") or {}
    return Configuration(
        region=str(region),
        endpoint_url=endpoint_url,
        default_tags={str(key): str(value) for key, value in tags.items()},
    )


class Aws:
    """Clients for one configuration. Safe to share between threads."""

    def __init__(self, config: Configuration) -> None:
        self.configuration = config
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}

    @property
    def region(self) -> str:
        return self.configuration.region

    def client(self, service: str, region: str | None = None) -> Any:
        """The botocore client of a service, by botocore's name (`elbv2`, `events`, `logs`)."""
        key = (service, region or self.region)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._create(*key)
            return self._clients[key]

    def _create(self, service: str, region: str) -> Any:
        import botocore.config

        return self._session.create_client(
            service,
            region_name=region,
            endpoint_url=self.configuration.endpoint_url,
            config=botocore.config.Config(
                max_pool_connections=_MAX_CONNECTIONS,
                connect_timeout=_CONNECT_TIMEOUT_SECONDS,
                read_timeout=_READ_TIMEOUT_SECONDS,
                retries={"mode": "standard", "total_max_attempts": 3},
                s3={"addressing_style": "path"},
            ),
        )

    @functools.cached_property
    def _session(self) -> Any:
        import botocore.session

        return botocore.session.Session()

    @functools.cached_property
    def account_id(self) -> str:
        with plain_errors():
            return str(self.client("sts").get_caller_identity()["Account"])

    @functools.cached_property
    def known_of_partition(self) -> Any:
        """What botocore knows of the region's partition: its name, its domain, its regions."""
        known = self._session.get_data("endpoints")["partitions"]
        return next((each for each in known if re.match(each["regionRegex"], self.region)), known[0])

    @property
    def partition(self) -> str:
        return str(self.known_of_partition["partition"])

    def arn(self, service: str, resource: str, region: str | None = None) -> str:
        return f"arn:{self.partition}:{service}:{region or self.region}:{self.account_id}:{resource}"


def code(error: Exception) -> str:
    """The AWS error code (`ServiceNotFoundException`) of a failed call, or nothing for another failure."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turns botocore's exceptions into AwsError."""
    try:
        yield
    except botocore_errors() as error:
        raise AwsError(describe(error)) from error


def botocore_errors() -> tuple[type[Exception], ...]:
    """What a call to AWS may raise."""
    import botocore.exceptions

    return (
        botocore.exceptions.ClientError,
        botocore.exceptions.BotoCoreError,
        botocore.exceptions.HTTPClientError,
    )


def describe(error: BaseException) -> str:
    """One line for a failed call."""
    import botocore.exceptions

    if isinstance(error, botocore.exceptions.ClientError):
        details = error.response.get("Error", {})
        message = " ".join(str(details.get("Message", "")).split())
        return f"{error.operation_name}: {details.get('Code', 'Unknown')}: {message}"
    if isinstance(
        error,
        botocore.exceptions.EndpointConnectionError
        | botocore.exceptions.ConnectTimeoutError
        | botocore.exceptions.ConnectionClosedError
        | botocore.exceptions.ReadTimeoutError,
    ):
        url = str(getattr(error, "kwargs", {}).get("endpoint_url") or os.environ.get("AWS_ENDPOINT_URL", ""))
        return f"cannot reach the emulated AWS at {url.rstrip('/')}; run make up"
    return " ".join(str(error).split())
