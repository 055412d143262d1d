"""`verify`: whether a deployment is whole (the guide's "배포 확인"), and ready for the next one.

Checks by the state what AWS has: counts, revisions, the settings that exactly one rests on, targets, alarms,
scaling, and what a task needs to start: image, roles, secrets, log groups.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.text import Text

from operate.app import Session, verb
from operate.errors import SETTLED, WRONG
from operate.findings import PUT_BACK, findings, missing_alarms
from operate.observation import Observation, observe
from operate.result import uncut
from operate.stack import Service


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    subject: str
    check: str
    problem: str | None
    fix: str | None = None


@dataclass(frozen=True, kw_only=True)
class Verified:
    """All checks, and whether each holds."""

    stack: str
    checks: Sequence[Check]

    @property
    def exit_code(self) -> int:
        return WRONG if any(each.problem for each in self.checks) else SETTLED

    def human(self) -> RenderableType:
        table = uncut("", "subject", "check")
        for each in self.checks:
            table.add_row(
                "✗" if each.problem else "✓",
                each.subject,
                each.check,
                style="red" if each.problem else "green",
            )
        lines = [
            Text(f"{each.subject}: {each.problem}. {each.fix}", style="red")
            for each in self.checks
            if each.problem
        ]
        wrong = len(lines)
        total = f"{len(self.checks)} checks, " + (f"{wrong} not in order" if wrong else "all in order")
        return Group(table, *lines, Text(f"Stack {self.stack}: {total}."))


@verb()
@click.argument("service", required=False)
def verify(session: Session, service: str | None) -> Verified:
    """Check that the deployment is whole, and that the next task will find what it needs.

    Nothing is changed. The exit code is 1 where a check fails.
    """
    checks: list[Check] = []
    for chosen in session.services(service):
        seen = observe(session.aws, chosen, chosen.alarm_names)
        checks += _service(chosen, seen)
        checks += _mutes(session, chosen)
        checks += _scaling(session, chosen)
        checks += _targets(session, chosen)
        checks += _start(session, chosen, seen)
    return Verified(stack=session.stack.name, checks=checks)


def _service(service: Service, seen: Observation) -> Iterator[Check]:
    wrong = [*findings(seen), *missing_alarms(service.alarm_names, seen)]
    if not wrong:
        runs = f"{seen.running} of {seen.desired} tasks run what was asked for"
        paused = seen.pause and f"it is paused until {seen.pause.until} ({seen.pause.reason}), and none runs"
        yield Check(subject=service.name, check=f"{paused or runs}; {len(seen.alarms)} alarms", problem=None)
    for each in wrong:
        yield Check(subject=service.name, check="runs as asked for", problem=each.problem, fix=each.fix)


def _mutes(session: Session, service: Service) -> Iterator[Check]:
    """That who is on call isn't called for a scheduler that is paused."""
    client = session.aws.client("cloudwatch")
    for name in service.mute_rule_names:
        found = _found(
            client, client.get_alarm_mute_rule, {"AlarmMuteRuleName": name}, "ResourceNotFoundException"
        )
        yield Check(
            subject=service.name,
            check=f"mute rule {name}",
            problem=None if found else f"the mute rule {name} is gone, so its alarm on none running rings",
            fix=PUT_BACK,
        )


def _scaling(session: Session, service: Service) -> Iterator[Check]:
    if not service.is_scheduler:
        return
    answer = session.aws.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="ecs", ResourceIds=[f"service/{service.cluster}/{service.name}"]
    )
    yield Check(
        subject=service.name,
        check="nothing scales it",
        problem="an autoscaling target is registered for it" if answer["ScalableTargets"] else None,
        fix=(
            "Remove it: aws application-autoscaling deregister-scalable-target --service-namespace ecs "
            "--scalable-dimension ecs:service:DesiredCount "
            f"--resource-id service/{service.cluster}/{service.name}"
        ),
    )


def _targets(session: Session, service: Service) -> Iterator[Check]:
    client = session.aws.client("elbv2")
    for arn in service.target_group_arns:
        described = client.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        states = [each["TargetHealth"]["State"] for each in described]
        healthy = states.count("healthy")
        yield Check(
            subject=service.name,
            check=f"{healthy} healthy targets",
            problem=None
            if healthy
            else f"no healthy target behind the load balancer ({', '.join(states) or 'none'})",
            fix=f"python -m operate why {service.name}; python -m operate logs {service.name}",
        )


def _start(session: Session, service: Service, seen: Observation) -> Iterator[Check]:
    """What the next task needs: ECS looks for it when the task starts, and not before."""
    definition = session.aws.ecs.describe_task_definition(taskDefinition=service.task_definition_arn)[
        "taskDefinition"
    ]
    yield Check(
        subject=service.name,
        check="its image is in the repository",
        problem=None if seen.versions or not _in_ecr(seen.image) else f"{seen.image} isn't in the repository",
        fix="Deploy a version that is: python -m operate versions " + service.name,
    )
    for kind in ("executionRoleArn", "taskRoleArn"):
        yield from _role(session, service, definition.get(kind))
    for container in definition["containerDefinitions"]:
        for secret in container.get("secrets", []):
            yield _secret(session, service, secret["valueFrom"])
    for group in service.log_groups:
        answer = session.aws.client("logs").describe_log_groups(logGroupNamePrefix=group)
        there = any(each["logGroupName"] == group for each in answer["logGroups"])
        yield Check(
            subject=service.name,
            check=f"log group {group}",
            problem=None if there else f"the log group {group} is gone, so no task can start",
            fix=PUT_BACK,
        )


def _in_ecr(image: str | None) -> bool:
    return ".dkr.ecr." in (image or "").partition("/")[0]


def _role(session: Session, service: Service, arn: str | None) -> Iterator[Check]:
    if arn is None:
        return
    iam = session.aws.client("iam")
    name = arn.rpartition("/")[2]
    try:
        trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    except iam.exceptions.NoSuchEntityException:
        problem = f"the role {name} is gone, so no task can start"
    else:
        text = trust if isinstance(trust, str) else json.dumps(trust)
        problem = "" if "ecs-tasks.amazonaws.com" in text else f"the role {name} doesn't trust ECS tasks"
    yield Check(subject=service.name, check=f"role {name}", problem=problem or None, fix=PUT_BACK)


def _secret(session: Session, service: Service, reference: str) -> Check:
    problem = None
    if ":secretsmanager:" in reference:
        # An ARN may go on with a JSON key, a stage and a version.
        arn = ":".join(reference.split(":")[:7])
        client = session.aws.client("secretsmanager")
        described = _found(client, client.describe_secret, {"SecretId": arn}, "ResourceNotFoundException")
        if described is None:
            problem = "the secret isn't there"
        elif described.get("DeletedDate"):
            problem = "the secret is to be deleted"
    else:
        arn = reference
        name = reference.partition(":parameter")[2] or reference
        client = session.aws.client("ssm")
        filters = [{"Key": "Name", "Option": "Equals", "Values": [name]}]
        if not client.describe_parameters(ParameterFilters=filters)["Parameters"]:
            problem = "the parameter isn't there"
    return Check(
        subject=service.name,
        check=f"secret {arn.rpartition(':')[2]}",
        problem=problem and f"{arn}: {problem}, so no task can start",
        fix="Make it, or correct the service's secrets in the stack's configuration",
    )


def _found(client: Any, call: Any, arguments: dict[str, str], absent: str) -> Any:
    """What the call answers, or None where AWS says that it isn't there."""
    try:
        return call(**arguments)
    except getattr(client.exceptions, absent):
        return None
