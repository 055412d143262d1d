"""What the runbook reads from a stack's state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from components.pause import Pause
from operate.errors import OperateError
from operate.stack import Stack, stack_of

ACCOUNT = "111122223333"
COMPONENT = "urn:pulumi:prod::shop::fileflow:ecs:SchedulerService::nightly"


def definition(family: str, *containers: dict[str, Any]) -> dict[str, Any]:
    return {
        "urn": f"urn:pulumi:prod::shop::aws:ecs/taskDefinition:TaskDefinition::{family}",
        "type": "aws:ecs/taskDefinition:TaskDefinition",
        "outputs": {
            "arn": f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition/{family}:3",
            "containerDefinitions": json.dumps(list(containers)),
        },
    }


def service(name: str, family: str, **changes: Any) -> dict[str, Any]:
    outputs = {
        "name": name,
        "arn": f"arn:aws:ecs:eu-west-1:{ACCOUNT}:service/main/{name}",
        "cluster": f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/main",
        "taskDefinition": f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition/{family}:3",
        "desiredCount": 1,
        "tags": {"fileflow:role": "scheduler"},
    }
    return {
        "urn": f"urn:pulumi:prod::shop::aws:ecs/service:Service::{name}",
        "type": "aws:ecs/service:Service",
        "parent": COMPONENT,
        "outputs": {**outputs, **changes},
    }


def alarm(name: str, parent: str, **dimensions: str) -> dict[str, Any]:
    return {
        "type": "aws:cloudwatch/metricAlarm:MetricAlarm",
        "parent": parent,
        "outputs": {"name": name, "dimensions": dimensions},
    }


def container(name: str, group: str, port: int | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "portMappings": [{"containerPort": port}] if port else [],
        "logConfiguration": {"options": {"awslogs-group": group}},
    }


def stack(*resources: dict[str, Any]) -> Stack:
    root = {"type": "pulumi:pulumi:Stack", "urn": "urn:pulumi:prod::shop::pulumi:pulumi:Stack::shop-prod"}
    return stack_of(Path(), [root, *resources])


def test_a_service_is_read_with_its_names_main_container_and_log_groups() -> None:
    found = stack(
        definition("nightly", container("agent", "/agent"), container("main", "/main", 9091)),
        service("shop-nightly", "nightly"),
    )
    (only,) = found.services
    assert (only.name, only.cluster, only.region, only.family) == (
        "shop-nightly",
        "main",
        "eu-west-1",
        "nightly",
    )
    assert [each["name"] for each in only.containers] == ["main", "agent"]
    assert only.log_groups == ["/main", "/agent"]
    assert only.is_scheduler


def test_a_service_has_the_alarms_of_its_component_and_those_on_its_name() -> None:
    other = COMPONENT.replace("nightly", "hourly")
    (only,) = stack(
        service("nightly", "nightly"),
        alarm("of-its-component", COMPONENT),
        alarm("on-its-name", other, ServiceName="nightly"),
        alarm("of-another", other, ServiceName="hourly"),
    ).services
    assert only.alarm_names == ["of-its-component", "on-its-name"]


PAUSED = {
    "fileflow:role": "scheduler",
    "fileflow:paused-since": "2026-01-01T00:00Z",
    "fileflow:paused-until": "2026-01-01T04:00Z",
    "fileflow:paused-reason": "migration",
}


def mute(name: str, *alarms: str) -> dict[str, Any]:
    return {
        "type": "aws:cloudwatch/alarmMuteRule:AlarmMuteRule",
        "parent": COMPONENT,
        "outputs": {"name": name, "muteTargets": {"alarmNames": list(alarms)}},
    }


def test_a_paused_scheduler_is_read_with_its_pause_and_what_mutes_its_alarms() -> None:
    (only,) = stack(
        service("nightly", "nightly", tags=PAUSED, desiredCount=0),
        alarm("none-running", COMPONENT),
        alarm("two-running", COMPONENT),
        mute("nightly-paused", "none-running"),
        mute("of-others", "elsewhere"),
    ).services
    assert only.pause == Pause(since="2026-01-01T00:00Z", until="2026-01-01T04:00Z", reason="migration")
    assert (only.muted_alarm_names, only.mute_rule_names) == (["none-running"], ["nightly-paused"])


def test_a_service_without_these_tags_or_with_broken_ones_is_not_paused() -> None:
    for tags in (None, {**PAUSED, "fileflow:paused-until": "soon"}):
        (only,) = stack(service("nightly", "nightly", tags=tags)).services
        assert (only.pause, only.mute_rule_names) == (None, [])


def test_alarms_of_the_stack_itself_belong_to_no_service_without_a_component() -> None:
    root = "urn:pulumi:prod::shop::pulumi:pulumi:Stack::shop-prod"
    raw = {**service("nightly", "nightly"), "parent": root}
    (only,) = stack(raw, alarm("budget", root)).services
    assert only.alarm_names == []


def test_a_service_on_its_way_out_is_not_read() -> None:
    leaving = {**service("old", "old"), "delete": True}
    assert [each.name for each in stack(leaving, service("new", "new")).services] == ["new"]


def test_a_service_is_found_by_its_name_or_the_end_of_it() -> None:
    found = stack(service("shop-download", "a"), service("shop-pipeline", "b"))
    assert found.service("shop-download") is found.service("download")


def test_an_end_that_several_names_have_is_refused_with_the_choice() -> None:
    found = stack(service("a-download", "a"), service("b-download", "b"))
    with pytest.raises(OperateError) as refused:
        found.service("download")
    assert "Several services of stack prod end in 'download'" in refused.value.problem
    assert refused.value.fix == "Choose one of: a-download, b-download."


def test_a_stack_without_a_service_says_that_nothing_is_deployed() -> None:
    with pytest.raises(OperateError, match="nothing is deployed"):
        stack()


def test_production_asks_before_changes_and_no_other_stack_does() -> None:
    def named(name: str) -> bool:
        urn = f"urn:pulumi:{name}::shop::aws:ecs/service:Service::a"
        return stack_of(Path(), [{**service("a", "a"), "urn": urn}]).asks_before_changes

    assert [named(each) for each in ("prod", "production", "eu-prod")] == [True] * 3
    assert [named(each) for each in ("dev", "staging", "local", "nonprod")] == [False] * 4
