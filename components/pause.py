"""A pause of a scheduler: since when, until when, and why no task of it runs.

Pure. Owns what a pause is, and its form in a service's tags and in CloudWatch's words. Doesn't own what
follows from it: the service (`scheduler_service`), its alarms (`alarms`), and that one whose end has passed
is refused (the settings and the policy pack, which have a clock).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from components.aws_rules import MAXIMUM_TAG_VALUE, check_tag_text
from components.tags import PAUSED_REASON_TAG, PAUSED_SINCE_TAG, PAUSED_UNTIL_TAG
from components.validation import InvalidArgumentError, all_mistakes, refuse

LONGEST = timedelta(days=15)
"""How long CloudWatch mutes an alarm at most.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Schedule.html (Duration)
"""

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}Z")
"""Without seconds, with which YAML takes it for a time of its own and hands another text over."""


@dataclass(frozen=True, kw_only=True)
class Pause:
    """Why no task of a scheduler runs for a while; at its end it must run again, or somebody is told.

    Raises `InvalidArgumentError` for a time that isn't UTC in whole minutes, an end that isn't after the
    beginning or more than 15 days after it, and a reason that no tag can have.
    """

    since: str
    """When it began, in UTC and whole minutes: 2026-11-30T09:00Z. From then on CloudWatch mutes the alarm
    that tells when none runs; whether it takes a beginning that lies hours back isn't known, so give the
    present time.
    """
    until: str
    """When it ends, likewise, at most 15 days later. The alarm tells then that none runs."""
    reason: str
    """Why, in up to 256 letters, digits, spaces and `_.:/=+-@`: it becomes a tag of the service."""

    @all_mistakes
    def __post_init__(self) -> None:
        begins = _checked_moment("paused.since", self.since)
        ends = _checked_moment("paused.until", self.until)
        if begins is not None and ends is not None and not timedelta() < ends - begins <= LONGEST:
            refuse(
                "paused.until",
                self.until,
                f"a pause ends after it began, {self.since}, and within {LONGEST.days} days, since "
                "CloudWatch mutes an alarm no longer",
                "Give a later end." if ends <= begins else "Give an earlier end, and pause again before it.",
            )
        if not self.reason.strip():
            refuse("paused.reason", self.reason, "a pause says why", "Write for example database migration.")
        check_tag_text("paused.reason", "a pause's reason", self.reason, MAXIMUM_TAG_VALUE)

    @property
    def begins(self) -> datetime:
        return datetime.fromisoformat(self.since)

    @property
    def ends(self) -> datetime:
        return datetime.fromisoformat(self.until)

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags by which a paused service says so."""
        return {
            PAUSED_SINCE_TAG: self.since,
            PAUSED_UNTIL_TAG: self.until,
            PAUSED_REASON_TAG: self.reason,
        }

    @property
    def mute_expression(self) -> str:
        """When CloudWatch begins to mute an alarm, once.

        Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Schedule.html
        """
        return f"at({self.begins:%Y-%m-%dT%H:%M})"

    @property
    def mute_duration(self) -> str:
        """For how long CloudWatch mutes it, as ISO 8601 has it."""
        hours, minutes = divmod(int((self.ends - self.begins).total_seconds()) // 60, 60)
        days, hours = divmod(hours, 24)
        time = f"{f'{hours}H' if hours else ''}{f'{minutes}M' if minutes else ''}"
        return f"P{f'{days}D' if days else ''}{f'T{time}' if time else ''}"

    @classmethod
    def of_tags(cls, tags: Mapping[str, str]) -> Pause | None:
        """The pause that a service's tags tell of; None where they tell of none, or of what can't be one."""
        try:
            return cls(
                since=tags[PAUSED_SINCE_TAG], until=tags[PAUSED_UNTIL_TAG], reason=tags[PAUSED_REASON_TAG]
            )
        except (KeyError, InvalidArgumentError):
            return None


def written(moment: datetime) -> str:
    """A moment as a pause has it: UTC, in whole minutes."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def _checked_moment(field: str, value: str) -> datetime | None:
    """The moment, or None where it is refused."""
    try:
        found = datetime.fromisoformat(value) if _MOMENT.fullmatch(value) else None
    except ValueError:
        # There is no such day or hour.
        found = None
    if found is None:
        refuse(
            field,
            value,
            "a pause's time is UTC in minutes, without seconds",
            "Write for example 2026-11-30T09:00Z.",
        )
    return found
