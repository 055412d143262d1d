"""A scheduler may have no task while it is paused, with a reason and an end to come; else it has one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from tests.policies import compliant_stack
from tests.policies.harness import Recording, Report, Violation, analyse, record, secret, unknown
from tests.policies.rule_cases import SCHEDULER, WORKER

UNTIL, REASON = "fileflow:paused-until", "fileflow:paused-reason"
COUNT = Violation("scheduler-desired-count", SCHEDULER, "mandatory")
MISSING = object()


def moment(**from_now: float) -> str:
    return f"{datetime.now(UTC) + timedelta(**from_now):%Y-%m-%dT%H:%MZ}"


@cache
def _compliant(preview: bool) -> Recording:
    return record(compliant_stack.program, preview=preview)


def paused(
    until: Any = MISSING, reason: Any = "database migration", count: Any = 0, preview: bool = True
) -> Recording:
    """The compliant stack with its scheduler paused."""
    recording = _compliant(preview).copy()
    recording.set(SCHEDULER, "desiredCount", count)
    recording.set(SCHEDULER, f"tags.{UNTIL}", moment(hours=4) if until is MISSING else until)
    if reason is not None:
        recording.set(SCHEDULER, f"tags.{REASON}", reason)
    return recording


def found(recording: Recording) -> Report:
    return analyse(recording)


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "update"])
@pytest.mark.parametrize(
    "until",
    [moment(hours=1), moment(days=15), f"{moment(hours=4)[:-1]}:00Z", secret(moment(hours=4))],
    ids=["an hour", "as long as CloudWatch mutes", "with seconds", "a secret"],
)
def test_a_pause_with_a_reason_and_an_end_to_come_breaks_no_rule(until: Any, preview: bool) -> None:
    assert found(paused(until, preview=preview)).violations == set()


@pytest.mark.parametrize(
    ("until", "reason", "said"),
    [
        (moment(minutes=-1), "migration", "its pause ended at "),
        (moment(days=16), "migration", "in more than 15 days"),
        ("tomorrow", "migration", f"{UNTIL} is tomorrow, and no time in UTC"),
        ("2030-02-30T09:00Z", "migration", f"{UNTIL} is 2030-02-30T09:00Z, and no time in UTC"),
        ("2030-01-01T09:00+09:00", "migration", "and no time in UTC"),
        (unknown(), "migration", f"{UNTIL} is unknown before the update"),
        (None, "migration", f"{UNTIL} is not set"),
        (moment(hours=4), None, f"{REASON} is not set"),
        (moment(hours=4), " ", f"{REASON} is "),
        (moment(hours=4), unknown(), f"{REASON} is unknown before the update"),
        (secret(moment(days=-1)), "migration", "its pause ended at [secret]"),
    ],
)
def test_a_pause_that_is_none_is_refused_and_says_why(until: Any, reason: Any, said: str) -> None:
    report = found(paused(until, reason))

    assert report.violations == {COUNT}
    [message] = report.messages
    assert "desiredCount is 0 and " in message
    assert said in message
    assert "or pause it: tag the service fileflow:paused-until" in message


def test_no_task_without_a_pause_is_refused_and_the_message_says_how_to_pause() -> None:
    recording = _compliant(preview=True).copy()
    recording.set(SCHEDULER, "desiredCount", 0)
    report = found(recording)

    assert report.violations == {COUNT}
    [message] = report.messages
    assert "desiredCount is 0; " in message
    assert "or pause it: tag the service fileflow:paused-until" in message


def test_tags_that_only_the_update_knows_are_no_pause() -> None:
    recording = paused()
    recording.set(SCHEDULER, "tags", unknown())
    assert COUNT in found(recording).violations


@pytest.mark.parametrize("count", [2, unknown()], ids=["two", "unknown"])
def test_a_pause_allows_no_other_number(count: Any) -> None:
    assert found(paused(count=count)).violations == {COUNT}


def test_a_pause_without_a_count_is_refused_since_it_may_be_forgotten() -> None:
    recording = paused()
    recording.drop(SCHEDULER, "desiredCount")
    assert found(recording).violations == {COUNT}


def test_one_task_is_right_whatever_the_tags_say() -> None:
    assert found(paused(moment(days=-1), count=1)).violations == set()


def test_a_paused_scheduler_is_held_to_everything_else() -> None:
    recording = paused()
    recording.set(SCHEDULER, "deploymentMaximumPercent", 200)
    recording.resources = [each for each in recording.resources if not each.name.endswith("none-running")]

    broken = {each.rule for each in found(recording).violations}
    assert broken == {"scheduler-stop-before-start", "scheduler-heartbeat-alarms"}


@pytest.mark.parametrize("tag", [UNTIL, REASON])
def test_a_tag_of_the_pause_is_not_ignored(tag: str) -> None:
    recording = paused()
    recording[SCHEDULER].ignore_changes = [f'tags["{tag}"]']
    assert {each.rule for each in found(recording).violations} == {"scheduler-guarded-properties"}


def test_another_service_may_have_no_task_without_saying_why() -> None:
    recording = _compliant(preview=True).copy()
    recording.set(WORKER, "desiredCount", 0)
    assert found(recording).violations == set()
