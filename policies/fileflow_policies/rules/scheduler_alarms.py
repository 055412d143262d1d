"""Somebody is told when a scheduler doesn't run exactly once.

ECS can't promise it (a task run by hand, a second stack on one database), so alarms watch it. An alarm is
judged by what it does: it is evaluated on a service with no task, one, two, and no data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pulumi_policy import Severity

from ..alarms import COMPOSITE_ALARM, LONGEST_SECONDS, METRIC_ALARM, Series, may_count_tasks, rings
from ..metric_math import NotJudgedError
from ..neighbours import EcsView, ecs_view
from ..resources import ECS_SERVICE, Resource, Stack
from ..rule import FILEFLOW, Catalogue, Finding, Framework, Settings
from ..values import Value

catalogue: Final = Catalogue()

_ONE: Final = Series(1)


@dataclass(frozen=True, slots=True)
class _Side:
    """One way of not being one: what it means, the series that show it, and how an alarm on it compares."""

    meaning: str
    series: Sequence[Series]
    comparison: str


_SIDES: Final = (
    _Side("more than one task", (Series(2),), "Greater"),
    _Side("no task, missing data included", (Series(0), Series(None)), "Less"),
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
    near: dict[str | None, list[tuple[Resource, str | None]]] = {}
    for alarm in stack.of(METRIC_ALARM):
        if may_count_tasks(alarm):
            named = alarm["dimensions"]["ServiceName"].text()
            near.setdefault(named and named.rsplit("/", 1)[-1], []).append((alarm, _silence(alarm, stack)))
    for service in declared:
        alarms = [*near.get(service["name"].text(), ()), *near.get(None, ())]
        gaps = [(side, gap) for side in _SIDES if (gap := _gap(side, alarms, service, view)) is not None]
        if gaps:
            problems = (f"{side.meaning} ({gap})" if gap else side.meaning for side, gap in gaps)
            yield Finding(
                f"no alarm rings and tells somebody of {' nor of '.join(problems)}",
                "mend the alarms"
                if all(gap for _, gap in gaps)
                else "add the alarms, or use the SchedulerService component",
                service,
            )


def _gap(
    side: _Side, alarms: Sequence[tuple[Resource, str | None]], service: Resource, view: EcsView
) -> str | None:
    """Why the alarm that is meant for a side doesn't tell of it, empty where none is; None when one does.

    Each alarm comes with why it tells nobody of anything.
    """
    meant = ""
    for alarm, silence in alarms:
        shortcoming = silence or _shortcoming(alarm, service, side.series, view)
        if shortcoming is None:
            return None
        if not meant and (alarm["comparisonOperator"].text() or "").startswith(side.comparison):
            meant = f"{alarm.name}: {shortcoming}"
    return meant


def _shortcoming(alarm: Resource, service: Resource, wanted: Sequence[Series], view: EcsView) -> str | None:
    """Why an alarm doesn't ring on these series and on these alone; None when it does."""
    own, other = _region(service), _region(alarm)
    if own and other and own != other:
        return f"it is in {other}, the service in {own}"
    strange: list[Value] = []

    def watches(dimensions: Value) -> bool:
        same = _watches(alarm, service, view, dimensions)
        if not same:
            strange.append(dimensions)
        return same

    problem: str | None = None
    try:
        if rings(alarm, _ONE, watches):
            problem = "it rings while one task runs"
        elif not all(rings(alarm, series, watches) for series in wanted):
            problem = f"it doesn't ring within {LONGEST_SECONDS // 60} minutes"
    except NotJudgedError:
        return "it isn't on RunningTaskCount of ECS/ContainerInsights"
    if problem and strange:
        return "its dimensions aren't the service's ClusterName and ServiceName alone"
    return problem


def _silence(alarm: Resource, stack: Stack) -> str | None:
    """Why the alarm tells nobody, by itself or through a composite alarm that any of its parts sets off."""
    if alarm["actionsEnabled"].boolean() is False:
        return "actionsEnabled is false"
    if _acts(alarm):
        return None
    name = alarm["name"].text()
    for composite in stack.of(COMPOSITE_ALARM):
        rule = composite["alarmRule"]
        text = rule.text()
        if composite["actionsEnabled"].boolean() is False or not _acts(composite):
            continue
        if text is not None and name and name in text and " AND " not in text.upper():
            return None
        if text is None and alarm in stack.referenced(composite, "alarmRule"):
            return None
    return "it has no alarmActions in its own region"


def _acts(alarm: Resource) -> bool:
    """Whether an action may be carried out: CloudWatch refuses a topic of another region."""
    actions = alarm["alarmActions"].items()
    for action in actions:
        text = action.text()
        region = (text or "").split(":")[3] if (text or "").count(":") >= 5 else ""
        if text != "" and not (alarm.region and region and region != alarm.region):
            return True
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
