"""What AWS says of one service by now: its tasks, deployments, image and alarms.

Owns the questions and the plain values that come back. Doesn't own what is right or wrong about them:
see `operate.findings`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from components.lease_record import HeldLease
from components.pause import Pause
from operate.aws import Aws
from operate.errors import OperateError
from operate.leases import lease_of
from operate.stack import Service

EVENTS_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task of a service, or one that somebody started beside it."""

    arn: str
    last_status: str
    desired_status: str
    task_definition_arn: str
    group: str
    started_by: str | None
    health: str | None
    created_at: datetime | None
    started_at: datetime | None
    stopping_at: datetime | None
    stopped_at: datetime | None
    stopped_reason: str | None
    private_address: str | None
    spot: bool
    execute_command: bool
    runtime_ids: Mapping[str, str]
    """The container runtime's id of each container, by the container's name."""

    @property
    def task_id(self) -> str:
        return self.arn.rpartition("/")[2]

    @property
    def is_stopping(self) -> bool:
        """Told to stop and not yet gone: ECS no longer counts it, and it may still work."""
        return self.desired_status == "STOPPED" and self.last_status != "STOPPED"


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """The primary deployment: what ECS is bringing, or has brought, into service."""

    task_definition_arn: str
    state: str
    reason: str | None
    desired: int
    running: int
    failed_tasks: int
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One CloudWatch alarm of the stack on this service."""

    name: str
    state: str
    reason: str
    actions_enabled: bool
    has_action: bool


@dataclass(frozen=True, kw_only=True)
class Event:
    """One line of the service's event list."""

    at: datetime
    message: str


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What runs of one service."""

    service: str
    role: str
    status: str
    desired: int
    running: int
    pending: int
    tasks: Sequence[Task]
    """Those of the service that aren't gone: starting, running and stopping ones."""
    strangers: Sequence[Task]
    """Tasks of the same family that don't belong to the service, for example by `run-task`."""
    rollout: Rollout
    deployments: int
    asked_task_definition_arn: str
    image: str | None
    versions: Sequence[str]
    """The tags of the running image, without those that move."""
    alarms: Sequence[Alarm]
    events: Sequence[Event]
    settings: dict[str, Any]
    """What ECS has for the properties that the guarantee of exactly one rests on."""
    lease: HeldLease | None = None
    """Where the scheduler works under one."""
    pause: Pause | None = None
    """Why a scheduler has no task for a while, by the last update; None where it has to run."""
    muted_alarm_names: Sequence[str] = ()
    """The alarms that are muted while it is paused."""
    seen_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def is_paused(self) -> bool:
        """Whether it is paused by now: not any more when the pause's end has passed."""
        return self.pause is not None and self.seen_at < self.pause.ends

    @property
    def stopping(self) -> int:
        return sum(task.is_stopping for task in self.tasks)

    @property
    def runs_what_was_asked(self) -> bool:
        return self.rollout.task_definition_arn == self.asked_task_definition_arn


def observe(aws: Aws, service: Service, alarm_names: Iterable[str] = ()) -> Observation:
    """Asks ECS, ECR and CloudWatch about one service.

    Raises OperateError where ECS doesn't know it.
    """
    described = aws.ecs.describe_services(cluster=service.cluster, services=[service.name])["services"]
    if not described:
        raise OperateError(
            f"ECS doesn't know the service {service.name} in cluster {service.cluster}.",
            "Somebody deleted it: `pulumi refresh`, then `pulumi up` make it again.",
        )
    found = described[0]
    primary = next(each for each in found["deployments"] if each["status"] == "PRIMARY")
    image = _image(aws, primary["taskDefinition"], service)
    mine = tasks_of(aws, service)
    return Observation(
        service=service.name,
        role=service.role,
        status=found["status"],
        desired=found["desiredCount"],
        running=found["runningCount"],
        pending=found["pendingCount"],
        tasks=[task for task in mine if task.last_status != "STOPPED"],
        strangers=strangers_of(aws, service),
        rollout=Rollout(
            task_definition_arn=primary["taskDefinition"],
            state=primary.get("rolloutState", "COMPLETED"),
            reason=primary.get("rolloutStateReason"),
            desired=primary["desiredCount"],
            running=primary["runningCount"],
            failed_tasks=primary.get("failedTasks", 0),
            created_at=primary["createdAt"],
        ),
        deployments=len(found["deployments"]),
        asked_task_definition_arn=service.task_definition_arn,
        image=image,
        versions=_versions(aws, image),
        alarms=alarms_of(aws, alarm_names),
        events=[
            Event(at=each["createdAt"], message=each["message"]) for each in found["events"][:EVENTS_SHOWN]
        ],
        settings=_settings(found),
        lease=lease_of(aws, service.containers),
        pause=service.pause,
        muted_alarm_names=service.muted_alarm_names,
    )


def tasks_of(aws: Aws, service: Service) -> list[Task]:
    """All tasks of the service that ECS remembers, those that have stopped too (for about an hour)."""
    arns = [
        arn
        for status in ("RUNNING", "STOPPED")
        for arn in _listed(aws, cluster=service.cluster, serviceName=service.name, desiredStatus=status)
    ]
    return described_tasks(aws, service.cluster, arns)


def strangers_of(aws: Aws, service: Service) -> list[Task]:
    """The tasks of the service's family that run without belonging to it."""
    arns = _listed(aws, cluster=service.cluster, family=service.family, desiredStatus="RUNNING")
    return [
        task
        for task in described_tasks(aws, service.cluster, arns)
        if task.group != f"service:{service.name}" and task.last_status != "STOPPED"
    ]


def described_tasks(aws: Aws, cluster: str, arns: Sequence[str]) -> list[Task]:
    """What ECS says of these tasks, the newest first."""
    found: list[Task] = []
    # DescribeTasks takes a hundred at a time.
    for start in range(0, len(arns), 100):
        answer = aws.ecs.describe_tasks(cluster=cluster, tasks=list(arns[start : start + 100]))
        found.extend(_task(each) for each in answer["tasks"])
    epoch = datetime.min
    return sorted(found, key=lambda task: (task.created_at or epoch).replace(tzinfo=None), reverse=True)


def alarms_of(aws: Aws, names: Iterable[str]) -> list[Alarm]:
    """The state of these alarms; one that is gone isn't among them."""
    wanted = sorted(names)
    found: list[Alarm] = []
    # DescribeAlarms takes a hundred names at a time.
    for start in range(0, len(wanted), 100):
        answer = aws.client("cloudwatch").describe_alarms(
            AlarmNames=wanted[start : start + 100], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        found.extend(
            Alarm(
                name=each["AlarmName"],
                state=each["StateValue"],
                reason=each.get("StateReason", ""),
                actions_enabled=each.get("ActionsEnabled", True),
                has_action=bool(each.get("AlarmActions")),
            )
            for each in [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
        )
    return found


def _listed(aws: Aws, **filters: str) -> list[str]:
    pages = aws.ecs.get_paginator("list_tasks").paginate(**filters)
    return [arn for page in pages for arn in page["taskArns"]]


def _task(task: dict[str, Any]) -> Task:
    details = {
        detail["name"]: detail["value"]
        for attachment in task.get("attachments", [])
        for detail in attachment.get("details", [])
        if "value" in detail
    }
    return Task(
        arn=task["taskArn"],
        last_status=task["lastStatus"],
        desired_status=task["desiredStatus"],
        task_definition_arn=task["taskDefinitionArn"],
        group=task.get("group", ""),
        started_by=task.get("startedBy"),
        health=task.get("healthStatus"),
        created_at=task.get("createdAt"),
        started_at=task.get("startedAt"),
        stopping_at=task.get("stoppingAt"),
        stopped_at=task.get("stoppedAt"),
        stopped_reason=task.get("stoppedReason"),
        private_address=details.get("privateIPv4Address"),
        spot=task.get("capacityProviderName") == "FARGATE_SPOT",
        execute_command=task.get("enableExecuteCommand", False),
        runtime_ids={
            each["name"]: each["runtimeId"] for each in task.get("containers", []) if "runtimeId" in each
        },
    )


def _image(aws: Aws, task_definition_arn: str, service: Service) -> str | None:
    answer = aws.ecs.describe_task_definition(taskDefinition=task_definition_arn)
    containers = answer["taskDefinition"]["containerDefinitions"]
    main = service.containers[0]["name"] if service.containers else None
    chosen = next((each for each in containers if each["name"] == main), None) or next(
        iter(sorted(containers, key=lambda each: not each.get("portMappings"))), None
    )
    return None if chosen is None else str(chosen["image"])


def _versions(aws: Aws, image: str | None) -> list[str]:
    """The tags of an image in ECR that don't move; none for an image that lies elsewhere or is gone."""
    repository, _, digest = (image or "").partition("@")
    registry, _, name = repository.partition("/")
    if not digest or ".dkr.ecr." not in registry:
        return []
    ecr = aws.client("ecr")
    try:
        details = ecr.describe_images(
            registryId=registry.partition(".")[0],
            repositoryName=name.partition(":")[0],
            imageIds=[{"imageDigest": digest}],
        )["imageDetails"]
    except (ecr.exceptions.ImageNotFoundException, ecr.exceptions.RepositoryNotFoundException):
        return []
    return sorted(tag for each in details for tag in each.get("imageTags", []) if not tag.endswith("latest"))


def _settings(found: dict[str, Any]) -> dict[str, Any]:
    limits = found.get("deploymentConfiguration", {})
    strategy = found.get("capacityProviderStrategy", [])
    return {
        "minimumHealthyPercent": limits.get("minimumHealthyPercent"),
        "maximumPercent": limits.get("maximumPercent"),
        "availabilityZoneRebalancing": found.get("availabilityZoneRebalancing"),
        "schedulingStrategy": found.get("schedulingStrategy"),
        "deploymentController": found.get("deploymentController", {}).get("type", "ECS"),
        "capacityProviders": sorted(each["capacityProvider"] for each in strategy)
        or [found.get("launchType", "")],
        "loadBalancers": len(found.get("loadBalancers", [])),
        "serviceRegistries": len(found.get("serviceRegistries", [])),
    }
