"""Asks the emulated AWS without pause while a stack changes, and keeps what it saw.

Owns the questions: which tasks each scheduler has and had, and whether a request to the load balancer
reaches a target. Doesn't own what of that is wrong (`rules`).
"""

from __future__ import annotations

import datetime
import http.client
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3

from tests.repeated import Repeated

REGION = "ap-northeast-2"
SIMULATED = b"the targets are simulated"
"""What the emulated load balancer answers for a target that no container runs behind."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task's life, in seconds since the epoch; None for what hasn't happened."""

    arn: str
    service: str
    definition: str
    created: float
    started: float | None
    stopping: float | None
    stopped: float | None

    @property
    def counted_until(self) -> float | None:
        """When ECS stops counting it as RUNNING or PENDING."""
        ends = [each for each in (self.stopping, self.stopped) if each is not None]
        return min(ends) if ends else None


@dataclass(frozen=True)
class Sight:
    """What one request to the load balancer saw."""

    at: float
    answered: bool
    answer: str


@dataclass(kw_only=True)
class Record:
    """All that was seen during one run."""

    began: float
    ended: float = 0.0
    looks: int = 0
    tasks: dict[str, Task] = field(default_factory=dict)
    most_at_once: dict[str, int] = field(default_factory=dict)
    sights: list[Sight] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def client(service: str, endpoint: str, account: str) -> Any:
    """A client of the emulated AWS."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=account,
        aws_secret_access_key="local",
    )


def ask(endpoint: str, url: str, redirects: int = 3) -> Sight:
    """One request as a client would make it that follows redirects, sent to the emulator."""
    at = time.time()
    target = urllib.parse.urlsplit(endpoint)
    wanted = urllib.parse.urlsplit(url)
    port = wanted.port or (443 if wanted.scheme == "https" else 80)
    connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=10)
    try:
        connection.request("GET", wanted.path or "/", headers={"Host": f"{wanted.hostname}:{port}"})
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        return Sight(at, False, f"{url}: {error!r}")
    finally:
        connection.close()
    location = response.getheader("Location")
    if response.status in (301, 302) and location and redirects:
        return ask(endpoint, urllib.parse.urljoin(url, location), redirects - 1)
    answered = response.status == http.HTTPStatus.OK or SIMULATED in body
    return Sight(at, answered, f"{url}: {response.status} {body[:120].decode(errors='replace').strip()}")


class Watcher(Repeated):
    """Looks from its beginning to its end, in a thread of its own.

    `urls` are asked in turn; `renames` maps the new names of schedulers to the old ones, whose tasks count
    together. It looks without pause unless `pause_seconds` is given.
    """

    def __init__(
        self,
        endpoint: str,
        account: str,
        urls: Sequence[str],
        renames: Mapping[str, str] | None = None,
        *,
        pause_seconds: float = 0.0,
    ) -> None:
        super().__init__(pause_seconds=pause_seconds)
        self._endpoint, self._urls = endpoint, urls
        self._renames = renames or {}
        self._ecs = client("ecs", endpoint, account)
        self._gone: set[str] = set()
        self.record = Record(began=time.time())

    def __exit__(self, *raised: object) -> None:
        super().__exit__(*raised)
        # Once more: what the last look had not seen yet.
        self.look()
        self.record.ended = time.time()

    def look(self) -> None:
        """Sees how it is now."""
        self.record.looks += 1
        self.record.sights += [ask(self._endpoint, url) for url in self._urls]
        try:
            self._look_at_tasks()
        except Exception as error:  # noqa: BLE001 - whatever it is, the walk fails for it
            self.record.problems.append(repr(error))

    def _look_at_tasks(self) -> None:
        counted: dict[str, int] = {}
        for cluster in self._ecs.list_clusters()["clusterArns"]:
            for status in ("RUNNING", "STOPPED"):
                arns = self._ecs.list_tasks(cluster=cluster, desiredStatus=status)["taskArns"]
                new = [arn for arn in arns if arn not in self._gone]
                for first in range(0, len(new), 100):
                    found = self._ecs.describe_tasks(cluster=cluster, tasks=new[first : first + 100])
                    for described in found["tasks"]:
                        task = self._task(described)
                        self.record.tasks[task.arn] = task
                        if task.stopped is not None:
                            self._gone.add(task.arn)
                        if described["desiredStatus"] == "RUNNING":
                            counted[task.service] = counted.get(task.service, 0) + 1
        for service, number in counted.items():
            self.record.most_at_once[service] = max(number, self.record.most_at_once.get(service, 0))

    def _task(self, described: Mapping[str, Any]) -> Task:
        service = described["group"].removeprefix("service:")
        for new, old in self._renames.items():
            service = service.replace(f"-scheduler-{new}", f"-scheduler-{old}")
        return Task(
            arn=described["taskArn"],
            service=service,
            definition=described["taskDefinitionArn"].rpartition("/")[2],
            created=_seconds(described["createdAt"]) or 0.0,
            started=_seconds(described.get("startedAt")),
            stopping=_seconds(described.get("stoppingAt")),
            stopped=_seconds(described.get("stoppedAt")),
        )


def _seconds(moment: datetime.datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
