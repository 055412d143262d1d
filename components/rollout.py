"""Fails the run when ECS doesn't run what the program asks for, and tells why a version doesn't run.

A steady state isn't enough: after a rollback the service is steady again, on what it ran before, and a later
run finds nothing to change. So every run, also one that changes nothing, compares what each service runs with
what the program asks for. Owns that comparison and its message. Doesn't own the rollback, which is ECS's, nor
a repair: to roll forward again what somebody put back is a person's decision.

ECS is asked with the credentials of the service's provider. Where they don't reach it, the provider is asked
for the little that it tells, and the run says so; a good rollout stays good.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pulumi
import pulumi_aws as aws
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.settings import get_monitor

from components.aws_session import SessionSettings
from components.options import Placement
from components.stopped_task import StoppedTask, explanation, likely_cause, short
from components.task import Task
from components.verdicts import RolledBackError, Verdict, judged

__all__ = [
    "Asked",
    "RolledBackError",
    "StoppedTask",
    "check_rollout",
    "likely_cause",
    "rollout_hooks",
]

LOG_LINES = 20
"""How many of a stopped task's last log lines an error shows."""

LONGEST_ROLLOUT_SECONDS = 60 * 60
"""How long a rollout may take. Longer than three failed starts with ECS's pauses between them, the rollback,
and the time that its alarms are watched: a run that gives up before doesn't know how it ends.

The provider's own 20 minutes are less than that.
Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html,
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html (bake time)
"""

ROLLOUT_TIMEOUTS = pulumi.CustomTimeouts(
    create=f"{LONGEST_ROLLOUT_SECONDS}s", update=f"{LONGEST_ROLLOUT_SECONDS}s", delete="30m"
)

_POLL_SECONDS = 3
SERVICE = "aws:ecs/service:Service"

_UNKEPT = frozenset({"ROLLBACK_FAILED", "ROLLBACK_SUCCESSFUL", "STOPPED"})
"""How a service deployment ends that ECS didn't keep.

Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeployment.html
"""


_BREAKER_THRESHOLD = 3
"""How many failed tasks trip ECS's circuit breaker at least; here also tasks that ended after they had run.

The breaker's count ends with the first task that is well, so that a version whose tasks live for a minute
each is deployed to it. That it may go on counting (`resetOnHealthyTask`) the provider doesn't know yet.
Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html,
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentCircuitBreaker.html
"""


_OVER_AND_OVER = timedelta(minutes=15)
"""How long ago a task's end counts: what has stayed since then has recovered, whatever was the matter."""


class UnreachableError(Exception):
    """The credentials at hand don't reach the service; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the program asks ECS to run: a revision, in a network, on a kind of capacity."""

    cluster: str
    service: str
    task_definition: str
    subnets: frozenset[str]
    security_groups: frozenset[str]
    capacity: frozenset[str]

    @classmethod
    def of(cls, inputs: Mapping[str, Any]) -> Asked:
        """From a service's inputs, under Pulumi's names."""
        network = inputs["networkConfiguration"]
        return cls(
            cluster=str(inputs["cluster"]),
            service=str(inputs["name"]),
            task_definition=str(inputs["taskDefinition"]),
            subnets=frozenset(network["subnets"]),
            security_groups=frozenset(network["securityGroups"]),
            capacity=_capacity(inputs["capacityProviderStrategies"]),
        )

    def differences(self, deployment: Mapping[str, Any]) -> list[str]:
        """What a deployment, as ECS describes it, runs otherwise; nothing where it runs what was asked."""
        network = (deployment.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
        compared = (
            ("", frozenset([self.task_definition]), frozenset([str(deployment["taskDefinition"])])),
            ("subnets ", self.subnets, frozenset(network.get("subnets") or ())),
            ("security groups ", self.security_groups, frozenset(network.get("securityGroups") or ())),
            ("capacity ", self.capacity, _capacity(deployment.get("capacityProviderStrategy") or ())),
        )
        return [
            f"Asked for {what}{_listed(asked)}, but {_listed(runs)} is what runs."
            for what, asked, runs in compared
            if asked != runs
        ]


def _capacity(strategies: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(
        _one_capacity(each["capacityProvider"], each.get("base"), each.get("weight")) for each in strategies
    )


def _one_capacity(provider: object, base: Any, weight: Any) -> str:
    return f"{provider} (base {int(base or 0)}, weight {int(weight or 0)})"


def _listed(values: Iterable[str]) -> str:
    return ", ".join(sorted(short(value) for value in values)) or "none"


def rollout_hooks(name: str, parent: pulumi.Resource) -> pulumi.ResourceHookBinding | None:
    """The hook by which a service whose creation or update failed tells why its task doesn't run.

    None under mocks, which serve no hooks: https://github.com/pulumi/pulumi/issues/20874.
    """
    if mocked():
        return None
    provider = parent.get_provider(SERVICE)

    async def explain(args: pulumi.ErrorHookArgs) -> bool:
        reason = await explain_failure(provider, args)
        if reason is not None:
            pulumi.log.error(reason)
        # The provider's error stands, and nothing is tried again.
        return False

    return pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook(_unique(f"{name}-failure"), explain)])


_names: Counter[str] = Counter()


def _unique(name: str) -> str:
    """`name`, numbered from its second use on: two services of one name may have different parents."""
    _names[name] += 1
    return name if _names[name] == 1 else f"{name}-{_names[name]}"


def mocked() -> bool:
    """Whether mocks stand in for the engine, which serve no hooks and reach no AWS."""
    return isinstance(get_monitor(), MockMonitor)


def check_rollout(
    service: aws.ecs.Service,
    cluster_arn: pulumi.Input[str],
    task: Task,
    placement: Placement,
    strategies: Sequence[aws.ecs.ServiceCapacityProviderStrategyArgs],
    parent: pulumi.Resource,
) -> Verdict | None:
    """Fails the run, once the service is made or left as it is, where ECS doesn't run what is asked for.

    Not in a preview, where nothing has been asked for yet, nor under mocks, where there is nobody to ask.
    """
    if pulumi.runtime.is_dry_run() or mocked():
        return None
    provider = parent.get_provider(SERVICE)

    async def check(known: dict[str, Any]) -> None:
        asked = Asked(
            cluster=known["cluster"],
            service=known["service"],
            task_definition=known["task_definition"],
            subnets=frozenset(known["subnets"]),
            security_groups=frozenset([known["security_group"]]),
            capacity=frozenset(
                _one_capacity(each.capacity_provider, each.base, each.weight) for each in strategies
            ),
        )
        await verify(provider, known["arn"], asked, parent)

    known: pulumi.Output[dict[str, Any]] = pulumi.Output.all(
        arn=service.arn,
        cluster=cluster_arn,
        service=service.name,
        task_definition=task.definition.arn,
        subnets=placement.private_subnet_ids,
        security_group=task.security_group.id,
    )
    return judged(known, check, service)


async def verify(
    provider: pulumi.ProviderResource | None, arn: str, asked: Asked, parent: pulumi.Resource
) -> None:
    """Raises `RolledBackError` where the service `arn` doesn't run what was asked."""
    from botocore.exceptions import BotoCoreError, ClientError

    settings = await SessionSettings.of(provider)
    try:
        await asyncio.to_thread(_verify, settings, arn, asked)
    except (BotoCoreError, ClientError, UnreachableError) as error:
        pulumi.log.warn(f"{asked.service}: ECS can't be asked what it runs, only the provider: {error}")
        running = await _told_by_provider(asked, parent)
        if running not in (None, asked.task_definition):
            runs = f"Asked for {short(asked.task_definition)}, but {short(str(running))} is what runs."
            raise RolledBackError(describe(asked.service, [runs])) from None


async def _told_by_provider(asked: Asked, parent: pulumi.Resource) -> str | None:
    """The revision that the service's provider says is running; None where it doesn't say."""
    options = pulumi.InvokeOutputOptions(parent=parent)
    found = aws.ecs.get_service_output(cluster_arn=asked.cluster, service_name=asked.service, opts=options)
    try:
        service = await found.future()
    except Exception as error:  # noqa: BLE001  # the SDK raises no narrower one for a function that failed
        pulumi.log.warn(f"{asked.service}: the provider doesn't tell what runs either: {error}")
        return None
    return None if service is None else service.task_definition


def _verify(settings: SessionSettings, arn: str, asked: Asked) -> None:
    _, _, _, region, account, _ = arn.split(":", 5)
    session = settings.open(region)
    own = session.client("sts").get_caller_identity()["Account"]
    if own != account:
        raise UnreachableError(f"the credentials here are account {own}'s, the service is {account}'s")
    ecs = session.client("ecs")
    primary = _settled(ecs, asked)
    runs = asked.differences(primary)
    if runs or primary.get("rolloutState") == "FAILED":
        unkept = _unkept(ecs, asked)
        stopped = None if unkept is None else _last_stopped_task(session, asked, unkept)
        raise RolledBackError(describe(asked.service, runs, unkept, stopped))
    if primary["desiredCount"] == 0:
        # Of one that is paused, no task has to stay.
        return
    ended = ended_by_themselves(primary, _stopped_tasks(ecs, asked), datetime.now(UTC))
    if len(ended) >= max(_BREAKER_THRESHOLD, primary["desiredCount"] + 1):
        last = read_stopped_task(session, _last(ended))
        raise RolledBackError(describe_ends(asked, len(ended), last))


def _settled(ecs: Any, asked: Asked) -> Mapping[str, Any]:
    """The service's primary deployment, once its rollout is over."""
    deadline = time.monotonic() + LONGEST_ROLLOUT_SECONDS
    while True:
        primary = _primary(ecs, asked)
        if primary.get("rolloutState") != "IN_PROGRESS":
            return primary
        if time.monotonic() > deadline:
            raise RolledBackError(
                f"{asked.service}: the rollout of {short(asked.task_definition)} hasn't ended after "
                f"{LONGEST_ROLLOUT_SECONDS // 60} minutes. Look at the service's events."
            )
        time.sleep(_POLL_SECONDS)


def _primary(ecs: Any, asked: Asked) -> Mapping[str, Any]:
    described = ecs.describe_services(cluster=asked.cluster, services=[asked.service])["services"]
    for deployment in described[0]["deployments"] if described else ():
        if deployment["status"] == "PRIMARY":
            return dict(deployment)
    raise RolledBackError(
        f"{asked.service}: ECS doesn't know the service in {short(asked.cluster)}, though the state does. "
        "Run `pulumi up --refresh`, which makes it again."
    )


@dataclass(frozen=True, kw_only=True)
class Unkept:
    """The last deployment of a service, where ECS didn't keep it."""

    reason: str
    revision: str
    status: str = "ROLLBACK_SUCCESSFUL"


def _unkept(ecs: Any, asked: Asked) -> Unkept | None:
    """The service's last deployment, where ECS put it back or gave it up; None where it is what runs."""
    listed = ecs.list_service_deployments(cluster=asked.cluster, service=asked.service)["serviceDeployments"]
    if not listed:
        return None
    last = max(listed, key=lambda each: each["createdAt"])
    if last["status"] not in _UNKEPT:
        return None
    return Unkept(
        reason=last.get("statusReason") or "no reason given",
        revision=last["targetServiceRevisionArn"],
        status=last["status"],
    )


def describe(
    service: str, runs: Sequence[str], unkept: Unkept | None = None, task: StoppedTask | None = None
) -> str:
    """The error's text: what was asked for, what runs, and why it isn't what was asked for."""
    if unkept is None:
        return "\n".join(
            [
                f"{service}: somebody deployed something else than this program, for example by the AWS CLI. "
                + " ".join(runs),
                "To deploy what the program asks for, run `pulumi up --refresh`. To keep what runs, set its "
                "version first.",
            ]
        )
    lines = [
        " ".join([f"{service}: ECS rolled back, so this run has failed.", *runs]),
        f"ECS says: {unkept.reason}",
        *(
            ["What ran before doesn't start either: the service may have no task at all."]
            if unkept.status == "ROLLBACK_FAILED"
            else []
        ),
        *(
            ["ECS remembers no stopped task; it forgets them after an hour."]
            if task is None
            else explanation(task)
        ),
        "After the fix run `pulumi up --refresh`: the state may hold what was asked for.",
    ]
    return "\n".join(lines)


async def explain_failure(provider: pulumi.ProviderResource | None, args: pulumi.ErrorHookArgs) -> str | None:
    """Beside the provider's error: why what was asked for doesn't run; None where ECS doesn't tell."""
    inputs: Mapping[str, Any] = args.new_inputs or {}
    if args.failed_operation == "delete" or not {"cluster", "name", "taskDefinition"} <= inputs.keys():
        return None
    from botocore.exceptions import BotoCoreError, ClientError

    settings = await SessionSettings.of(provider)
    try:
        return await asyncio.to_thread(_explain, settings, Asked.of(inputs))
    except (BotoCoreError, ClientError) as error:
        # For example because AWS refused to make the service: the provider's error then says all.
        pulumi.log.debug(f"{inputs['name']}: ECS doesn't tell of stopped tasks: {error}")
        return None


def _explain(settings: SessionSettings, asked: Asked) -> str | None:
    session = settings.open(asked.cluster.split(":")[3])
    ecs = session.client("ecs")
    unkept = _unkept(ecs, asked)
    stopped = _last_stopped_task(session, asked, unkept)
    if stopped is None:
        return None
    runs = asked.differences(_primary(ecs, asked))
    if unkept is not None and runs:
        return describe(asked.service, runs, unkept, stopped)
    return "\n".join([f"{asked.service}: {short(asked.task_definition)} doesn't run.", *explanation(stopped)])


def ended_by_themselves(
    deployment: Mapping[str, Any], stopped: Sequence[Mapping[str, Any]], now: datetime
) -> list[Mapping[str, Any]]:
    """The tasks of a deployment that ran and then ended, or failed a health check; not those that ECS ended.

    Only those of the last `_OVER_AND_OVER`.
    Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html (startedBy, stopCode)
    """
    return [
        task
        for task in stopped
        if task.get("startedBy") == deployment["id"]
        and "startedAt" in task
        and task["stoppedAt"] > now - _OVER_AND_OVER
        and (
            task.get("stopCode") == "EssentialContainerExited"
            or "health checks" in task.get("stoppedReason", "")
        )
    ]


def describe_ends(asked: Asked, number: int, last: StoppedTask) -> str:
    """The error's text for a version whose tasks end over and over."""
    return "\n".join(
        [
            f"{asked.service}: the rollout of {short(asked.task_definition)} is over, but {number} of its "
            "tasks ran and then ended by themselves, and ECS starts the next one.",
            *explanation(last),
            "ECS doesn't put it back: deploy a version that stays, or set the former one.",
        ]
    )


def _stopped_tasks(ecs: Any, asked: Asked) -> list[Mapping[str, Any]]:
    """The service's stopped tasks of the last hour, after which ECS forgets them."""
    listed = ecs.list_tasks(cluster=asked.cluster, serviceName=asked.service, desiredStatus="STOPPED")
    arns = listed["taskArns"]
    return list(ecs.describe_tasks(cluster=asked.cluster, tasks=arns)["tasks"]) if arns else []


def _last(tasks: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return max(tasks, key=lambda each: each.get("stoppedAt") or each["createdAt"])


def _last_stopped_task(session: Any, asked: Asked, unkept: Unkept | None) -> StoppedTask | None:
    """The task that stopped last of those that the failed deployment started, or of its revision.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html (startedBy)
    """
    tasks = _stopped_tasks(session.client("ecs"), asked)
    number = "" if unkept is None else short(unkept.revision)
    own = [task for task in tasks if number and short(task.get("startedBy", "")) == number]
    own = own or [task for task in tasks if task["taskDefinitionArn"] == asked.task_definition]
    return read_stopped_task(session, _last(own)) if own else None


def read_stopped_task(session: Any, task: Mapping[str, Any]) -> StoppedTask:
    """A task as DescribeTasks gives it, with the end of its log; `session` makes the clients."""
    return StoppedTask(
        task_arn=task["taskArn"],
        stopped_reason=task.get("stoppedReason", ""),
        container_reasons=[each["reason"] for each in task["containers"] if each.get("reason")],
        exit_codes=[each["exitCode"] for each in task["containers"] if each.get("exitCode") is not None],
        log_lines=_last_log_lines(session, task["taskDefinitionArn"], task["taskArn"]),
    )


def _last_log_lines(session: Any, task_definition: str, task_arn: str) -> list[str]:
    definition = session.client("ecs").describe_task_definition(taskDefinition=task_definition)
    logs = session.client("logs")
    lines: list[str] = []
    for container in definition["taskDefinition"]["containerDefinitions"]:
        options = container.get("logConfiguration", {}).get("options", {})
        if "awslogs-group" not in options:
            continue
        stream = f"{options['awslogs-stream-prefix']}/{container['name']}/{short(task_arn)}"
        try:
            events = logs.get_log_events(
                logGroupName=options["awslogs-group"],
                logStreamName=stream,
                limit=LOG_LINES,
                startFromHead=False,
            )["events"]
        except logs.exceptions.ResourceNotFoundException:
            # A task that never started has no stream.
            continue
        lines.extend(event["message"].rstrip() for event in events)
    return lines[-LOG_LINES:]
