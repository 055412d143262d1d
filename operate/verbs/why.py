"""`why`: why a service's tasks stopped, and what helps (the guide's "스케줄러가 시작되지 않음")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import click
from rich.console import Group, RenderableType
from rich.text import Text

from components.pause import Pause
from components.stopped_task import likely_cause
from operate.app import Session, verb
from operate.errors import SETTLED, WRONG
from operate.findings import Finding, findings
from operate.observation import Task, observe, tasks_of
from operate.stack import Service

TASKS_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Stop:
    """One task that stopped, and why."""

    task_id: str
    revision: str
    stopped_at: datetime | None
    reason: str
    container_reasons: Sequence[str]
    exit_codes: Sequence[int]
    likely_cause: str | None
    fix: str | None
    log_lines: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Why:
    """What is wrong with a service by now, and its last stopped tasks."""

    service: str
    findings: Sequence[Finding]
    stops: Sequence[Stop]
    pause: Pause | None = None
    """Why a scheduler has no task for a while."""

    @property
    def exit_code(self) -> int:
        return WRONG if self.findings else SETTLED

    def human(self) -> RenderableType:
        parts: list[Text] = [
            Text(f"{self.service}: {each.problem}", style="red") for each in self.findings
        ] or [Text(f"{self.service}: nothing is wrong by now.", style="green")]
        if self.pause is not None:
            told = f"{self.service}: it is paused from {self.pause.since} until {self.pause.until}: "
            parts.insert(0, Text(told + self.pause.reason, style="yellow"))
        if not self.stops:
            parts.append(Text("ECS remembers no stopped task; it forgets them after about an hour."))
        for stop in self.stops:
            parts.append(_shown(stop))
        return Group(*parts)


def _shown(stop: Stop) -> Text:
    at = f" at {stop.stopped_at:%Y-%m-%d %H:%M:%S}" if stop.stopped_at else ""
    text = Text(f"\nTask {stop.task_id} of {stop.revision} stopped{at}: {stop.reason}")
    for reason in stop.container_reasons:
        text.append(f"\n  Container: {reason}")
    if stop.exit_codes:
        text.append(f"\n  Exit code: {', '.join(map(str, stop.exit_codes))}")
    if stop.likely_cause:
        text.append(f"\n  Likely cause: {stop.likely_cause}. {stop.fix}", style="bold")
    for line in stop.log_lines:
        text.append(f"\n  | {line}", style="dim")
    return text


@verb()
@click.argument("service")
def why(session: Session, service: str) -> Why:
    """Say why the last tasks of SERVICE stopped, with the likely cause and its fix."""
    chosen = session.stack.service(service)
    stopped = [task for task in tasks_of(session.aws, chosen) if task.last_status == "STOPPED"][:TASKS_SHOWN]
    return Why(
        service=chosen.name,
        findings=findings(observe(session.aws, chosen, chosen.alarm_names)),
        stops=[_stop(session, chosen, task) for task in stopped],
        pause=chosen.pause,
    )


def _stop(session: Session, service: Service, task: Task) -> Stop:
    # The components bring the Pulumi SDK, which most verbs start without.
    from components.rollout import read_stopped_task

    described = session.aws.ecs.describe_tasks(cluster=service.cluster, tasks=[task.arn])["tasks"][0]
    read = read_stopped_task(session.aws, described)
    cause = likely_cause(read)
    return Stop(
        task_id=task.task_id,
        revision=task.task_definition_arn.rpartition("/")[2],
        stopped_at=task.stopped_at,
        reason=read.stopped_reason,
        container_reasons=read.container_reasons,
        exit_codes=read.exit_codes,
        likely_cause=None if cause is None else cause.name,
        fix=None if cause is None else cause.fix,
        log_lines=read.log_lines,
    )
