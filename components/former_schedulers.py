"""Whether a scheduler that comes up is one that runs already, under another name.

The engine makes what is new before it deletes what is gone, so a scheduler under another name would run
twice for as long as the two overlap. Owns the look at what runs and the refusal. Doesn't own a scheduler.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

import pulumi

from components.aws_session import SessionSettings
from components.cluster import Cluster
from components.refusal import refused, told
from components.rollout import SERVICE, mocked


def checked_cluster(cluster: Cluster, prefix: str, wanted: Mapping[str, str | None]) -> pulumi.Output[str]:
    """The cluster's ARN, or a run that fails before a service is touched.

    `wanted` are the services that the program asks for, each with the one that it was renamed from;
    `prefix` is what the names of all of the program's schedulers begin with. Raises `pulumi.RunError` where
    one of them runs that isn't asked for, while another one is new. Under mocks nobody is asked.
    Source: https://www.pulumi.com/docs/iac/concepts/how-pulumi-works/ (section "Creation and deletion order")
    """
    if not wanted or mocked():
        return cluster.cluster_arn
    provider = cluster.get_provider(SERVICE)

    async def check(arn: str) -> str:
        await refuse_doubles(await SessionSettings.of(provider), arn, prefix, wanted)
        return arn

    checked: pulumi.Output[str] = cluster.cluster_arn.apply(told(check))
    return checked


async def refuse_doubles(
    settings: SessionSettings, cluster_arn: str, prefix: str, wanted: Mapping[str, str | None]
) -> None:
    """Refuses what `checked_cluster` does; warns where ECS can't be asked."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        running = await asyncio.to_thread(_running, settings, cluster_arn, prefix)
    except (BotoCoreError, ClientError) as error:
        pulumi.log.warn(f"ECS can't be asked whether a new scheduler runs under another name: {error}")
        return
    refuse_unsaid_renames(running, wanted)


def _running(settings: SessionSettings, cluster_arn: str, prefix: str) -> set[str]:
    """The cluster's services whose name begins so.

    One that is being deleted isn't listed any more:
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteService.html
    """
    _, _, _, region, _, _ = cluster_arn.split(":", 5)
    ecs = settings.open(region).client("ecs")
    names = {
        arn.rpartition("/")[2]
        for page in ecs.get_paginator("list_services").paginate(cluster=cluster_arn)
        for arn in page["serviceArns"]
    }
    return {name for name in names if name.startswith(prefix)}


def refuse_unsaid_renames(running: Collection[str], wanted: Mapping[str, str | None]) -> None:
    """Refuses a new scheduler beside one that runs and isn't asked for, unless it was renamed from that."""
    said = {former for former in wanted.values() if former is not None}
    new = sorted(name for name, former in wanted.items() if name not in running and former not in running)
    gone = sorted(set(running) - set(wanted) - said)
    if new and gone:
        raise refused(
            "schedulers.name",
            ", ".join(new),
            f"{', '.join(gone)} runs and is no longer asked for, and the new one would start before that "
            "stops, so that a renamed scheduler ran twice",
            "Say renamed_from with its former name if it is the same one; otherwise remove the old one "
            "first, in a run of its own.",
        )
