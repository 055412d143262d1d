"""Fails the run where a paused scheduler's tasks go on working.

Once nothing of a service runs by ECS's own count, a task that was told to stop may go on until its stop
timeout is over, and what a scheduler is paused for mustn't begin before that. So the run ends when its
containers have ended. Doesn't own the rollout (`rollout`), and lets go by what the credentials at hand can't
read, with a warning.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from components.aws_session import SessionSettings
from components.rollout import SERVICE
from components.stopped_task import short
from components.verdicts import RolledBackError, Verdict, judged

_POLL_SECONDS = 3
_PATIENCE_SECONDS = 60
"""How long beyond the stop timeout: what ECS itself takes to stop a task."""

_ENDED = frozenset({"DEPROVISIONING", "STOPPED", "DELETED"})
"""The states of a task whose containers have ended.

Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
"""
_DESCRIBED_AT_ONCE = 100


def check_stopped(
    rolled_out: Verdict, service: aws.ecs.Service, stop_timeout_seconds: int, parent: pulumi.Resource
) -> None:
    """Fails the run, once ECS counts no task any more, where one works on after its stop timeout."""
    provider = parent.get_provider(SERVICE)

    async def check(known: dict[str, Any]) -> None:
        if known["failed"] is None:
            await verify_stopped(
                provider, known["arn"], known["cluster"], stop_timeout_seconds + _PATIENCE_SECONDS
            )

    known: pulumi.Output[dict[str, Any]] = pulumi.Output.all(
        failed=rolled_out, arn=service.arn, cluster=service.cluster, service=service.name
    )
    judged(known, check, service)


async def verify_stopped(
    provider: pulumi.ProviderResource | None, arn: str, cluster: str, patience_seconds: float
) -> None:
    """Raises `RolledBackError` where a task of the service hasn't ended after that time."""
    from botocore.exceptions import BotoCoreError, ClientError

    settings = await SessionSettings.of(provider)
    service = short(arn)
    try:
        working = await asyncio.to_thread(_working, settings, arn, cluster, patience_seconds)
    except (BotoCoreError, ClientError) as error:
        pulumi.log.warn(f"{service}: whether its tasks have ended can't be asked: {error}")
        return
    if working:
        raise RolledBackError(
            f"{service} is paused, and still has {', '.join(short(each) for each in working)}. Somebody may "
            "have set its count: python -m operate fix-count " + service
        )


def _working(settings: SessionSettings, arn: str, cluster: str, patience_seconds: float) -> Sequence[str]:
    """The tasks of the service that haven't ended when time is up; none as soon as all have."""
    ecs = settings.open(arn.split(":")[3]).client("ecs")
    deadline = time.monotonic() + patience_seconds
    while True:
        working = working_tasks(ecs, cluster, short(arn))
        if not working or time.monotonic() >= deadline:
            return working
        time.sleep(_POLL_SECONDS)


def working_tasks(ecs: Any, cluster: str, service: str) -> list[str]:
    """The tasks of a service whose containers haven't ended, also those that were told to."""
    pages = [
        page["taskArns"]
        for status in ("RUNNING", "STOPPED")
        for page in ecs.get_paginator("list_tasks").paginate(
            cluster=cluster, serviceName=service, desiredStatus=status
        )
    ]
    return [
        task["taskArn"]
        for page in pages
        for first in range(0, len(page), _DESCRIBED_AT_ONCE)
        for task in ecs.describe_tasks(cluster=cluster, tasks=page[first : first + _DESCRIBED_AT_ONCE])[
            "tasks"
        ]
        if task["lastStatus"] not in _ENDED
    ]
