"""What a pause says in tags and to CloudWatch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.pause import Pause, written
from components.validation import InvalidArgumentError
from tests.unit.builders import PAUSE


def pause(since: str, until: str) -> Pause:
    return Pause(since=since, until=until, reason="migration")


@pytest.mark.parametrize(
    ("until", "duration"),
    [
        ("2026-11-30T09:01Z", "PT1M"),
        ("2026-11-30T13:00Z", "PT4H"),
        ("2026-11-30T13:30Z", "PT4H30M"),
        ("2026-12-02T21:00Z", "P2DT12H"),
        ("2026-12-01T09:05Z", "P1DT5M"),
        ("2026-12-15T09:00Z", "P15D"),
    ],
)
def test_cloudwatch_is_told_a_beginning_and_a_length(until: str, duration: str) -> None:
    told = pause("2026-11-30T09:00Z", until)
    assert (told.mute_expression, told.mute_duration) == ("at(2026-11-30T09:00)", duration)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2090, 1, 1)).map(lambda each: each.replace(tzinfo=UTC)),
    st.integers(1, 15 * 24 * 60),
    st.text("abc :/=+-@é가", min_size=1, max_size=256).filter(str.strip),
)
def test_a_pause_comes_back_out_of_its_tags(begins: datetime, minutes: int, reason: str) -> None:
    made = Pause(since=written(begins), until=written(begins + timedelta(minutes=minutes)), reason=reason)
    assert Pause.of_tags({**made.tags, "Project": "fileflow"}) == made
    assert made.ends - made.begins == timedelta(minutes=minutes)


@pytest.mark.parametrize("tag", sorted(PAUSE.tags))
def test_tags_that_someone_has_broken_tell_of_no_pause(tag: str) -> None:
    assert Pause.of_tags({**PAUSE.tags, tag: ""}) is None
    assert Pause.of_tags({key: value for key, value in PAUSE.tags.items() if key != tag}) is None


def test_a_service_without_these_tags_is_not_paused() -> None:
    assert Pause.of_tags({"fileflow:role": "scheduler"}) is None


def test_a_moment_of_another_zone_is_written_in_utc() -> None:
    seoul = timezone(timedelta(hours=9))
    assert written(datetime(2026, 11, 30, 18, 0, 59, tzinfo=seoul)) == PAUSE.since


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        Pause(since="now", until="later", reason="")
    fields = [each.field for each in caught.value.mistakes]
    assert fields == ["paused.since", "paused.until", "paused.reason"]
