"""What is wrong with a service, from what was observed of it.

Pure. Owns the judgement that `status` colours and that `verify` counts; each finding says what helps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.pause import Pause
from operate.observation import Observation

SINGLETON_SETTINGS: Mapping[str, Any] = {
    # https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
    "minimumHealthyPercent": 0,
    "maximumPercent": 100,
    "availabilityZoneRebalancing": "DISABLED",
    "schedulingStrategy": "REPLICA",
    "deploymentController": "ECS",
    "loadBalancers": 0,
    "serviceRegistries": 0,
}
"""What the guarantee of exactly one rests on; docs/singleton.md says why for each."""

PUT_BACK = "Put it back by the state: pulumi up --refresh"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that isn't as it must be."""

    service: str
    problem: str
    fix: str


def findings(seen: Observation) -> list[Finding]:
    """All that is wrong with a service, the worst first."""
    return [
        Finding(service=seen.service, problem=problem, fix=fix)
        for problem, fix in [
            *_count(seen),
            *_lease(seen),
            *_rollout(seen),
            *_guarantee(seen),
            *_alarms(seen),
        ]
    ]


def _count(seen: Observation) -> list[tuple[str, str]]:
    if seen.status != "ACTIVE":
        return [(f"the service is {seen.status}", "Make it again: pulumi refresh, then pulumi up")]
    if seen.pause is not None:
        return list(_paused(seen, seen.pause))
    found = []
    alive = [task for task in seen.tasks if not task.is_stopping]
    if seen.role == "scheduler":
        if seen.desired != 1:
            found.append(
                (
                    f"the desired count is {seen.desired}; a scheduler's is 1",
                    f"python -m operate fix-count {seen.service}",
                )
            )
        at_work = len(alive) + seen.stopping + len(seen.strangers)
        if at_work > 1:
            found.append(
                (
                    f"{at_work} tasks may be at work: {len(alive)} of the service, {seen.stopping} "
                    f"stopping, {len(seen.strangers)} beside it",
                    f"python -m operate fix-count {seen.service}"
                    if len(alive) + len(seen.strangers) > 1
                    else "Wait until the old one has stopped; python -m operate status --watch",
                )
            )
        elif seen.strangers:
            found.append(
                (
                    "a task runs beside the service, which has none",
                    f"python -m operate fix-count {seen.service}",
                )
            )
    elif seen.strangers:
        found.append(
            (
                f"{len(seen.strangers)} tasks of its family run beside the service",
                "Stop what nobody needs: aws ecs stop-task",
            )
        )
    if seen.running < max(seen.desired, 1):
        found.append((f"{seen.running} of {seen.desired} tasks run", f"python -m operate why {seen.service}"))
    return found


def _paused(seen: Observation, pause: Pause) -> Iterator[tuple[str, str]]:
    """What is wrong with a scheduler that isn't to have a task."""
    if not seen.is_paused:
        yield (
            f"its pause ended at {pause.until} ({pause.reason}), and it isn't resumed",
            f"python -m operate resume {seen.service}, or pause it anew; then pulumi up",
        )
    fix = f"python -m operate fix-count {seen.service}"
    if seen.desired != 0:
        yield f"the desired count is {seen.desired}, although it is paused ({pause.reason})", fix
    working = len(seen.tasks) - seen.stopping + len(seen.strangers)
    if working:
        yield f"{working} tasks may be at work, although it is paused ({pause.reason})", fix
    elif seen.stopping:
        yield "its task is still stopping", "Wait until it has; python -m operate status --watch"


def _lease(seen: Observation) -> list[tuple[str, str]]:
    if not seen.lease:
        return []
    if seen.lease.table_is_gone:
        return [(f"the table of its lease is gone, so it can't work: {seen.lease.table_name}", PUT_BACK)]
    lease = f"the lease {seen.lease.key} of {seen.lease.table_name}"
    if seen.lease.holder is None and seen.lease.is_known and seen.running:
        return [
            (
                f"its task waits: nobody holds {lease}",
                "It takes over within 65 s of a task that died; else its guard says why, mostly that it "
                f"finds no way to DynamoDB: python -m operate logs {seen.service}",
            )
        ]
    holder = seen.lease.task
    if not holder or holder in {task.arn for task in (*seen.tasks, *seen.strangers)}:
        return []
    waits = "its task waits" if seen.pause is None else "it is paused"
    return [
        (
            f"{waits}: {_short(holder)} holds {lease}",
            "A lease of a task that died is taken over within 65 s; else stop that task, which another "
            "service or stack may have started",
        )
    ]


def _rollout(seen: Observation) -> list[tuple[str, str]]:
    rollout = seen.rollout
    if rollout.state == "FAILED":
        return [(f"the rollout failed: {rollout.reason}", f"python -m operate why {seen.service}")]
    if rollout.state == "IN_PROGRESS":
        failed = f", {rollout.failed_tasks} failed" if rollout.failed_tasks else ""
        return [
            (
                f"a rollout is under way: {rollout.running} of {rollout.desired} tasks{failed}",
                "python -m operate status --watch" if not failed else f"python -m operate why {seen.service}",
            )
        ]
    if not seen.runs_what_was_asked:
        return [
            (
                f"{_short(rollout.task_definition_arn)} runs, {_short(seen.asked_task_definition_arn)} was "
                "asked for",
                f"See what stopped it: python -m operate why {seen.service}; then pulumi up --refresh",
            )
        ]
    return []


def _guarantee(seen: Observation) -> list[tuple[str, str]]:
    if seen.role != "scheduler":
        return []
    return [
        (f"{name} is {seen.settings[name]!r}; a scheduler's is {right!r}", PUT_BACK)
        for name, right in SINGLETON_SETTINGS.items()
        if seen.settings[name] != right
    ]


def _alarms(seen: Observation) -> list[tuple[str, str]]:
    found = []
    for alarm in seen.alarms:
        if alarm.state == "ALARM" and not (seen.is_paused and alarm.name in seen.muted_alarm_names):
            found.append((f"alarm {alarm.name}: {alarm.reason}", f"python -m operate why {seen.service}"))
        if not alarm.actions_enabled:
            found.append((f"alarm {alarm.name} tells nobody: its actions are off", PUT_BACK))
    return found


def missing_alarms(names: Sequence[str], seen: Observation) -> list[Finding]:
    """The alarms of the state that CloudWatch doesn't have."""
    present = {alarm.name for alarm in seen.alarms}
    return [
        Finding(service=seen.service, problem=f"alarm {name} is gone", fix=PUT_BACK)
        for name in names
        if name not in present
    ]


def _short(arn: str) -> str:
    return arn.rpartition("/")[2]
