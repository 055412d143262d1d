"""What a change of a running stack must not do, decided on what the watcher saw.

Pure. The one scheduler that counts is the one that ECS counts: RUNNING and PENDING, not STOPPING
(https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html). How long
one that stops overlaps with its successor is measured, not forbidden.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.walk.watcher import Record, Task

SCHEDULER = "-scheduler-"
OWN_WEB_ACL = "fileflow-prod-alb"
EXISTING_WEB_ACL = "walk"
"""What facts call it."""


@dataclass(frozen=True, kw_only=True)
class Handover:
    """From one task of a scheduler to the next one, in seconds.

    `without` is the time in which none was RUNNING, `overlap` the time in which the old one was still
    stopping while the new one was RUNNING already.
    """

    service: str
    without: float
    overlap: float


def tasks_of(record: Record, service: str) -> list[Task]:
    """The tasks that a service had during the run, the oldest first."""
    return sorted(
        (
            task
            for task in record.tasks.values()
            if task.service == service and (task.counted_until is None or task.counted_until > record.began)
        ),
        key=lambda task: task.created,
    )


def schedulers_in(record: Record) -> list[str]:
    """The services whose tasks may never be two."""
    return sorted({task.service for task in record.tasks.values() if SCHEDULER in task.service})


def handovers(record: Record) -> Iterator[Handover]:
    """Each change from one task of a scheduler to the next."""
    for service in schedulers_in(record):
        tasks = tasks_of(record, service)
        for old, new in itertools.pairwise(tasks):
            if old.counted_until is None or new.started is None:
                continue
            yield Handover(
                service=service,
                without=max(0.0, new.started - old.counted_until),
                overlap=max(0.0, (old.stopped or record.ended) - new.started),
            )


def two_at_once(record: Record) -> Iterator[str]:
    """Schedulers that had two tasks at a time, by what was seen and by the tasks' own times."""
    for service in schedulers_in(record):
        most = record.most_at_once.get(service, 0)
        if most > 1:
            yield f"{service} had {most} tasks at once"
        tasks = tasks_of(record, service)
        for old, new in itertools.pairwise(tasks):
            if old.counted_until is None or new.created < old.counted_until:
                yield f"{service}: {new.definition} was started before {old.definition} was told to stop"


def restarted(record: Record, most: int) -> Iterator[str]:
    """Schedulers that were without a task for longer than `most` times one stop and start."""
    for service in schedulers_in(record):
        starts = sum(1 for task in tasks_of(record, service) if task.created >= record.began)
        if starts > most:
            yield f"{service} was started {starts} times by one change"


def not_running(record: Record, expected: Collection[str]) -> Iterator[str]:
    """Schedulers that should have a task at the end and don't, and the other way round."""
    alive = {
        service
        for service in schedulers_in(record)
        if any(task.counted_until is None and task.started is not None for task in tasks_of(record, service))
    }
    yield from (f"{service} has no task" for service in sorted(set(expected) - alive))
    yield from (f"{service} still has a task" for service in sorted(alive - set(expected)))


def unanswered(record: Record) -> Iterator[str]:
    """Requests to the web API that reached no target."""
    failed = [sight for sight in record.sights if not sight.answered]
    if failed:
        lasted = failed[-1].at - failed[0].at
        yield (
            f"the web API didn't answer {len(failed)} of {len(record.sights)} requests, over {lasted:.1f} s, "
            f"first: {failed[0].answer}"
        )


def unguarded(values: Mapping[str, Any], found: Sequence[str]) -> Iterator[str]:
    """A load balancer with another web ACL in front than its file says, or with none."""
    balancer = values["web_api"]["load_balancer"]
    expected = [OWN_WEB_ACL] if "web_acl" in balancer else []
    expected += [EXISTING_WEB_ACL] if "web_acl_arn" in balancer else []
    if list(found) != expected:
        yield f"the web ACLs in front of the load balancer are {list(found)} and not {expected}"


def unreadable(before: Mapping[str, str], after: Mapping[str, str], asked_for: bool) -> Iterator[str]:
    """Keys on their way out, by their ids, that weren't before: what they encrypted can't be read any more.

    Logs keep the key that they came in under, also when their group has another one.
    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    going = sorted(after[each] for each in set(after) - set(before))
    if asked_for:
        if not going:
            yield "no key is deleted, although that was asked for"
    else:
        yield from (f"a key is deleted, and what it encrypted is lost: {each}" for each in going)


def restarted_services(record: Record) -> set[str]:
    """The services that got a new task during the run."""
    return {task.service for task in record.tasks.values() if task.created >= record.began and task.started}
