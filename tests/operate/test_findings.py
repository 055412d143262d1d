"""What the runbook's judgement says of a service, from values alone."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from components.lease_record import HeldLease
from components.pause import Pause
from operate.findings import SINGLETON_SETTINGS, findings, missing_alarms
from operate.observation import Alarm, Observation, Rollout, Task

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REVISION = "arn:aws:ecs:eu-west-1:111122223333:task-definition/nightly:7"


def task(**changes: Any) -> Task:
    given: dict[str, Any] = {
        "arn": "arn:aws:ecs:eu-west-1:111122223333:task/main/abc",
        "last_status": "RUNNING",
        "desired_status": "RUNNING",
        "task_definition_arn": REVISION,
        "group": "service:nightly",
        "started_by": None,
        "health": "HEALTHY",
        "created_at": NOW,
        "started_at": NOW,
        "stopping_at": None,
        "stopped_at": None,
        "stopped_reason": None,
        "private_address": "10.0.0.1",
        "spot": False,
        "execute_command": False,
        "runtime_ids": {},
    }
    return Task(**{**given, **changes})


def scheduler(**changes: Any) -> Observation:
    """A scheduler with which all is well, but for the changes."""
    rollout = Rollout(
        task_definition_arn=REVISION,
        state="COMPLETED",
        reason=None,
        desired=1,
        running=1,
        failed_tasks=0,
        created_at=NOW,
    )
    given: dict[str, Any] = {
        "service": "nightly",
        "role": "scheduler",
        "status": "ACTIVE",
        "desired": 1,
        "running": 1,
        "pending": 0,
        "tasks": [task()],
        "strangers": [],
        "rollout": rollout,
        "deployments": 1,
        "asked_task_definition_arn": REVISION,
        "image": None,
        "versions": [],
        "alarms": [],
        "events": [],
        "settings": {**SINGLETON_SETTINGS, "capacityProviders": ["FARGATE"]},
    }
    return Observation(**{**given, **changes})


def problems(seen: Observation) -> list[str]:
    return [finding.problem for finding in findings(seen)]


def test_a_scheduler_that_runs_once_as_asked_has_no_finding() -> None:
    assert findings(scheduler()) == []


def test_two_running_tasks_and_a_count_of_two_are_two_findings() -> None:
    seen = scheduler(desired=2, running=2, tasks=[task(), task(arn="x/y")])
    assert problems(seen) == [
        "the desired count is 2; a scheduler's is 1",
        "2 tasks may be at work: 2 of the service, 0 stopping, 0 beside it",
    ]
    assert {finding.fix for finding in findings(seen)} == {"python -m operate fix-count nightly"}


def test_a_stopping_task_counts_as_at_work() -> None:
    seen = scheduler(tasks=[task(), task(last_status="STOPPING", desired_status="STOPPED")])
    assert problems(seen) == ["2 tasks may be at work: 1 of the service, 1 stopping, 0 beside it"]
    assert "Wait" in findings(seen)[0].fix


def test_a_task_beside_the_service_counts_as_at_work() -> None:
    seen = scheduler(strangers=[task(group="family:nightly")])
    assert problems(seen) == ["2 tasks may be at work: 1 of the service, 0 stopping, 1 beside it"]


def test_no_running_task_is_a_finding_for_any_role() -> None:
    for role in ("scheduler", "web-api"):
        assert problems(scheduler(role=role, running=0, tasks=[])) == ["0 of 1 tasks run"]


def test_a_web_service_may_run_several_tasks_and_breaks_no_rule_of_schedulers() -> None:
    several = [task(arn=f"x/{index}") for index in range(3)]
    settings = {**SINGLETON_SETTINGS, "maximumPercent": 200, "loadBalancers": 1}
    seen = scheduler(role="web-api", desired=3, running=3, tasks=several, settings=settings)
    assert findings(seen) == []


def test_another_revision_than_the_asked_one_is_a_finding() -> None:
    assert problems(scheduler(asked_task_definition_arn=REVISION[:-1] + "8")) == [
        "nightly:7 runs, nightly:8 was asked for"
    ]


def test_a_failed_rollout_and_one_under_way_say_so() -> None:
    failed = dataclasses.replace(scheduler().rollout, state="FAILED", reason="tasks failed to start")
    assert problems(scheduler(rollout=failed)) == ["the rollout failed: tasks failed to start"]
    going = dataclasses.replace(scheduler().rollout, state="IN_PROGRESS", running=0, failed_tasks=2)
    assert problems(scheduler(rollout=going)) == ["a rollout is under way: 0 of 1 tasks, 2 failed"]


@pytest.mark.parametrize("name", SINGLETON_SETTINGS)
def test_each_setting_that_exactly_one_rests_on_is_looked_at(name: str) -> None:
    settings = {**SINGLETON_SETTINGS, name: "other"}
    (finding,) = findings(scheduler(settings=settings))
    assert finding.problem == f"{name} is 'other'; a scheduler's is {SINGLETON_SETTINGS[name]!r}"


def test_an_alarm_that_rings_is_silenced_or_is_gone_is_a_finding() -> None:
    ringing = Alarm(name="two", state="ALARM", reason="2 > 1", actions_enabled=True, has_action=True)
    silent = Alarm(name="none", state="OK", reason="", actions_enabled=False, has_action=True)
    seen = scheduler(alarms=[ringing, silent])
    assert problems(seen) == ["alarm two: 2 > 1", "alarm none tells nobody: its actions are off"]
    assert [each.problem for each in missing_alarms(["two", "cpu"], seen)] == ["alarm cpu is gone"]


def test_a_deleted_service_is_one_finding_alone() -> None:
    assert problems(scheduler(status="INACTIVE", running=0, desired=0, tasks=[])) == [
        "the service is INACTIVE"
    ]


def lease(holder: str | None, *, is_known: bool = True) -> HeldLease:
    return HeldLease(
        table_name="leases", key="files/nightly", holder=holder, fencing_token=7, is_known=is_known
    )


@pytest.mark.parametrize(
    "held",
    [lease(task().arn), lease("a-host/12"), lease(None, is_known=False)],
    ids=["its task", "a host", "not known"],
)
def test_a_lease_that_its_own_task_holds_or_that_nobody_may_read_is_well(held: HeldLease) -> None:
    assert findings(scheduler(lease=held)) == []


def test_a_lease_that_nobody_holds_while_a_task_runs_is_said() -> None:
    found = findings(scheduler(lease=lease(None)))

    assert [each.problem for each in found] == [
        "its task waits: nobody holds the lease files/nightly of leases"
    ]


def test_a_table_of_leases_that_is_gone_is_said() -> None:
    (found,) = findings(scheduler(lease=dataclasses.replace(lease(None), table_is_gone=True)))

    assert (found.problem, found.fix) == (
        "the table of its lease is gone, so it can't work: leases",
        "Put it back by the state: pulumi up --refresh",
    )


def test_a_lease_that_a_task_of_another_service_holds_is_said() -> None:
    found = findings(scheduler(lease=lease("arn:aws:ecs:eu-west-1:111122223333:task/other/def")))

    assert [each.problem for each in found] == ["its task waits: def holds the lease files/nightly of leases"]


PAUSE = Pause(since="2026-01-01T00:00Z", until="2026-01-01T04:00Z", reason="migration")
RINGS = Alarm(name="none-running", state="ALARM", reason="none", actions_enabled=True, has_action=True)


def paused(**changes: Any) -> Observation:
    """A scheduler that is paused as it must be, but for the changes."""
    given: dict[str, Any] = {
        "pause": PAUSE,
        "desired": 0,
        "running": 0,
        "tasks": [],
        "alarms": [RINGS],
        "muted_alarm_names": ["none-running"],
        "seen_at": NOW,
    }
    return scheduler(**{**given, **changes})


def test_a_paused_scheduler_without_a_task_has_no_finding_until_its_pause_ends() -> None:
    assert findings(paused()) == []
    assert findings(paused(seen_at=NOW + timedelta(hours=3, minutes=59))) == []
    assert problems(paused(seen_at=NOW + timedelta(hours=4))) == [
        "its pause ended at 2026-01-01T04:00Z (migration), and it isn't resumed",
        "alarm none-running: none",
    ]
    assert "resume nightly" in findings(paused(seen_at=NOW + timedelta(hours=4)))[0].fix


def test_a_paused_scheduler_that_runs_is_a_finding_however_it_came_to_it() -> None:
    assert problems(paused(desired=1, tasks=[task()], running=1)) == [
        "the desired count is 1, although it is paused (migration)",
        "1 tasks may be at work, although it is paused (migration)",
    ]
    assert problems(paused(strangers=[task(group="family:nightly")])) == [
        "1 tasks may be at work, although it is paused (migration)"
    ]
    stopping = task(last_status="STOPPING", desired_status="STOPPED")
    assert problems(paused(tasks=[stopping])) == ["its task is still stopping"]


def test_another_alarm_than_the_muted_one_is_told_of_a_paused_scheduler() -> None:
    other = dataclasses.replace(RINGS, name="two-running")
    assert problems(paused(alarms=[RINGS, other])) == ["alarm two-running: none"]


def test_who_holds_a_paused_schedulers_lease_is_told() -> None:
    held = HeldLease(table_name="leases", key="nightly", holder="arn:aws:ecs:x:1:task/main/other")
    assert problems(paused(lease=held)) == ["it is paused: other holds the lease nightly of leases"]
    assert problems(paused(lease=dataclasses.replace(held, holder=None))) == []


def test_a_paused_scheduler_is_held_to_the_guarantee() -> None:
    settings = {**SINGLETON_SETTINGS, "maximumPercent": 200}
    assert problems(paused(settings=settings)) == ["maximumPercent is 200; a scheduler's is 100"]
