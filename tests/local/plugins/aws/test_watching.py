"""CloudWatch alarms, dashboards and logs, EventBridge rules, SNS topics."""

from __future__ import annotations

import json

from tests.local.plugins.aws.case import Aws
from tests.local.plugins.aws.life import Life
from tests.local.plugins.aws.plugin import Plugin

# --- logs


def test_a_log_group_is_not_mistaken_for_one_whose_name_it_begins(plugin: Plugin) -> None:
    longer = Life(plugin, "cloudwatch/logGroup:LogGroup", name="/ecs/web/exec")
    assert plugin.read(longer.token, "/ecs/web") is None


# --- alarms and dashboards


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
