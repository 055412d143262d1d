"""Fails the run where a scheduler's rollout is over and its own task doesn't hold its lease.

A task that waits for its lease is well to ECS once its start period has passed, so that ECS takes a rollout
for done whose task never works: another one holds the lease, or the task can't reach DynamoDB and nobody
does. Owns that comparison and its message. Doesn't own the rollout (`rollout`), and lets go by what the
credentials at hand can't read, with a warning. On the local stack with simulated containers no guard runs;
there the emulated AWS writes what a guard would (`local/emulator/completions/ecs_leases.py`).
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pulumi
import pulumi_aws as aws

from components.aws_session import SessionSettings
from components.lease import Lease
from components.lease_record import read_lease
from components.rollout import SERVICE
from components.stopped_task import short
from components.verdicts import RolledBackError, Verdict, judged

_POLL_SECONDS = 3


def check_lease_holder(
    rolled_out: Verdict,
    service: aws.ecs.Service,
    lease: Lease,
    stop_timeout_seconds: int,
    parent: pulumi.Resource,
) -> None:
    """Fails the run, once the service runs what was asked, where its task waits longer than a rollout takes.

    That is two leases and the stop timeout: the predecessor may end until then, and a dead one's lease too.
    """
    provider = parent.get_provider(SERVICE)
    patience_seconds = 2 * lease.duration_seconds + stop_timeout_seconds

    async def check(known: dict[str, Any]) -> None:
        if known["failed"] is None:
            await verify_holder(provider, known["arn"], known["cluster"], lease, patience_seconds)

    known: pulumi.Output[dict[str, Any]] = pulumi.Output.all(
        failed=rolled_out, arn=service.arn, cluster=service.cluster, service=service.name
    )
    judged(known, check, service)


async def verify_holder(
    provider: pulumi.ProviderResource | None, arn: str, cluster: str, lease: Lease, patience_seconds: float
) -> None:
    """Raises `RolledBackError` where the service's task still doesn't hold it after that time."""
    from botocore.exceptions import BotoCoreError, ClientError

    settings = await SessionSettings.of(provider)
    service = short(arn)
    try:
        problem = await asyncio.to_thread(_problem, settings, arn, cluster, lease, patience_seconds)
    except (BotoCoreError, ClientError) as error:
        pulumi.log.warn(f"{service}: who holds its lease can't be asked: {error}")
        return
    if problem is not None:
        raise RolledBackError(f"{service}: its task runs and waits, since {problem}")


def _problem(
    settings: SessionSettings, arn: str, cluster: str, lease: Lease, patience_seconds: float
) -> str | None:
    """Why the service's own task doesn't hold the lease, with what to do; None where it does."""
    session = settings.open(arn.split(":")[3])
    ecs, dynamodb = session.client("ecs"), session.client("dynamodb")
    deadline = time.monotonic() + patience_seconds
    while True:
        found = read_lease(dynamodb, lease.table_name, lease.key)
        # The new task may come and take the lease while this asks, so the service's tasks come second.
        own = ecs.list_tasks(cluster=cluster, serviceName=short(arn))["taskArns"]
        # Where a guard can't learn its task it calls itself by its host, which compares with nothing.
        if found.holder in own or (found.holder is not None and found.task is None):
            return None
        if time.monotonic() >= deadline:
            return _nobody(lease) if found.task is None else _another(lease, found.task)
        time.sleep(_POLL_SECONDS)


def _another(lease: Lease, holder: str) -> str:
    return (
        f"another one holds the lease {lease.key} of the table {lease.table_name}: {holder}. Stop that one "
        "(a task by hand, another service or stack on the same database), or give this scheduler a key of "
        "its own if it works on another database."
    )


def _nobody(lease: Lease) -> str:
    return (
        f"nobody holds the lease {lease.key} of the table {lease.table_name}: its guard can't take it, or "
        "the scheduler ends again and again. The reason is in the log, in lines with 'scheduler lease' "
        "(python -m operate logs). Mostly the task has no way to DynamoDB: it takes a NAT gateway, or a "
        "gateway endpoint in the route tables of its subnets whose policy lets it through."
    )
