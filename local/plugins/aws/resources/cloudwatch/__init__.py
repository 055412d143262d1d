"""What pulumi_aws keeps under `cloudwatch`: alarms, dashboards, log groups, EventBridge rules, targets."""

from __future__ import annotations

from ...resource import Resource
from .alarms import AlarmMuteRule, Dashboard, MetricAlarm
from .events import EventRule, EventTarget
from .logs import LogGroup, LogMetricFilter, LogResourcePolicy

RESOURCES: tuple[Resource, ...] = (
    AlarmMuteRule(),
    Dashboard(),
    EventRule(),
    EventTarget(),
    LogGroup(),
    LogMetricFilter(),
    LogResourcePolicy(),
    MetricAlarm(),
)
