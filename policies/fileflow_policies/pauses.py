"""Whether a scheduler is paused: a service says by its tags until when no task of it runs, and why.

Owns what counts as a pause. Deliberately not here: which number of tasks a scheduler may have.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from .resources import Resource

UNTIL_TAG: Final = "fileflow:paused-until"
REASON_TAG: Final = "fileflow:paused-reason"
LONGEST: Final = timedelta(days=15)
"""How long CloudWatch mutes an alarm at most, so that the one on no task tells of a pause that nobody ends.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Schedule.html (Duration)
"""
HOW_TO_PAUSE: Final = (
    f"pause it: tag the service {UNTIL_TAG} with a time in UTC within {LONGEST.days} days, such as "
    f"2026-11-30T09:00Z, and {REASON_TAG}"
)

_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?Z")


def why_not_paused(service: Resource) -> str | None:
    """Why a service isn't paused, in words: empty where it doesn't say that it is. None where it is paused.

    What can't be known yet is no pause.
    """
    until, reason = service.tag(UNTIL_TAG), service.tag(REASON_TAG)
    if until.missing and reason.missing:
        return ""
    ends = _moment(until.text())
    if ends is None:
        return f"{UNTIL_TAG} is {until.shown()}, and no time in UTC"
    now = datetime.now(UTC)
    if ends <= now:
        return f"its pause ended at {until.shown()}"
    if ends - now > LONGEST:
        return f"its pause ends at {until.shown()}, in more than {LONGEST.days} days"
    if not (reason.text() or "").strip():
        return f"{REASON_TAG} is {reason.shown()}"
    return None


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text is not None and _MOMENT.fullmatch(text) else None
    except ValueError:
        # There is no such day or hour.
        return None
