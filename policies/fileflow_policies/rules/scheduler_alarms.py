"""Somebody is told when a scheduler doesn't run exactly once.

ECS can't promise it (a task run by hand, a second stack on one database), so alarms watch it. An alarm is
judged by what it does: it is evaluated on a service with no task, one, two, and no data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from pulumi_policy import Severity

from ..alarms import COMPOSITE_ALARM, METRIC_ALARM, Series, may_count_tasks, rings
from ..metric_math import NotJudgedError
from ..neighbours import EcsView, ecs_view
from ..resources import ECS_SERVICE, Resource, Stack
from ..rule import FILEFLOW, Catalogue, Finding, Framework, Settings
from ..values import Value

catalogue: Final = Catalogue()

_ONE: Final = Series(1)
_SIDES: Final = (
    ("more than one task", (Series(2),)),
    ("no task, missing data included", (Series(0), Series(None))),
)


@catalogue.stack(
    name="scheduler-heartbeat-alarms",
    description=(
        "alarms tell somebody when a scheduler runs more than one task, and when it runs none, with missing "
        "data as trouble"
    ),
    severity=Severity.HIGH,
    framework=Framework(FILEFLOW, "모니터링"),
    remediation=(
        "Make two aws.cloudwatch.MetricAlarm on ECS/ContainerInsights RunningTaskCount with the dimensions "
        "ClusterName and ServiceName, in the service's region, with alarmActions: above 1, and below 1 with "
        "treatMissingData breaching. They ring within half an hour, and not while one task runs. Metric math "
        "is fine. The SchedulerService component brings both."
    ),
    url="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html",
    tags=("scheduler", "cloudwatch"),
    scheduler=True,
    production=True,
)
def heartbeat_alarms(stack: Stack, settings: Settings) -> Iterator[Finding]:
    view = ecs_view(stack, settings.recognition)
    declared = view.declared
    if not declared:
        return
    told: dict[str | None, list[Resource]] = {}
    for alarm in stack.of(METRIC_ALARM):
        if may_count_tasks(alarm) and _tells(alarm, stack):
            told.setdefault(alarm["dimensions"]["ServiceName"].text(), []).append(alarm)
    for service in declared:
        near = [*told.get(service["name"].text(), ()), *told.get(None, ())]
        problems = [
            meaning
            for meaning, wanted in _SIDES
            if not any(_covers(alarm, service, wanted, view) for alarm in near)
        ]
        if problems:
            yield Finding(
                f"no alarm rings and tells somebody of {' nor of '.join(problems)}",
                "add the alarms, or use the SchedulerService component",
                service,
            )


def _tells(alarm: Resource, stack: Stack) -> bool:
    """Whether the alarm acts: by itself, or through a composite alarm that any one of its parts sets off."""
    if alarm["actionsEnabled"].boolean() is False:
        return False
    if _acts(alarm):
        return True
    name = alarm["name"].text()
    for composite in stack.of(COMPOSITE_ALARM):
        rule = composite["alarmRule"]
        text = rule.text()
        if composite["actionsEnabled"].boolean() is False or not _acts(composite):
            continue
        if text is not None and name and name in text and " AND " not in text.upper():
            return True
        if text is None and alarm in stack.referenced(composite, "alarmRule"):
            return True
    return False


def _acts(alarm: Resource) -> bool:
    """Whether an action may be carried out: CloudWatch refuses a topic of another region."""
    actions = alarm["alarmActions"].items()
    for action in actions:
        text = action.text()
        region = (text or "").split(":")[3] if (text or "").count(":") >= 5 else ""
        if text != "" and not (alarm.region and region and region != alarm.region):
            return True
    return False


def _covers(alarm: Resource, service: Resource, wanted: Sequence[Series], view: EcsView) -> bool:
    own, other = _region(service), _region(alarm)
    if own and other and own != other:
        return False
    watches = partial(_watches, alarm, service, view)
    try:
        if rings(alarm, _ONE, watches):
            return False
        return all(rings(alarm, series, watches) for series in wanted)
    except NotJudgedError:
        return False


def _region(resource: Resource) -> str:
    if resource.region:
        return resource.region
    if resource.canonical_type == ECS_SERVICE:
        cluster = resource["cluster"].text() or ""
        return cluster.split(":")[3] if cluster.count(":") >= 5 else ""
    for action in resource["alarmActions"].items():
        text = action.text() or ""
        if text.count(":") >= 5:
            return text.split(":")[3]
    return ""


def _watches(alarm: Resource, service: Resource, view: EcsView, dimensions: Value) -> bool:
    """Whether dimensions are those of the service's own series: its cluster's name and its own."""
    if not dimensions.known:
        return True  # only the update will know them
    keys = {key for key, _ in dimensions.entries()}
    if keys != {"ClusterName", "ServiceName"}:
        return False
    name, cluster = dimensions["ServiceName"], dimensions["ClusterName"]
    own, wanted = service["name"], view.cluster_name(service)
    if name.text() is not None and own.text() is not None and name.text() != own.text():
        return False
    if name.text() is None and service not in view.stack.referenced(alarm, "dimensions", "metricQueries"):
        return False
    return cluster.text() is None or wanted is None or cluster.text() == wanted
