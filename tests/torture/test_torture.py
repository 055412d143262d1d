"""Nobody provokes two schedulers to work at once where they have a lease, and the watcher sees it where not.

A scene of each kind in every run, the whole of `make torture` at night.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.torture.provocations import PROVOCATIONS
from tests.torture.scene import Programs
from tests.torture.scenes import Outcome, plan, stage, torture

pytestmark = pytest.mark.xdist_group("torture")


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    with stage(tmp_path_factory.mktemp("stage")) as found:
        yield found


def played(programs: Programs, folder: Path, count: int, lease_seconds: float, *, leased: bool) -> Outcome:
    """Plays the scenes, tells of them, and makes sure that each had something to see."""
    seed = time.time_ns() % 1_000_000
    outcome = asyncio.run(
        torture(
            programs,
            folder,
            plan(count),
            seed=seed,
            lease_seconds=lease_seconds,
            at_once=6,
            leased=leased,
        )
    )
    print(f"seed {seed}", outcome.table(), *outcome.failures, sep="\n")
    assert outcome.total.scenes == count
    # On a machine that is busy with something else some leases aren't had at all, which proves nothing.
    assert outcome.total.idle <= count / 5
    return outcome


def test_no_way_to_two_has_two_at_work_where_they_have_a_lease(programs: Programs, tmp_path: Path) -> None:
    outcome = played(programs, tmp_path, len(PROVOCATIONS), 5.0, leased=True)

    assert outcome.failures == []
    assert outcome.total.beside >= len(PROVOCATIONS)
    assert outcome.total.faults.total() > 0


def test_every_way_to_two_has_two_at_work_where_they_have_none(programs: Programs, tmp_path: Path) -> None:
    outcome = played(programs, tmp_path, len(PROVOCATIONS), 1.0, leased=False)

    assert [name for name, tally in outcome.tallies.items() if not tally.overlapping] == []


@pytest.mark.nightly
def test_no_way_to_two_of_five_hundred_has_two_at_work(programs: Programs, tmp_path: Path) -> None:
    outcome = played(programs, tmp_path, 525, 6.0, leased=True)

    assert outcome.failures == []
    assert outcome.total.beside >= 500
