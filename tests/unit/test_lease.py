"""What a lease adds to a scheduler, exactly, and that without one nothing of it is there."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import pytest

from components.lease import Lease
from components.lease_table import LeaseTable, LeaseTableArgs
from components.names import GUARD
from components.options import ContainerHealthCheck, ContainerOptions, Sidecar, WritablePath
from components.validation import InvalidArgumentError
from tests.unit import type_tokens as t
from tests.unit.builders import IMAGE, LEASE, TAGS, record_scheduler, scheduler_args
from tests.unit.providers import ACCOUNT, REGION
from tests.unit.recorder import Recording, record

MOUNT = {"containerPath": "/lease", "readOnly": True, "sourceVolume": "lease-guard"}


@pytest.fixture(scope="module")
def leased() -> Recording:
    return record_scheduler(lease=LEASE)


@pytest.fixture(scope="module")
def previewed() -> Recording:
    return record_scheduler(preview=True, lease=LEASE)


def containers(recording: Recording) -> list[dict[str, Any]]:
    found = json.loads(recording.only(t.TASK_DEFINITION).inputs["containerDefinitions"])
    assert isinstance(found, list)
    return found


def main_of(**changes: Any) -> Mapping[str, Any]:
    return containers(record_scheduler(**{"lease": LEASE, **changes}))[0]


def test_the_scheduler_runs_under_the_guard(leased: Recording) -> None:
    main, installer = containers(leased)

    assert main["entryPoint"] == [
        *(GUARD, "run", "--table", "fileflow-prod-leases", "--key", "fileflow-db/download"),
        *("--region", REGION, "--lease", "60s", "--stop-timeout", "120s", "--", "/cnb/process/web"),
    ]
    assert "command" not in main
    assert main["dependsOn"] == [{"condition": "SUCCESS", "containerName": "lease-guard"}]
    assert MOUNT in main["mountPoints"]
    assert installer["command"] == ["install", "/lease"]
    assert installer["image"] == IMAGE
    assert installer["essential"] is False
    assert installer["mountPoints"] == [{**MOUNT, "readOnly": False}]
    assert {"name": "lease-guard"} in leased.only(t.TASK_DEFINITION).inputs["volumes"]


def test_the_containers_own_entry_point_and_command_come_behind_the_guard() -> None:
    main = main_of(container=ContainerOptions(entry_point=["java", "-jar", "a.jar"], command=["--quiet"]))

    assert main["entryPoint"][-4:] == ["--", "java", "-jar", "a.jar"]
    assert main["command"] == ["--quiet"]


def test_the_stop_timeout_and_the_duration_reach_the_guard() -> None:
    words = main_of(stop_timeout_seconds=30, lease=dataclasses.replace(LEASE, duration_seconds=20))

    assert words["entryPoint"][8:13] == ["--lease", "20s", "--stop-timeout", "30s", "--"]


def test_the_health_check_asks_the_guard_and_through_it_the_scheduler() -> None:
    check = ContainerHealthCheck(command=["CMD", "/check", "me"], start_period_seconds=90, retries=5)
    shell = dataclasses.replace(check, command=["CMD-SHELL", "curl -f http://localhost"])

    assert main_of()["healthCheck"] == {
        "command": ["CMD", GUARD, "health", "--start-period", "120s"],
        "interval": 30,
        "retries": 3,
        "startPeriod": 120,
        "timeout": 5,
    }
    asked = main_of(container=ContainerOptions(health_check=check))["healthCheck"]
    assert asked["command"] == ["CMD", GUARD, "health", "--start-period", "90s", "--", "/check", "me"]
    assert (asked["retries"], asked["startPeriod"]) == (5, 90)
    assert main_of(container=ContainerOptions(health_check=shell))["healthCheck"]["command"][-4:] == [
        *("--", "/bin/sh", "-c", "curl -f http://localhost")
    ]


def test_the_task_may_read_and_write_its_one_key_and_nothing_else(leased: Recording) -> None:
    policies = [json.loads(each.inputs["policy"]) for each in leased.of_type(t.ROLE_POLICY)]
    statements = [each for policy in policies for each in policy["Statement"] if "dynamodb" in str(each)]

    assert statements == [
        {
            "Action": ["dynamodb:GetItem", "dynamodb:PutItem"],
            "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["fileflow-db/download"]}},
            "Effect": "Allow",
            "Resource": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/fileflow-prod-leases",
        }
    ]


def test_the_right_to_another_lease_is_another_policy_which_the_task_waits_for(leased: Recording) -> None:
    def names(recording: Recording) -> set[str]:
        return {each.name for each in recording.of_type(t.ROLE_POLICY)}

    others = (dataclasses.replace(LEASE, key="another"), dataclasses.replace(LEASE, table_name="another"))
    changed = [names(record_scheduler(lease=each)) for each in others]

    # Of two names Pulumi makes the one first, then the service, and deletes the other last.
    assert [len(each - names(leased)) for each in changed] == [1, 1]
    assert changed[0] != changed[1]
    (policy,) = (each for each in leased.of_type(t.ROLE_POLICY) if "-lease-" in each.name)
    assert policy.urn in leased.only(t.TASK_DEFINITION).dependencies


def test_a_lost_lease_and_one_that_is_waited_for_too_long_are_alarms(leased: Recording) -> None:
    patterns = {each.inputs["pattern"] for each in leased.of_type(t.METRIC_FILTER)}
    alarms = {each.inputs["metricName"] for each in leased.of_type(t.ALARM)}

    assert {'"scheduler lease lost"', '"scheduler lease overdue"'} <= patterns
    assert {
        "fileflow-scheduler-download-prod-lease-lost",
        "fileflow-scheduler-download-prod-lease-overdue",
    } <= alarms


def test_a_lease_adds_alarms_filters_and_a_statement_alone(scheduler: Recording, leased: Recording) -> None:
    added = leased.counts() - scheduler.counts()

    assert added == {t.METRIC_FILTER: 2, t.ALARM: 2, t.ROLE_POLICY: 1}
    assert not scheduler.counts() - leased.counts()


def test_without_a_lease_nothing_of_it_is_there(scheduler: Recording) -> None:
    assert "lease" not in str([each.inputs for each in scheduler.resources])


def test_the_containers_are_known_at_preview(previewed: Recording, leased: Recording) -> None:
    assert containers(previewed) == containers(leased)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"table_name": "a b"}, "lease.table_name"),
        ({"table_name": "ab"}, "lease.table_name"),
        ({"key": ""}, "lease.key"),
        ({"key": "${aws:username}"}, "lease.key"),
        ({"key": "*"}, "lease.key"),
        ({"guard_image": "fileflow-guard:latest"}, "lease.guard_image"),
        ({"entry_point": []}, "lease.entry_point"),
        ({"duration_seconds": 9}, "lease.duration_seconds"),
        ({"duration_seconds": 601}, "lease.duration_seconds"),
    ],
)
def test_what_could_not_hold_a_lease_is_refused_by_name(change: Mapping[str, Any], named: str) -> None:
    with pytest.raises(InvalidArgumentError, match=named):
        Lease(
            **{"table_name": "leases", "key": "k", "guard_image": IMAGE, **change},
        )


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"sidecars": [Sidecar(name="lease-guard", image=IMAGE)]}, "sidecars.name"),
        (
            {"container": ContainerOptions(writable_paths=[WritablePath(path="/lease")])},
            "writable_paths.path",
        ),
    ],
)
def test_what_would_meet_the_guard_is_refused(change: Mapping[str, Any], named: str) -> None:
    with pytest.raises(InvalidArgumentError, match=named):
        scheduler_args(lease=LEASE, **change)


def test_the_table_is_on_demand_and_protected() -> None:
    recording = record(lambda: LeaseTable("leases", LeaseTableArgs(table_name="fileflow-leases", tags=TAGS)))

    assert recording.only(t.TABLE).inputs == {
        "attributes": [{"name": "LeaseKey", "type": "S"}],
        "billingMode": "PAY_PER_REQUEST",
        "deletionProtectionEnabled": True,
        "hashKey": "LeaseKey",
        "name": "fileflow-leases",
        "pointInTimeRecovery": {"enabled": False},
        "tags": TAGS,
    }
    assert recording.only(t.TABLE).protect


def test_a_table_that_aws_may_delete_pulumi_may_delete_too() -> None:
    args = LeaseTableArgs(table_name="fileflow-leases", deletion_protection=False)

    assert not record(lambda: LeaseTable("leases", args)).only(t.TABLE).protect
