"""`pause`, `resume`: a scheduler without a task for a while, through the stack's configuration.

The pause is set where the scheduler is configured, and `pulumi up` deploys it: a count that somebody sets to
0 in ECS alone rings after five minutes, and the next update undoes it without a word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click
from rich.console import RenderableType
from rich.text import Text

from components.pause import LONGEST, Pause, written
from components.validation import InvalidArgumentError
from operate.app import Session, verb
from operate.configured_services import configured_services
from operate.errors import SETTLED, OperateError
from operate.pulumi_cli import set_text, settings_of, take_out, up_command
from operate.stack import Service

if TYPE_CHECKING:
    from settings import Settings


class Length(click.ParamType[timedelta]):
    """How long: days, hours and minutes, such as 90m, 4h or 1d12h."""

    name = "length"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"(?=\d)(?:(\d{1,5})d)?(?:(\d{1,5})h)?(?:(\d{1,5})m)?", value)
        days, hours, minutes = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
        length = timedelta(days=days, hours=hours, minutes=minutes)
        if not timedelta() < length <= LONGEST:
            self.fail(
                f"{value!r} is no time up to {LONGEST.days} days; say for example 90m, 4h or 1d12h.",
                param,
                ctx,
            )
        return length


@dataclass(frozen=True, kw_only=True)
class Paused:
    """What was set, what rings at its end, and what is left to do."""

    service: str
    key: str
    pause: Pause
    instead_of: Pause | None
    """The pause that was set before; this one counts in its place."""
    rings: str
    next: str

    @property
    def exit_code(self) -> int:
        return SETTLED

    def human(self) -> RenderableType:
        former = "" if self.instead_of is None else f", and no longer until {self.instead_of.until}"
        return Text(
            f"{self.key} is set in the stack's file: {self.service} is to be paused until {self.pause.until}"
            f"{former} ({self.pause.reason}). {self.rings} Deploy it: {self.next}"
        )


@dataclass(frozen=True, kw_only=True)
class Resumed:
    """What was taken out, and what is left to do."""

    service: str
    key: str
    pause: Pause | None
    """The pause that was there; None where there was none."""
    next: str

    @property
    def exit_code(self) -> int:
        return SETTLED

    def human(self) -> RenderableType:
        if self.pause is None:
            return Text(f"{self.service} isn't paused in the stack's file; nothing was set.")
        return Text(
            f"{self.key} is out of the stack's file: {self.service} is to run again. CloudWatch may tell "
            f"once that none runs, when the mute goes before it has seen the task. Deploy it: {self.next}"
        )


@verb()
@click.argument("service")
@click.option("--for", "length", type=Length(), required=True, help="How long, up to 15d: 90m, 4h, 1d12h.")
@click.option("--reason", required=True, help="Why; it's shown wherever the scheduler's state is.")
def pause(session: Session, service: str, length: timedelta, reason: str) -> Paused:
    """Pause the scheduler SERVICE in the stack's configuration; the next update stops its task.

    Its alarm on none running is muted until the end, and rings then if nobody has resumed it. Said again, the
    new end and reason count from now. Nothing that runs is touched.
    """
    chosen, settings = _scheduler(session, service), _settings(session)
    key, former = _configured(settings, chosen)
    now = datetime.now(UTC)
    try:
        made = Pause(since=written(now), until=written(now + length), reason=reason)
    except InvalidArgumentError as error:
        raise OperateError(f"--reason is {reason!r}, but {error.rule}.", error.fix) from error
    session.about_to(f"pause {chosen.name} until {made.until} in the stack's file")
    try:
        _set(session, key, made)
    except KeyboardInterrupt:
        # Half a pause is a mistake in the file, with which no verb and no update goes on.
        if former is None:
            take_out(session.stack.name, key, session.stack.folder)
        else:
            _set(session, key, former)
        raise
    return Paused(
        service=chosen.name,
        key=key,
        pause=made,
        instead_of=former,
        rings=f"At that time its alarm on none running rings, and a preview is refused, unless it is resumed "
        f"before: python -m operate resume {chosen.name}.",
        next=up_command(session.stack.name),
    )


@verb()
@click.argument("service")
def resume(session: Session, service: str) -> Resumed:
    """Take the pause of the scheduler SERVICE out of the stack's configuration; the next update starts it.

    Nothing that runs is touched.
    """
    chosen, settings = _scheduler(session, service), _settings(session)
    key, former = _configured(settings, chosen)
    if former is not None:
        session.about_to(f"take the pause of {chosen.name} out of the stack's file")
        take_out(session.stack.name, key, session.stack.folder)
    return Resumed(service=chosen.name, key=key, pause=former, next=up_command(session.stack.name))


def _set(session: Session, key: str, pause: Pause) -> None:
    for field in ("since", "until", "reason"):
        set_text(session.stack.name, f"{key}.{field}", getattr(pause, field), session.stack.folder)


def _scheduler(session: Session, service: str) -> Service:
    chosen = session.stack.service(service)
    if not chosen.is_scheduler:
        raise OperateError(
            f"{chosen.name} is no scheduler, and only those are paused.",
            "Set autoscaling in the stack's configuration.",
        )
    return chosen


def _settings(session: Session) -> Settings:
    return settings_of(session.stack.name, session.stack.folder)


def _configured(settings: Settings, service: Service) -> tuple[str, Pause | None]:
    """The key of a scheduler's pause in the stack's file, and what it says there."""
    # Loaded by now: the verbs that read no stack's file start without it.
    from settings import SchedulerSettings

    key, said = configured_services(settings).get(service.name, ("", None))
    if not isinstance(said, SchedulerSettings):
        raise OperateError(
            f"The stack's file has no scheduler {service.name}.",
            "Pause it where its program says what it runs.",
        )
    return f"{key}.paused", said.paused
