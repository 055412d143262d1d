"""Every setting of a running stack is changed, there and back, while a watcher looks on.

The whole walk is nightly, a tour of what once jammed a stack is in every run;
`FILEFLOW_RECORD_CHANGES=1` writes what each change did to docs/changes.json.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.deployment import CHECKOUT, Deployment
from tests.walk.change import HTTPS, PLAIN, Run
from tests.walk.runs import RUNS, TOUR, TOUR_REFUSES
from tests.walk.stack import WalkedStack
from tests.walk.walking import Walked, tour, walk
from tools.changes import RECORDED, read

RECORD = "FILEFLOW_RECORD_CHANGES"

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, WalkedStack]]:
    started: dict[str, WalkedStack] = {}
    try:
        for name in (PLAIN, HTTPS):
            folder = tmp_path_factory.mktemp("walk")
            started[name] = WalkedStack(Deployment.copy(folder), name)
        yield started
    finally:
        for each in started.values():
            each.deployment.down()


WALKED = [
    pytest.param(
        base,
        run,
        id=f"{run.name}, from {base}",
        marks=[pytest.mark.nightly, pytest.mark.xdist_group(f"walk-{base}")],
    )
    for base in (PLAIN, HTTPS)
    for run in RUNS
    if base in run.bases
]


@pytest.mark.xdist_group(f"walk-{PLAIN}")
def test_what_once_jammed_a_stack_goes_in_one_after_the_other_and_out_again(
    stacks: dict[str, WalkedStack],
) -> None:
    stack = started(stacks, PLAIN)
    runs = {run.name: run for run in RUNS}
    walked = tour(
        stack, [[runs[name] for name in step] for step in TOUR], [runs[name] for name in TOUR_REFUSES]
    )
    tell(walked)
    assert walked.violations == []


@pytest.mark.parametrize(("base", "run"), WALKED)
def test_a_change_goes_in_and_out_or_is_refused(stacks: dict[str, WalkedStack], base: str, run: Run) -> None:
    walked = walk(started(stacks, base), run)
    tell(walked)
    assert walked.violations == []
    if os.environ.get(RECORD):
        write(base, run.name, walked.entries)
    else:
        assert read().get(base, {}).get(run.name) == walked.entries, f"record it with {RECORD}=1"


def started(stacks: dict[str, WalkedStack], base: str) -> WalkedStack:
    """The stack of this base, running."""
    stack = stacks[base]
    if not stack.facts:
        stack.start()
    return stack


def tell(walked: Walked) -> None:
    """Prints how the schedulers changed over, what each change did, and what was wrong."""
    for each in walked.handovers:
        print(
            f"{each.service}: {each.without:.1f} s without a running task, "
            f"{each.overlap:.1f} s beside one that was still stopping"
        )
    print(json.dumps(walked.entries, indent=1, ensure_ascii=False))
    print(*walked.violations, sep="\n")


def write(base: str, name: str, entries: list[dict[str, Any]]) -> None:
    """Puts what a run did into the recorded changes, in the order of the runs."""
    with (CHECKOUT / "tools/changes.py").open() as lock:
        # The two stacks may be walked by two processes.
        fcntl.flock(lock, fcntl.LOCK_EX)
        recorded = read()
        recorded.setdefault(base, {})[name] = entries
        ordered = {
            each: {run.name: recorded[each][run.name] for run in RUNS if run.name in recorded[each]}
            for each in (PLAIN, HTTPS)
            if each in recorded
        }
        text = json.dumps(ordered, indent=1, ensure_ascii=False)
        RECORDED.write_text(f"{text}\n", encoding="utf-8")
