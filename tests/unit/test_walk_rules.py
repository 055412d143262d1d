"""The walk's rules see what a scheduler must not do, in records made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.walk import rules
from tests.walk.test_mutants import MUTANTS
from tests.walk.watcher import Record, Sight, Task

ROOT = Path(__file__).parents[2]

DOWNLOAD = "fileflow-scheduler-download"
WEB = "fileflow-web-api"


def task(number: int, service: str = DOWNLOAD, *, created: float, stopping: float | None = None) -> Task:
    """A task that runs one second after its creation, and ends two after it was told to stop."""
    return Task(
        arn=f"task-{number}",
        service=service,
        definition=f"{service}:{number}",
        created=created,
        started=created + 1,
        stopping=stopping,
        stopped=None if stopping is None else stopping + 2,
    )


def record(*tasks: Task, most: int = 1, answers: tuple[bool, ...] = ()) -> Record:
    return Record(
        began=100.0,
        ended=200.0,
        tasks={each.arn: each for each in tasks},
        most_at_once={DOWNLOAD: most},
        sights=[Sight(100.0 + index, answered, "an answer") for index, answered in enumerate(answers)],
    )


def test_a_load_balancer_without_its_web_acl_is_noticed() -> None:
    def told(found: list[str], **balancer: object) -> int:
        return len(list(rules.unguarded({"web_api": {"load_balancer": balancer}}, found)))

    assert told([]) == told(["fileflow-prod-alb"], web_acl={}) == told(["walk"], web_acl_arn="arn") == 0
    assert told([], web_acl={}) == told(["fileflow-prod-alb"], web_acl_arn="arn") == told(["walk"]) == 1


def test_a_key_on_its_way_out_is_a_loss_unless_it_was_asked_for() -> None:
    before, after = {"1": "of a former run"}, {"1": "of a former run", "2": "Logs"}

    assert list(rules.unreadable(before, before, asked_for=False)) == []
    assert list(rules.unreadable(before, after, asked_for=True)) == []
    assert len(list(rules.unreadable(before, before, asked_for=True))) == 1
    (said,) = rules.unreadable(before, after, asked_for=False)
    assert said.endswith("is lost: Logs")


def test_a_successor_after_the_stop_is_one_handover_with_its_times() -> None:
    seen = record(task(1, created=10, stopping=110), task(2, created=110))
    assert list(rules.two_at_once(seen)) == []
    assert list(rules.restarted(seen, 1)) == []
    assert list(rules.not_running(seen, [DOWNLOAD])) == []
    assert list(rules.handovers(seen)) == [rules.Handover(service=DOWNLOAD, without=1.0, overlap=1.0)]


def test_a_successor_before_the_stop_is_two_at_once() -> None:
    [line] = rules.two_at_once(record(task(1, created=10, stopping=112), task(2, created=110)))
    assert line == f"{DOWNLOAD}: {DOWNLOAD}:2 was started before {DOWNLOAD}:1 was told to stop"


def test_two_that_were_seen_are_two_whatever_their_times_say() -> None:
    assert list(rules.two_at_once(record(task(1, created=10), most=2))) == [f"{DOWNLOAD} had 2 tasks at once"]


def test_two_web_tasks_are_nobodys_concern() -> None:
    assert list(rules.two_at_once(record(task(1, WEB, created=10), task(2, WEB, created=20)))) == []


def test_a_scheduler_that_was_started_twice_was_away_too_long() -> None:
    seen = record(task(1, created=10, stopping=110), task(2, created=110, stopping=120), task(3, created=120))
    assert list(rules.restarted(seen, 1)) == [f"{DOWNLOAD} was started 2 times by one change"]


def test_a_scheduler_without_a_task_and_one_too_many_are_told() -> None:
    gone = record(task(1, created=10, stopping=110))
    assert list(rules.not_running(gone, [DOWNLOAD])) == [f"{DOWNLOAD} has no task"]
    assert list(rules.not_running(record(task(1, created=10)), [])) == [f"{DOWNLOAD} still has a task"]


def test_a_request_that_reaches_no_target_is_told_with_how_long() -> None:
    assert list(rules.unanswered(record(answers=(True, True)))) == []
    [line] = rules.unanswered(record(answers=(True, False, False, True)))
    assert line == "the web API didn't answer 2 of 4 requests, over 1.0 s, first: an answer"


def test_a_task_that_had_ended_before_doesnt_count() -> None:
    seen = record(task(1, created=10, stopping=50), task(2, created=60))
    assert list(rules.handovers(seen)) == []
    assert list(rules.two_at_once(seen)) == []


@pytest.mark.parametrize("name", MUTANTS)
def test_what_a_mutant_changes_stands_in_the_program_once(name: str) -> None:
    for file, (line, _) in MUTANTS[name].lines.items():
        assert (ROOT / file).read_text().count(line) == 1, file
