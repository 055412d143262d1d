"""`fix-count`: a scheduler back to exactly one (the guide's "스케줄러가 2개 이상 실행됨")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import click
from rich.console import RenderableType
from rich.text import Text

from operate.app import Session, verb
from operate.errors import SETTLED, OperateError
from operate.observation import observe, strangers_of, tasks_of
from operate.verbs.restart import waited


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """What was found and what was done about it."""

    service: str
    desired_before: int
    running_before: int
    stopped: Sequence[str]
    """The ids of the tasks beside the service that were stopped."""
    paused: bool = False
    """Whether none is right, since the scheduler is paused."""

    @property
    def exit_code(self) -> int:
        return SETTLED

    def human(self) -> RenderableType:
        right, number, why = (
            ("none runs", 0, ", as it is paused") if self.paused else ("exactly one runs", 1, "")
        )
        if self.desired_before == number and not self.stopped and self.running_before == number:
            return Text(f"{self.service}: {right}{why}; nothing was done.")
        text = Text(
            f"{self.service}: {right} again{why}. "
            f"The count was {self.desired_before}, {self.running_before} ran."
        )
        for task in self.stopped:
            text.append(f"\nStopped task {task}, which somebody had started beside the service.")
        return text


@verb()
@click.argument("service")
@click.option(
    "--timeout-seconds",
    type=click.IntRange(1),
    default=600,
    show_default=True,
    help="How long to wait for the end of the others.",
)
def fix_count(session: Session, service: str, timeout_seconds: int) -> Fixed:
    """Bring the scheduler SERVICE back to exactly one task.

    Sets the desired count to 1 where it isn't, stops the tasks of its family that don't belong to it, and
    waits until they are gone. One that is paused is brought to none.
    """
    chosen = session.stack.service(service)
    if not chosen.is_scheduler:
        raise OperateError(
            f"{chosen.name} is no scheduler: its count is its autoscaling's.",
            "Set autoscaling in the stack's configuration.",
        )
    aws = session.aws
    before = observe(aws, chosen)
    number = 1 if chosen.pause is None else 0
    wrong = before.desired != number
    if wrong or before.strangers:
        beside = f" and stop {len(before.strangers)} tasks beside it" if before.strangers else ""
        session.about_to(f"set the count of {chosen.name} from {before.desired} to {number}{beside}")
    if wrong:
        aws.ecs.update_service(cluster=chosen.cluster, service=chosen.name, desiredCount=number)
    for task in before.strangers:
        aws.ecs.stop_task(
            cluster=chosen.cluster,
            task=task.arn,
            reason=f"{chosen.name} {'is paused' if chosen.pause else 'runs exactly once'} (fix-count)",
        )
    waited(
        lambda: ([t for t in tasks_of(aws, chosen) if t.last_status != "STOPPED"], strangers_of(aws, chosen)),
        lambda seen: (
            len(seen[0]) == number and all(t.last_status == "RUNNING" for t in seen[0]) and not seen[1]
        ),
        "not exactly one task runs" if number else "a task still works",
        timeout_seconds,
        chosen.name,
    )
    return Fixed(
        service=chosen.name,
        desired_before=before.desired,
        running_before=before.running + len(before.strangers),
        stopped=[task.task_id for task in before.strangers],
        paused=chosen.pause is not None,
    )
