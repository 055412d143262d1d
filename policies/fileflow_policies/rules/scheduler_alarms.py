"""Somebody is told when a scheduler doesn't run exactly once.

ECS can't promise it (a task run by hand, a second stack on one database), so two alarms watch it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from ..neighbours import EcsView, ecs_view, service_name
from ..resources import ECS_SERVICE, Resource, Stack
from ..rule import FILEFLOW, Catalogue, Finding, Framework, Settings

catalogue: Final = Catalogue()

ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
_METRIC: Final = ("ECS/ContainerInsights", "RunningTaskCount")


@catalogue.stack(
    name="scheduler-heartbeat-alarms",
    description=(
        "two alarms watch each scheduler: one for more than one running task, one for none, with missing "
        "data as "
        "trouble"
    ),
    severity=Severity.HIGH,
    framework=Framework(FILEFLOW, "모니터링"),
    remediation=(
        "Make two aws.cloudwatch.MetricAlarm on ECS/ContainerInsights RunningTaskCount with the dimensions "
        "ClusterName and ServiceName: above 1, and below 1 with treatMissingData breaching. The "
        "SchedulerService component brings both."
    ),
    url="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html",
    tags=("scheduler", "cloudwatch"),
    locked=True,
)
def heartbeat_alarms(stack: Stack, settings: Settings) -> Iterator[Finding]:
    view = ecs_view(stack, settings.recognition)
    watched: dict[str, set[str]] = {}
    for alarm in stack.of(ALARM):
        side = _side(alarm)
        if side is not None:
            for key in _watched(alarm, view):
                watched.setdefault(key, set()).add(side)
    for service in view.scheduler_services:
        if service.canonical_type != ECS_SERVICE:
            continue
        name = service_name(service).text()
        found = watched.get(service.urn_text, set()) | (watched.get(name, set()) if name else set())
        for side, meaning in (("above", "more than one task"), ("below", "no task, missing data included")):
            if side not in found:
                yield Finding(
                    f"no alarm on RunningTaskCount tells of {meaning}",
                    "add the alarm, or use the SchedulerService component",
                    service,
                )


def _side(alarm: Resource) -> str | None:
    """Which of the two alarms this is: `above` one task, or `below` one with missing data breaching."""
    if (alarm["namespace"].text(), alarm["metricName"].text()) != _METRIC:
        return None
    if alarm["actionsEnabled"].boolean() is False:
        return None
    comparison, threshold = alarm["comparisonOperator"].text(), alarm["threshold"].number()
    if threshold is None:
        return None
    if (comparison, threshold) in {("GreaterThanThreshold", 1.0), ("GreaterThanOrEqualToThreshold", 2.0)}:
        return "above"
    below = (comparison, threshold) in {("LessThanThreshold", 1.0), ("LessThanOrEqualToThreshold", 0.0)}
    return "below" if below and alarm["treatMissingData"].text() == "breaching" else None


def _watched(alarm: Resource, view: EcsView) -> Iterator[str]:
    """What the alarm watches: the service's name, or the services that its dimensions come from."""
    name = alarm["dimensions"]["ServiceName"].text()
    if name is not None:
        yield name
        return
    for other in view.stack.referenced(alarm, "dimensions"):
        if view.is_scheduler(other):
            yield other.urn_text
