"""Fails the run when ECS has put the old version back, and tells why a version doesn't run.

Waiting for a steady state isn't enough: after the circuit breaker's rollback the service is steady
again, on the old task definition, and the run would report success. And where there is no old version,
the provider fails with ECS's summary alone. Owns the check after create and update, and the reason that
both cases report. Doesn't own the rollback itself, which is ECS's.

The hooks ask ECS with the credentials of the environment and the `aws:profile` of the stack.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

LOG_LINES = 20
"""How many of a stopped task's last log lines an error shows."""


class RolledBackError(Exception):
    """ECS runs another task definition than the run asked for; the message says why."""


@dataclass(frozen=True, kw_only=True)
class StoppedTask:
    """What ECS remembers of a task that stopped, with the end of its log."""

    task_arn: str
    stopped_reason: str
    container_reasons: Sequence[str]
    exit_codes: Sequence[int]
    log_lines: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One of the causes that the deployment guide lists under "스케줄러가 시작되지 않음"."""

    name: str
    pattern: re.Pattern[str]
    fix: str


def _failing(subject: str) -> re.Pattern[str]:
    """A line that speaks of `subject` and of a failure: a healthy start speaks of both pools, too."""
    failure = r"exception|refused|unable|fail|error|timed? ?out|denied|could not"
    return re.compile(rf"^(?=.*({subject})).*({failure})", re.IGNORECASE | re.MULTILINE)


CAUSES = (
    Cause(
        name="Secrets Manager permission",
        pattern=re.compile(
            # A secret without the JSON key that was asked for says so by itself: no matter of permission.
            r"ResourceInitializationError(?!.*json key).*(secret|ssm)"
            r"|(AccessDenied|not authorized).*(secretsmanager|ssm|kms):",
            re.IGNORECASE | re.DOTALL,
        ),
        fix="Name the secret under the service's secrets; a key of its own also under secrets_kms_key_arns.",
    ),
    Cause(
        name="out of memory (OOM)",
        pattern=re.compile(r"OutOfMemory|\bOOM(Kill|\b)|\bexit code 137\b|Java heap space", re.IGNORECASE),
        fix="Raise the service's size.memory_mib.",
    ),
    Cause(
        name="Redis connection",
        pattern=_failing(r"redis|lettuce|jedis"),
        fix="Check the Redis address in the service's environment and the security group in front of Redis.",
    ),
    Cause(
        name="database connection",
        pattern=_failing(
            r"hikari|jdbc|communications link failure|could not open connection|SQLException|PSQLException"
        ),
        fix="Check the database address in the service's environment and the security group in front of it.",
    ),
)


def likely_cause(task: StoppedTask) -> Cause | None:
    """The guide's cause that the task's reason or log speaks of, or None where it can't be told."""
    text = "\n".join(
        [
            task.stopped_reason,
            *task.container_reasons,
            *(f"exit code {code}" for code in task.exit_codes),
            *task.log_lines,
        ]
    )
    return next((cause for cause in CAUSES if cause.pattern.search(text)), None)


def describe(service: str, asked: str, running: str, task: StoppedTask | None) -> str:
    """The error's text: what was asked for, what runs, and why the new version didn't."""
    lines = [
        f"{service}: ECS rolled back, so this run has failed. "
        f"Asked for {_short(asked)}, but {_short(running)} is what runs."
    ]
    if task is None:
        lines.append("ECS remembers no stopped task; it forgets them after an hour.")
        return "\n".join(lines)
    lines.extend(_why(task))
    lines.append("After the fix run `pulumi up --refresh`: the state holds the version that was asked for.")
    return "\n".join(lines)


def describe_failure(service: str, asked: str, task: StoppedTask) -> str:
    """The text beside the provider's error: why the version that was asked for doesn't run."""
    return "\n".join([f"{service}: {_short(asked)} doesn't run.", *_why(task)])


def _why(task: StoppedTask) -> list[str]:
    lines = [f"Task {_short(task.task_arn)} stopped: {task.stopped_reason or 'no reason given'}"]
    lines.extend(f"Container: {reason}" for reason in task.container_reasons)
    if task.exit_codes:
        lines.append(f"Exit code: {', '.join(str(code) for code in task.exit_codes)}")
    cause = likely_cause(task)
    if cause is not None:
        lines.append(f"Likely cause: {cause.name}. {cause.fix}")
    if task.log_lines:
        lines.append("Last log lines:")
        lines.extend(f"  {line}" for line in task.log_lines)
    else:
        lines.append("The task left no log lines.")
    return lines


def rollout_check(name: str) -> pulumi.ResourceHookBinding:
    """The hooks that a service registers to have its rollouts checked; `name` is unique in the program."""
    check = pulumi.ResourceHook(f"{name}-rollout", _check)
    explain = pulumi.ErrorHook(f"{name}-failure", _explain)
    return pulumi.ResourceHookBinding(after_create=[check], after_update=[check], on_error=[explain])


def _check(args: pulumi.ResourceHookArgs) -> None:
    outputs: Mapping[str, Any] = args.new_outputs or {}
    # The outputs are what ECS has by now: after a rollback they name the old version.
    asked = str((args.new_inputs or {})["taskDefinition"])
    cluster, service = str(outputs["cluster"]), str(outputs["name"])
    session = _session(outputs.get("region"))
    ecs = session.client("ecs")
    described = ecs.describe_services(cluster=cluster, services=[service])["services"]
    if not described:
        raise RolledBackError(f"{service}: ECS doesn't know the service that was just deployed to {cluster}")
    deployments = described[0]["deployments"]
    primary = next(each for each in deployments if each["status"] == "PRIMARY")
    if primary["taskDefinition"] == asked:
        return
    stopped = _last_stopped_task(session, cluster, service, asked)
    raise RolledBackError(describe(service, asked, primary["taskDefinition"], stopped))


def _explain(args: pulumi.ErrorHookArgs) -> bool:
    """Reports why the task didn't stay; the provider's error stands, and nothing is tried again."""
    inputs: Mapping[str, Any] = args.new_inputs or {}
    if args.failed_operation == "delete" or not {"cluster", "name", "taskDefinition"} <= inputs.keys():
        return False
    service, asked = str(inputs["name"]), str(inputs["taskDefinition"])
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        stopped = _last_stopped_task(_session(inputs.get("region")), str(inputs["cluster"]), service, asked)
    except (BotoCoreError, ClientError) as error:
        # For example because AWS refused to make the service: the provider's error then says all.
        pulumi.log.debug(f"{service}: ECS doesn't tell of stopped tasks: {error}")
        return False
    if stopped is not None:
        pulumi.log.error(describe_failure(service, asked, stopped))
    return False


def _session(region: object) -> Any:
    # Only a rollout needs it: a preview starts without loading it.
    import boto3

    named = region or aws.config.region
    return boto3.Session(profile_name=aws.config.profile, region_name=None if named is None else str(named))


def _last_stopped_task(session: Any, cluster: str, service: str, task_definition: str) -> StoppedTask | None:
    """The task of the failed version that stopped last."""
    ecs = session.client("ecs")
    arns = ecs.list_tasks(cluster=cluster, serviceName=service, desiredStatus="STOPPED")["taskArns"]
    if not arns:
        return None
    tasks = [
        task
        for task in ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]
        if task["taskDefinitionArn"] == task_definition
    ]
    if not tasks:
        return None
    task = max(tasks, key=lambda each: each.get("stoppedAt") or each["createdAt"])
    return StoppedTask(
        task_arn=task["taskArn"],
        stopped_reason=task.get("stoppedReason", ""),
        container_reasons=[each["reason"] for each in task["containers"] if each.get("reason")],
        exit_codes=[each["exitCode"] for each in task["containers"] if each.get("exitCode") is not None],
        log_lines=_last_log_lines(session, task_definition, task["taskArn"]),
    )


def _last_log_lines(session: Any, task_definition: str, task_arn: str) -> list[str]:
    definition = session.client("ecs").describe_task_definition(taskDefinition=task_definition)
    logs = session.client("logs")
    lines: list[str] = []
    for container in definition["taskDefinition"]["containerDefinitions"]:
        options = container.get("logConfiguration", {}).get("options", {})
        if "awslogs-group" not in options:
            continue
        stream = f"{options['awslogs-stream-prefix']}/{container['name']}/{_short(task_arn)}"
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


def _short(arn: str) -> str:
    """The last part of an ARN."""
    return arn.rsplit("/", 1)[-1]
