"""`status`: what runs, on one screen."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import click
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from operate.app import Session, verb
from operate.errors import SETTLED, WRONG
from operate.findings import Finding, findings
from operate.observation import Observation, observe
from operate.result import uncut

WATCH_INTERVAL_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Status:
    """The services of a stack, and what is wrong with them."""

    stack: str
    region: str
    services: Sequence[Observation]
    findings: Sequence[Finding]

    @property
    def exit_code(self) -> int:
        return WRONG if self.findings else SETTLED

    def human(self) -> RenderableType:
        wrong = {each.service for each in self.findings}
        leases = any(seen.lease for seen in self.services)
        columns = ["service", "tasks", "stopping", "rollout", "revision", "version", "alarms"]
        columns += ["lease held by"] if leases else []
        table = uncut(*columns, title=f"Stack {self.stack} in {self.region}")
        for seen in self.services:
            ringing = sum(
                alarm.state == "ALARM" and not (seen.is_paused and alarm.name in seen.muted_alarm_names)
                for alarm in seen.alarms
            )
            beside = f" +{len(seen.strangers)} beside" if seen.strangers else ""
            paused = " PAUSED" if seen.pause is not None else ""
            table.add_row(
                seen.service,
                f"{seen.running} of {seen.desired}{beside}{paused}",
                str(seen.stopping),
                seen.rollout.state.lower().replace("_", " "),
                _revision(seen),
                ", ".join(seen.versions) or (seen.image or "").partition("@")[2][:19] or "?",
                f"{ringing} of {len(seen.alarms)} ring" if ringing else f"{len(seen.alarms)} quiet",
                *([_holder(seen)] if leases else []),
                style="red" if seen.service in wrong else "yellow" if seen.pause is not None else "green",
            )
        pauses = [
            Text(f"{seen.service}: PAUSED until {seen.pause.until}: {seen.pause.reason}", style="yellow")
            for seen in self.services
            if seen.pause is not None
        ]
        lines = [Text(f"{each.service}: {each.problem}. {each.fix}", style="red") for each in self.findings]
        latest = sorted(
            ((event.at, seen.service, event.message) for seen in self.services for event in seen.events),
            reverse=True,
        )[:5]
        events = [Text(f"{at:%H:%M:%S}  {message}", style="dim") for at, _, message in latest]
        return Group(table, *pauses, *lines, *([Text("Last events:")] if events else []), *events)


def _holder(seen: Observation) -> str:
    if seen.lease is None:
        return ""
    return (seen.lease.holder or "nobody").rpartition("/")[2][:8]


def _revision(seen: Observation) -> str:
    runs, asked = (
        arn.rpartition(":")[2] for arn in (seen.rollout.task_definition_arn, seen.asked_task_definition_arn)
    )
    return runs if seen.runs_what_was_asked else f"{runs}, asked: {asked}"


def look(session: Session, service: str | None) -> Status:
    """The status of one service, or of all."""
    seen = [observe(session.aws, each, each.alarm_names) for each in session.services(service)]
    return Status(
        stack=session.stack.name,
        region=session.aws.region,
        services=seen,
        findings=[finding for each in seen for finding in findings(each)],
    )


@verb()
@click.argument("service", required=False)
@click.option("--watch", is_flag=True, help="Look again every two seconds, until Ctrl-C.")
def status(session: Session, service: str | None, watch: bool) -> Status:
    """Show what runs, what stops, what was asked for, and what is wrong.

    A scheduler of which not exactly one task is at work is red, and the exit code is 1; one that is paused is
    yellow as long as it has none and its end is to come.
    """
    seen = look(session, service)
    if not watch or session.json:
        return seen
    with Live(seen.human(), console=session.console, transient=True) as live:
        try:
            while True:
                time.sleep(WATCH_INTERVAL_SECONDS)
                seen = look(session, service)
                live.update(seen.human())
        except KeyboardInterrupt:
            return seen
