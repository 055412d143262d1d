"""CloudWatch: alarms come back as they were put, in every protocol that callers speak.

ministack keeps alarms well when asked in JSON, less in the query protocol, and not at all in CBOR, which
the Go SDK speaks. So every action is asked in JSON here, and answered in the caller's protocol.
Deliberately knows neither metric math nor percentiles.
"""

from __future__ import annotations

from functools import partial

from ministack.core.responses import get_region
from ministack.services import cloudwatch

from local.emulator.completions import alarm_muting
from local.emulator.completions.inside import ask_json
from local.emulator.completions.patching import AwsError, Request
from local.emulator.completions.protocols import Action, Result, serve

_ACTIONS = (
    "PutMetricData",
    "GetMetricStatistics",
    "GetMetricData",
    "ListMetrics",
    "DescribeAlarms",
    "DescribeAlarmsForMetric",
    "DescribeAlarmHistory",
    "DeleteAlarms",
    "EnableAlarmActions",
    "DisableAlarmActions",
    "SetAlarmState",
    "PutDashboard",
    "GetDashboard",
    "DeleteDashboards",
    "ListDashboards",
)


def install() -> None:
    """Serves CloudWatch through its model."""
    actions: dict[str, Action] = {action: partial(ask_json, "monitoring", action) for action in _ACTIONS}
    actions["PutMetricAlarm"] = put_metric_alarm
    actions |= alarm_muting.ACTIONS
    alarm_muting.install()
    serve("cloudwatch", actions)


def put_metric_alarm(request: Request) -> Result:
    """Stores an alarm as AWS does: whole, replacing the one of that name, its state kept."""
    lacking = [name for name in ("MetricName", "Statistic", "Threshold") if request.get(name) in (None, "")]
    if lacking:
        raise AwsError(
            "ValidationError",
            "The emulated CloudWatch has alarms on one metric's statistic alone: "
            f"{', '.join(lacking)} must be specified",
        )
    _check_actions(request)
    ask_json("monitoring", "PutMetricAlarm", request)
    of_name = {"AlarmNames": [request["AlarmName"]]}
    alarm = ask_json("monitoring", "DescribeAlarms", of_name)["MetricAlarms"][0]
    for name in ("AlarmDescription", "TreatMissingData"):
        if name not in request:
            alarm.pop(name, None)
    cloudwatch.cloudformation_put_metric_alarm(alarm)
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
