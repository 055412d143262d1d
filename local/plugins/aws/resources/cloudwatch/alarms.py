"""CloudWatch's alarms, the rules that mute them, and dashboards.

Doesn't own alarms on alarms, on expressions, on percentiles and on bands.

Sources of what replaces: `ForceNew` and `RequiresReplace` in
https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/cloudwatch
(metric_alarm.go, dashboard.go, alarm_mute_rule.go).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ....common.values import UNKNOWN, has_unknown
from ...modelled import Ask, Modelled
from ...naming import AutoName
from ...resource import Inputs, facts, names

_MISSING_DATA: Final = ("breaching", "notBreaching", "ignore", "missing")


class MetricAlarm(Modelled):
    token = "aws:cloudwatch/metricAlarm:MetricAlarm"
    made_by = Ask("PutMetricAlarm", whole=True)
    read_by = (Ask("DescribeAlarms", "MetricAlarms", {"AlarmTypes": ["MetricAlarm"]}),)
    deleted_by = Ask("DeleteAlarms")
    noun = "Alarm"
    replacing = names("name")
    auto_name = AutoName(max_length=255)
    defaults = facts(actionsEnabled=True, treatMissingData="missing")
    lacking = names("""evaluateLowSampleCountPercentiles evaluationCriteria evaluationInterval
        evaluationWindow extendedStatistic metricQueries thresholdMetricId warmUpConfiguration""")
    required = names("comparisonOperator evaluationPeriods metricName")
    sets = names("alarmActions insufficientDataActions okActions")

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        if not has_unknown(inputs) and not inputs.get("period"):
            yield "period", "an alarm on `metricName` needs `period`, the metric's length in seconds"
        given = inputs.get("treatMissingData")
        if isinstance(given, str) and given not in _MISSING_DATA:
            yield (
                "treatMissingData",
                f"`treatMissingData` is {given!r}, one of {', '.join(_MISSING_DATA)} is expected",
            )


class Dashboard(Modelled):
    token = "aws:cloudwatch/dashboard:Dashboard"
    key = "dashboardName"
    made_by = Ask("PutDashboard", whole=True)
    read_by = (Ask("GetDashboard"),)
    deleted_by = Ask("DeleteDashboards")
    replacing = names("dashboardName")
    documents = names("dashboardBody")


class AlarmMuteRule(Modelled):
    token = "aws:cloudwatch/alarmMuteRule:AlarmMuteRule"
    made_by = Ask("PutAlarmMuteRule", whole=True)
    read_by = (Ask("GetAlarmMuteRule"),)
    deleted_by = Ask("DeleteAlarmMuteRule")
    noun = "AlarmMuteRule"
    replacing = names("name")
    auto_name = AutoName(max_length=255)
    required = names("rule")
    when_absent = facts({"rule.schedule.timezone": "UTC"})

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        rule = inputs["rule"]
        if rule is not UNKNOWN and rule.get("schedule") is None:
            yield "rule.schedule", "the required argument `rule.schedule` is missing"
        for name in ("startDate", "expireDate"):
            given = inputs.get(name)
            if isinstance(given, str) and not given.endswith(":00Z"):
                yield name, f"`{name}` is {given!r}, a time in whole minutes is expected"
