"""CloudWatch: alarms come back as they were put, in every protocol that callers speak.

ministack keeps alarms well when asked in JSON, less in the query protocol, and not at all in CBOR, which
the Go SDK speaks. So every action is asked in JSON here, and answered in the caller's protocol. Metric
math, the anomaly band and the handling of small samples, which ministack drops, are kept beside.
Deliberately evaluates no metric math.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack import app as ministack_app
from ministack.core.responses import get_region
from ministack.services import cloudwatch

from local.emulator.completions import alarm_muting
from local.emulator.completions.patching import AwsError, Request, json_body
from local.emulator.completions.protocols import Action, ModelledService, Result, serve

_KEPT = ("Metrics", "ThresholdMetricId", "EvaluateLowSampleCountPercentile")
_ONE_METRIC = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Dimensions", "Unit")

_ACTIONS = {
    "PutMetricData": "_put_metric_data",
    "GetMetricStatistics": "_get_metric_statistics",
    "GetMetricData": "_get_metric_data",
    "ListMetrics": "_list_metrics",
    "PutCompositeAlarm": "_put_composite_alarm",
    "DescribeAlarms": "_describe_alarms",
    "DescribeAlarmsForMetric": "_describe_alarms_for_metric",
    "DescribeAlarmHistory": "_describe_alarm_history",
    "DeleteAlarms": "_delete_alarms",
    "EnableAlarmActions": "_enable_alarm_actions",
    "DisableAlarmActions": "_disable_alarm_actions",
    "SetAlarmState": "_set_alarm_state",
    "TagResource": "_tag_resource",
    "UntagResource": "_untag_resource",
    "ListTagsForResource": "_list_tags_for_resource",
    "PutDashboard": "_put_dashboard",
    "GetDashboard": "_get_dashboard",
    "DeleteDashboards": "_delete_dashboards",
    "ListDashboards": "_list_dashboards",
}


def install() -> None:
    """Serves CloudWatch through its model."""
    actions: dict[str, Action] = {action: _asked_in_json(name) for action, name in _ACTIONS.items()}
    actions["PutMetricAlarm"] = put_metric_alarm
    actions |= alarm_muting.ACTIONS
    alarm_muting.install()
    service = ModelledService("cloudwatch")
    ministack_app.SERVICE_HANDLERS["monitoring"] = serve(service, actions, cloudwatch.handle_request)


def _asked_in_json(name: str) -> Callable[[Request], Result]:
    handler = getattr(cloudwatch, name)

    def action(request: Request) -> Result:
        return _result(handler({}, request, False, True))

    return action


def _result(response: Any) -> Result:
    status = response[0]
    body = json_body(response) if response[2] else {}
    if status >= 400:
        raise AwsError(
            body.get("__type", "InternalFailure").rpartition("#")[2], body.get("message", ""), status
        )
    return body


def put_metric_alarm(request: Request) -> Result:
    """Stores an alarm as AWS does: whole, replacing the one of that name, its state kept."""
    metrics = request.get("Metrics")
    if bool(metrics) == bool(request.get("MetricName")):
        raise AwsError("ValidationError", "Exactly one of MetricName and Metrics must be specified")
    if not metrics and bool(request.get("Statistic")) == bool(request.get("ExtendedStatistic")):
        raise AwsError("ValidationError", "Exactly one of Statistic and ExtendedStatistic must be specified")
    if metrics and any(request.get(name) for name in _ONE_METRIC):
        raise AwsError("ValidationError", f"Metrics can't be combined with any of {', '.join(_ONE_METRIC)}")
    if ("Threshold" in request) == ("ThresholdMetricId" in request):
        raise AwsError("ValidationError", "Exactly one of Threshold and ThresholdMetricId must be specified")
    _check_actions(request)
    _result(cloudwatch._put_metric_alarm({}, request, False, True))
    alarm = cloudwatch._alarms[request["AlarmName"]]
    alarm.update({name: request[name] for name in _KEPT if name in request})
    if metrics:
        for name in _ONE_METRIC:
            alarm.pop(name, None)
    for name in ("Statistic", "Threshold", "AlarmDescription", "TreatMissingData"):
        if name not in request:
            alarm.pop(name, None)
    return {}


def _check_actions(request: Request) -> None:
    """Refuses an action in another region: an alarm tells topics of its own region alone.

    Source: https://github.com/cds-snc/notification-terraform/pull/128 (AWS's message)
    """
    for kind in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        for arn in request.get(kind) or ():
            region = arn.split(":")[3]
            if region not in ("", get_region()):
                raise AwsError(
                    "ValidationError", f"Invalid region {region} specified. Only {get_region()} is supported."
                )
