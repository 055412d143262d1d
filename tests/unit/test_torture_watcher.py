"""What the torture's watcher makes of what workers wrote."""

from __future__ import annotations

import pytest

from tests.torture.watcher import Judgement, judge, read

SECOND = 1_000_000_000


def judged(*lines: str) -> Judgement:
    """What comes of lines whose times are in seconds."""
    written = []
    for line in lines:
        *words, at = line.split()
        written.append(f"{' '.join(words)} {int(float(at) * SECOND)}\n")
    return judge(read(written))


def test_one_after_the_other_is_no_overlap() -> None:
    found = judged("begin a 1 0 10", "end a 1 0 11", "begin b 2 0 13", "end b 2 0 14")

    assert found.overlaps == []
    assert found.overlap_seconds == 0
    assert found.longest_gap_seconds == pytest.approx(2)
    assert (found.units, found.workers) == (2, 2)


def test_two_at_once_are_an_overlap_as_long_as_they_share() -> None:
    found = judged("begin a 1 0 10", "begin b 2 0 11", "end a 1 0 12", "end b 2 0 13")

    assert found.overlaps == ["a (1) and b (2)"]
    assert found.overlap_seconds == pytest.approx(1)
    assert found.longest_gap_seconds == 0


def test_a_unit_that_spans_many_of_anothers_overlaps_with_each() -> None:
    found = judged(
        *("begin a 1 0 10", "begin b 2 0 11", "end b 2 0 12", "begin b 2 1 13", "end b 2 1 14"),
        "end a 1 0 20",
    )

    assert len(found.overlaps) == 2
    assert found.overlap_seconds == pytest.approx(2)


def test_an_old_worker_that_wakes_among_anothers_units_is_seen() -> None:
    found = judged(
        *("begin a 1 0 10", "end a 1 0 11", "begin b 2 0 12", "end b 2 0 13", "begin a 1 1 14"),
        *("begin b 2 1 13.5", "end b 2 1 15", "end a 1 1 14.5"),
    )

    assert found.overlaps == ["b (2) and a (1)"]
    assert found.older_tokens == ["a (1) after b (2)"]


def test_a_unit_that_was_killed_counts_until_it_was_last_seen() -> None:
    assert judged("begin a 1 0 10", "begin b 2 0 12", "end b 2 0 13").overlaps == []


def test_a_line_that_a_kill_cut_off_is_left_out() -> None:
    assert judge(read(["begin a 1 0 10\n", "end a 1 0 1"])).units == 1


def test_nothing_is_nobody() -> None:
    assert judged() == Judgement(
        units=0, workers=0, overlap_seconds=0, overlaps=[], longest_gap_seconds=0, older_tokens=[]
    )
