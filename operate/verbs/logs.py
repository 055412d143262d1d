"""`logs`: what a service's containers print."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.text import Text

from operate.app import Session, show, verb
from operate.errors import SETTLED, OperateError
from operate.stack import Service

POLL_SECONDS = 1.0
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a log."""

    at: datetime
    stream: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Lines:
    """The lines found, the oldest first."""

    service: str
    log_groups: Sequence[str]
    lines: Sequence[Line]
    were_followed: bool = False
    """Whether they have been printed as they came."""

    @property
    def exit_code(self) -> int:
        return SETTLED

    def human(self) -> RenderableType:
        if self.were_followed:
            return Text("Followed until Ctrl-C.", style="dim")
        if not self.lines:
            return Text(f"{self.service} has printed nothing in that time.", style="dim")
        return Group(*(shown(line) for line in self.lines))


def shown(line: Line) -> Text:
    """A line with its time and the end of its task's id."""
    text = Text(f"{line.at:%H:%M:%S} {line.stream.rpartition('/')[2][:8]} ", style="dim")
    text.append(line.message, style="default")
    return text


class Duration(click.ParamType[int]):
    """A time back from now: a number and s, m, h or d."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d{1,6})([smhd])", value)
        if match is None:
            self.fail(f"{value!r} is no time back from now; say for example 30s, 15m, 2h or 1d.", param, ctx)
        return int(match[1]) * _UNITS[match[2]]


def read(session: Session, service: Service, since_ms: int, pattern: re.Pattern[str] | None) -> list[Line]:
    """The lines of all the service's log groups from a time on."""
    client = session.aws.client("logs")
    found: list[Line] = []
    for group in service.log_groups:
        try:
            pages = client.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since_ms)
            found.extend(_lines(pages, pattern))
        except client.exceptions.ResourceNotFoundException as error:
            raise OperateError(
                f"The log group {group} of {service.name} is gone.", "Make it again: pulumi up --refresh"
            ) from error
    return sorted(found, key=lambda line: line.at)


def _lines(pages: Any, pattern: re.Pattern[str] | None) -> Iterator[Line]:
    for page in pages:
        for event in page["events"]:
            message = event["message"].rstrip("\n")
            if pattern is None or pattern.search(message):
                yield Line(
                    at=datetime.fromtimestamp(event["timestamp"] / 1000, UTC),
                    stream=event["logStreamName"],
                    message=message,
                )


@verb()
@click.argument("service")
@click.option("--follow", "-f", is_flag=True, help="Go on printing until Ctrl-C.")
@click.option("--since", type=Duration(), default="10m", show_default=True, help="From how long ago on.")
@click.option("--grep", metavar="PATTERN", help="Only lines that this regular expression is found in.")
def logs(session: Session, service: str, follow: bool, since: int, grep: str | None) -> Lines:
    """Print what SERVICE's containers have logged."""
    chosen = session.stack.service(service)
    try:
        pattern = None if grep is None else re.compile(grep)
    except re.error as error:
        raise OperateError(f"--grep {grep!r} is no regular expression: {error}.", "Correct it.") from error
    start = int((time.time() - since) * 1000)
    lines = read(session, chosen, start, pattern)
    followed = follow and not session.json
    if followed:
        _follow(session, chosen, lines, start, pattern)
    return Lines(service=chosen.name, log_groups=chosen.log_groups, lines=lines, were_followed=followed)


def _follow(
    session: Session, service: Service, lines: list[Line], start: int, pattern: re.Pattern[str] | None
) -> None:
    """Prints lines as they come; those of the last look's own second are asked for again, and said once."""
    said: set[Line] = set()
    try:
        while True:
            for line in lines:
                if line not in said:
                    show(session.console, shown(line))
            said = set(lines)
            start = max([start, *(int(line.at.timestamp() * 1000) for line in lines)])
            time.sleep(POLL_SECONDS)
            lines = read(session, service, start, pattern)
    except KeyboardInterrupt:
        return
