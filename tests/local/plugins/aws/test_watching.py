"""CloudWatch alarms, dashboards and logs, EventBridge rules, SNS topics."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.local.plugins.aws.case import Aws
from tests.local.plugins.aws.cases_watching import ALARM
from tests.local.plugins.aws.life import Life
from tests.local.plugins.aws.plugin import Plugin


def policy(topic: str, action: str = "sns:Publish") -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": action}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Resource": topic}]})


# --- logs


def test_a_log_group_is_not_mistaken_for_one_whose_name_it_begins(plugin: Plugin) -> None:
    longer = Life(plugin, "cloudwatch/logGroup:LogGroup", name="/ecs/web/exec")
    assert plugin.read(longer.token, "/ecs/web") is None


# --- alarms and dashboards


@pytest.mark.parametrize(
    ("changed", "argument"),
    [
        ({"metricName": None}, "metricName"),
        ({"period": None}, "period"),
        ({"treatMissingData": "fail"}, "treatMissingData"),
        ({"comparisonOperator": None}, "comparisonOperator"),
        ({"extendedStatistic": "p99"}, "extendedStatistic"),
    ],
)
def test_an_alarm_that_cloudwatch_would_refuse_is_refused_before(
    plugin: Plugin, changed: dict[str, Any], argument: str
) -> None:
    failures = plugin.check("aws:cloudwatch/metricAlarm:MetricAlarm", {**ALARM, **changed}).failures
    assert list(failures) == [argument]


def test_a_dashboard_is_compared_by_its_content(plugin: Plugin, aws: Aws) -> None:
    widget = {"type": "text", "x": 0, "y": 0, "width": 3, "height": 3, "properties": {"markdown": "hi"}}
    body = {"widgets": [widget]}
    dashboard = Life(
        plugin, "cloudwatch/dashboard:Dashboard", dashboardName="shop", dashboardBody=json.dumps(body)
    )
    spaced = {**dashboard.inputs, "dashboardBody": json.dumps(body, indent=2)}
    assert plugin.diff(dashboard.token, dashboard.outputs, dashboard.inputs, spaced).changes == {}
    aws("cloudwatch").put_dashboard(DashboardName="shop", DashboardBody=json.dumps({"widgets": []}))
    assert dashboard.put_back() == ["dashboardBody"]
    dashboard.imported()
    dashboard.delete()


# --- events


def test_a_target_that_runs_a_task_is_refused_by_name(plugin: Plugin) -> None:
    token = "aws:cloudwatch/eventTarget:EventTarget"
    task = {"taskDefinitionArn": "arn:aws:ecs:ap-northeast-2:123456789012:task-definition/web:1"}
    given = {
        "rule": "daily",
        "arn": "arn:aws:ecs:ap-northeast-2:123456789012:cluster/shop",
        "ecsTarget": task,
    }
    assert plugin.check(token, given).failures == {
        "ecsTarget": f"the aws stand-in has no `ecsTarget` of {token}; use the real aws plugin (7.x)"
    }


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({}, "rule"),
        ({"rule": {}}, "rule.schedule"),
        (
            {
                "rule": {"schedule": {"expression": "cron(0 2 * * *)", "duration": "PT4H"}},
                "expireDate": "2030-01-01T00:00:30Z",
            },
            "expireDate",
        ),
    ],
)
def test_a_mute_rule_that_the_provider_would_refuse_is_refused(
    plugin: Plugin, arguments: dict[str, Any], argument: str
) -> None:
    checked = plugin.check("aws:cloudwatch/alarmMuteRule:AlarmMuteRule", arguments)
    assert set(checked.failures) == {argument}
