"""CloudWatch alarms and dashboards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from ...naming import AutoName
from ...resource import Call, Inputs, Resource, State, without_none
from ...values import has_unknown
from ..spelling import camel, pascal
from .put_again import PutAgain, tags_of

_ACTIONS: Final = ("alarmActions", "okActions", "insufficientDataActions")
_SOURCES: Final = ("metricName", "metricQueries", "evaluationCriteria")


def _dimensions(given: Mapping[str, str] | None) -> list[dict[str, str]] | None:
    if not given:
        return None
    return [{"Name": name, "Value": value} for name, value in given.items()]


def _dimension_map(found: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    return {member["Name"]: member["Value"] for member in found or ()}


def _query(given: Mapping[str, Any]) -> dict[str, Any]:
    metric = given.get("metric")
    stat = metric and without_none(
        Metric=without_none(
            MetricName=metric["metricName"],
            Namespace=metric.get("namespace"),
            Dimensions=_dimensions(metric.get("dimensions")),
        ),
        Period=metric["period"],
        Stat=metric["stat"],
        Unit=metric.get("unit"),
    )
    return without_none(
        Id=given["id"],
        AccountId=given.get("accountId") or None,
        Expression=given.get("expression") or None,
        Label=given.get("label") or None,
        Period=given.get("period") or None,
        ReturnData=bool(given.get("returnData", False)),
        MetricStat=stat,
    )


def _query_of(found: Mapping[str, Any]) -> dict[str, Any]:
    stat = found.get("MetricStat")
    metric = stat and {
        "metricName": stat["Metric"].get("MetricName", ""),
        "namespace": stat["Metric"].get("Namespace", ""),
        "dimensions": _dimension_map(stat["Metric"].get("Dimensions")),
        "period": stat.get("Period", 0),
        "stat": stat.get("Stat", ""),
        "unit": stat.get("Unit", ""),
    }
    return {
        "id": found["Id"],
        "accountId": found.get("AccountId", ""),
        "expression": found.get("Expression", ""),
        "label": found.get("Label", ""),
        "period": found.get("Period", 0),
        "returnData": bool(found.get("ReturnData", True)),
        "metric": metric or None,
    }


def _criteria(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return {"PromQLCriteria": pascal(given["promqlCriteria"])} if given else None


def _criteria_of(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    query = (found or {}).get("PromQLCriteria")
    return {"promqlCriteria": camel(query)} if query else None


def _window_of(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    clock = (found or {}).get("WallClockWindow")
    return {"wallClockWindow": camel(clock)} if clock is not None else None


class MetricAlarm(PutAgain):
    token = "aws:cloudwatch/metricAlarm:MetricAlarm"
    auto_name = AutoName(max_length=255)
    defaults = MappingProxyType({"actionsEnabled": True, "treatMissingData": "missing"})
    exclusive = (("extendedStatistic", "statistic"), _SOURCES)
    sets = frozenset({*_ACTIONS, "metricQueries"})
    missing = frozenset({"ResourceNotFound"})

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        if not any(name in inputs for name in _SOURCES):
            yield "metricName", f"an alarm needs one of {', '.join(f'`{name}`' for name in _SOURCES)}"
        elif "evaluationCriteria" not in inputs:
            for name in ("comparisonOperator", "evaluationPeriods"):
                if name not in inputs:
                    yield name, f"the required argument `{name}` is missing"
        if "metricName" in inputs and not has_unknown(inputs) and not inputs.get("period"):
            yield "period", "an alarm on `metricName` needs `period`, the metric's length in seconds"
        missing_data = inputs.get("treatMissingData")
        allowed = ("breaching", "notBreaching", "ignore", "missing")
        if isinstance(missing_data, str) and missing_data not in allowed:
            yield (
                "treatMissingData",
                f"`treatMissingData` is {missing_data!r}, one of {', '.join(allowed)} is expected",
            )

    def put(self, call: Call, inputs: Inputs, tags: Any = None) -> None:
        queries = inputs.get("metricQueries")
        call.client("cloudwatch").put_metric_alarm(
            AlarmName=inputs["name"],
            ActionsEnabled=inputs["actionsEnabled"],
            TreatMissingData=inputs["treatMissingData"],
            AlarmActions=inputs.get("alarmActions") or [],
            OKActions=inputs.get("okActions") or [],
            InsufficientDataActions=inputs.get("insufficientDataActions") or [],
            **without_none(
                AlarmDescription=inputs.get("alarmDescription"),
                ComparisonOperator=inputs.get("comparisonOperator"),
                DatapointsToAlarm=inputs.get("datapointsToAlarm") or None,
                Dimensions=_dimensions(inputs.get("dimensions")),
                EvaluateLowSampleCountPercentile=inputs.get("evaluateLowSampleCountPercentiles") or None,
                EvaluationCriteria=_criteria(inputs.get("evaluationCriteria")),
                EvaluationInterval=inputs.get("evaluationInterval"),
                EvaluationPeriods=inputs.get("evaluationPeriods"),
                EvaluationWindow=pascal(inputs.get("evaluationWindow")),
                ExtendedStatistic=inputs.get("extendedStatistic"),
                MetricName=inputs.get("metricName"),
                Metrics=[_query(query) for query in queries] if queries else None,
                Namespace=inputs.get("namespace"),
                Period=inputs.get("period"),
                Statistic=inputs.get("statistic"),
                Threshold=inputs.get("threshold") if not inputs.get("thresholdMetricId") else None,
                ThresholdMetricId=inputs.get("thresholdMetricId"),
                Unit=inputs.get("unit"),
                WarmUpConfiguration=pascal(inputs.get("warmUpConfiguration")),
                Tags=tags,
            ),
        )

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        del state
        found = call.client("cloudwatch").describe_alarms(
            AlarmNames=[resource_id], AlarmTypes=["MetricAlarm"]
        )["MetricAlarms"]
        if not found:
            return None
        alarm = found[0]
        return {
            "arn": alarm["AlarmArn"],
            "name": alarm["AlarmName"],
            "actionsEnabled": bool(alarm.get("ActionsEnabled", False)),
            "alarmActions": list(alarm.get("AlarmActions") or []) or None,
            "okActions": list(alarm.get("OKActions") or []) or None,
            "insufficientDataActions": list(alarm.get("InsufficientDataActions") or []) or None,
            "alarmDescription": alarm.get("AlarmDescription", ""),
            "comparisonOperator": alarm.get("ComparisonOperator", ""),
            "datapointsToAlarm": alarm.get("DatapointsToAlarm", 0),
            "dimensions": _dimension_map(alarm.get("Dimensions")),
            "evaluateLowSampleCountPercentiles": alarm.get("EvaluateLowSampleCountPercentile", ""),
            "evaluationCriteria": _criteria_of(alarm.get("EvaluationCriteria")),
            "evaluationInterval": alarm.get("EvaluationInterval"),
            "evaluationPeriods": alarm.get("EvaluationPeriods", 0),
            "evaluationWindow": _window_of(alarm.get("EvaluationWindow")),
            "extendedStatistic": alarm.get("ExtendedStatistic", ""),
            "metricName": alarm.get("MetricName", ""),
            "metricQueries": [_query_of(query) for query in alarm.get("Metrics") or []],
            "namespace": alarm.get("Namespace", ""),
            "period": alarm.get("Period", 0),
            "statistic": alarm.get("Statistic", ""),
            "threshold": alarm.get("Threshold", 0),
            "thresholdMetricId": alarm.get("ThresholdMetricId", ""),
            "treatMissingData": alarm.get("TreatMissingData") or "missing",
            "unit": alarm.get("Unit", ""),
            "warmUpConfiguration": camel(alarm.get("WarmUpConfiguration")),
            "tagsAll": tags_of(call, alarm["AlarmArn"]),
        }

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        del state
        call.client("cloudwatch").delete_alarms(AlarmNames=[resource_id])


class CompositeAlarm(PutAgain):
    token = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
    named_by = "alarmName"
    defaults = MappingProxyType({"actionsEnabled": True})
    sets = frozenset(_ACTIONS)
    missing = frozenset({"ResourceNotFound"})

    def put(self, call: Call, inputs: Inputs, tags: Any = None) -> None:
        suppressor = inputs.get("actionsSuppressor") or {}
        call.client("cloudwatch").put_composite_alarm(
            AlarmName=inputs["alarmName"],
            AlarmRule=inputs["alarmRule"],
            ActionsEnabled=inputs["actionsEnabled"],
            AlarmActions=inputs.get("alarmActions") or [],
            OKActions=inputs.get("okActions") or [],
            InsufficientDataActions=inputs.get("insufficientDataActions") or [],
            **without_none(
                AlarmDescription=inputs.get("alarmDescription"),
                ActionsSuppressor=suppressor.get("alarm"),
                ActionsSuppressorExtensionPeriod=suppressor.get("extensionPeriod"),
                ActionsSuppressorWaitPeriod=suppressor.get("waitPeriod"),
                Tags=tags,
            ),
        )

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        del state
        found = call.client("cloudwatch").describe_alarms(
            AlarmNames=[resource_id], AlarmTypes=["CompositeAlarm"]
        )["CompositeAlarms"]
        if not found:
            return None
        alarm = found[0]
        suppressor = alarm.get("ActionsSuppressor") and {
            "alarm": alarm["ActionsSuppressor"],
            "extensionPeriod": alarm.get("ActionsSuppressorExtensionPeriod", 0),
            "waitPeriod": alarm.get("ActionsSuppressorWaitPeriod", 0),
        }
        return {
            "arn": alarm["AlarmArn"],
            "alarmName": alarm["AlarmName"],
            "alarmRule": alarm["AlarmRule"],
            "alarmDescription": alarm.get("AlarmDescription", ""),
            "actionsEnabled": bool(alarm.get("ActionsEnabled", False)),
            "actionsSuppressor": suppressor or None,
            "alarmActions": list(alarm.get("AlarmActions") or []) or None,
            "okActions": list(alarm.get("OKActions") or []) or None,
            "insufficientDataActions": list(alarm.get("InsufficientDataActions") or []) or None,
            "tagsAll": tags_of(call, alarm["AlarmArn"]),
        }

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        del state
        call.client("cloudwatch").delete_alarms(AlarmNames=[resource_id])


class Dashboard(Resource):
    token = "aws:cloudwatch/dashboard:Dashboard"
    documents = frozenset({"dashboardBody"})
    missing = frozenset({"ResourceNotFound", "DashboardNotFoundError"})

    def create(self, call: Call, inputs: Inputs) -> str:
        call.client("cloudwatch").put_dashboard(
            DashboardName=inputs["dashboardName"], DashboardBody=inputs["dashboardBody"]
        )
        return str(inputs["dashboardName"])

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        del state
        answer = call.client("cloudwatch").get_dashboard(DashboardName=resource_id)
        return {
            "dashboardArn": answer["DashboardArn"],
            "dashboardBody": answer["DashboardBody"],
            "dashboardName": answer["DashboardName"],
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        del resource_id, old, changed
        self.create(call, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        del state
        call.client("cloudwatch").delete_dashboards(DashboardNames=[resource_id])
