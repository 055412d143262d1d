"""`restart`: a service's tasks anew, a scheduler's without a moment of two.

A forced deployment isn't enough for a scheduler: at a maximum of 100 percent ECS counts a stopping task
as gone and may start its successor beside it. So a scheduler is set to zero, waited for until its task has
really stopped, and set to one again.
Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import click
from rich.console import RenderableType
from rich.text import Text

from operate.app import Session, verb
from operate.errors import SETTLED, WRONG, OperateError
from operate.findings import findings
from operate.observation import Observation, Task, observe, strangers_of, tasks_of
from operate.stack import Service

POLL_SECONDS = 0.5

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Restarted:
    """How a restart went."""

    service: str
    stopped: Sequence[str]
    """The ids of the tasks that ended."""
    started: Sequence[str]
    """The ids of the tasks that run now."""
    seconds_without: float | None
    """From a scheduler's old task's end to its new one's start, by ECS's own times; None where others run."""
    seconds: float
    problems: Sequence[str]

    @property
    def exit_code(self) -> int:
        return WRONG if self.problems else SETTLED

    def human(self) -> RenderableType:
        how = "isn't in order" if self.problems else "runs anew"
        text = Text(f"{self.service} {how} after {self.seconds:.0f} s.")
        if self.seconds_without is not None:
            text.append(f" None ran for {self.seconds_without:.0f} s; two ran at no moment.")
        for problem in self.problems:
            text.append(f"\n{problem}", style="red")
        return text


def waited(
    look: Callable[[], T], holds: Callable[[T], bool], what: str, timeout_seconds: float, service: str
) -> T:
    """Looks until it holds.

    Raises OperateError after the time-out.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        seen = look()
        if holds(seen):
            return seen
        if time.monotonic() > deadline:
            raise OperateError(
                f"{service}: {what} after {timeout_seconds:.0f} s.", f"python -m operate why {service}"
            )
        time.sleep(POLL_SECONDS)


def restart_scheduler(session: Session, service: Service, timeout_seconds: float) -> None:
    """Stops the one task, waits until it has really stopped, and starts the next."""
    aws = session.aws
    aws.ecs.update_service(cluster=service.cluster, service=service.name, desiredCount=0)
    try:
        session.console.print(f"{service.name}: told to stop")
        waited(
            lambda: _tasks_while_none_is_wanted(session, service),
            lambda tasks: all(task.last_status == "STOPPED" for task in tasks),
            "its task hasn't stopped",
            timeout_seconds,
            service.name,
        )
        session.console.print(f"{service.name}: has stopped")
    finally:
        # Also when waiting is given up or interrupted: none at all is the worse of the two.
        aws.ecs.update_service(cluster=service.cluster, service=service.name, desiredCount=1)
        session.console.print(f"{service.name}: told to start")
    _settle(session, service, timeout_seconds)


def _tasks_while_none_is_wanted(session: Session, service: Service) -> Sequence[Task]:
    """Raises OperateError where somebody starts it meanwhile: then its task wouldn't ever have stopped."""
    if count := _count(session, service):
        raise OperateError(
            f"{service.name}: while its task stopped, somebody set its count to {count} (another restart?).",
            f"python -m operate status {service.name}",
        )
    return tasks_of(session.aws, service)


def _count(session: Session, service: Service) -> int:
    found = session.aws.ecs.describe_services(cluster=service.cluster, services=[service.name])["services"]
    return int(found[0]["desiredCount"])


def restart_web(session: Session, service: Service, timeout_seconds: float) -> None:
    """Has ECS bring up new tasks before it stops the old ones."""
    if not _count(session, service):
        raise OperateError(
            f"{service.name}: its count is 0, so it has no task to restart.",
            f"aws ecs update-service --cluster {service.cluster} --service {service.name} --desired-count 1",
        )
    session.aws.ecs.update_service(cluster=service.cluster, service=service.name, forceNewDeployment=True)
    _settle(session, service, timeout_seconds)


def _settle(session: Session, service: Service, timeout_seconds: float) -> Observation:
    return waited(
        lambda: observe(session.aws, service),
        lambda seen: (
            seen.running == seen.desired > 0
            and seen.pending == 0
            and seen.stopping == 0
            and seen.rollout.state != "IN_PROGRESS"
        ),
        "its new task isn't running",
        timeout_seconds,
        service.name,
    )


def seconds_without(before: Sequence[Task], after: Sequence[Task], now: Sequence[str]) -> float | None:
    """How long none ran, by ECS's own times: from the last old task's end to the first new one's start."""
    old = {task.arn for task in before}
    ended = [task.stopped_at for task in after if task.arn in old and task.stopped_at]
    began = [task.started_at for task in after if task.arn in now and task.started_at]
    return _span(max(ended), min(began)) if ended and began else None


def _span(start: datetime, end: datetime) -> float:
    return round((end - start).total_seconds(), 1)


@verb()
@click.argument("service")
@click.option(
    "--timeout-seconds",
    type=click.IntRange(1),
    default=600,
    show_default=True,
    help="How long to wait for each step.",
)
def restart(session: Session, service: str, timeout_seconds: int) -> Restarted:
    """Restart SERVICE; a scheduler never runs twice meanwhile.

    Waits until the scheduler's old task has really stopped before the new one is started, and says how
    long none ran. One that is paused isn't started. Other services get their new tasks before the old ones
    go.
    """
    chosen = session.stack.service(service)
    if chosen.pause is not None:
        raise OperateError(
            f"{chosen.name} is paused until {chosen.pause.until} ({chosen.pause.reason}).",
            f"Let it run again: python -m operate resume {chosen.name}; then pulumi up",
        )
    session.about_to(f"restart {chosen.name}")
    began = time.monotonic()
    before = [task for task in tasks_of(session.aws, chosen) if task.last_status != "STOPPED"]
    beside = strangers_of(session.aws, chosen)
    (restart_scheduler if chosen.is_scheduler else restart_web)(session, chosen, timeout_seconds)
    after = tasks_of(session.aws, chosen)
    now = [task.arn for task in after if task.last_status == "RUNNING"]
    seen = observe(session.aws, chosen)
    return Restarted(
        service=chosen.name,
        stopped=[task.task_id for task in before],
        started=[arn.rpartition("/")[2] for arn in now],
        seconds_without=seconds_without(before, after, now)
        if chosen.is_scheduler and not (beside or seen.strangers)
        else None,
        seconds=round(time.monotonic() - began, 1),
        problems=[each.problem for each in findings(seen)],
    )
