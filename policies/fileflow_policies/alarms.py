"""What an alarm does, found by evaluating it on made-up series of a service's running tasks.

Owns the model of CloudWatch's evaluation that is needed for series that stay the same: statistics, metric
math, comparison, missing data, and how long it takes. Deliberately not here: which alarms there must be.

Sources: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html,
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html,
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from .metric_math import NotJudgedError, evaluate
from .resources import Resource
from .values import Value

METRIC_ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
COMPOSITE_ALARM: Final = "aws:cloudwatch/compositeAlarm:CompositeAlarm"

LONGEST_SECONDS: Final = 1800
"""An alarm that needs longer to ring tells of two schedulers when the damage is done."""

_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


@dataclass(frozen=True, slots=True)
class Series:
    """A service whose running tasks stay the same in number; None when nothing reports."""

    tasks: int | None


def rings(alarm: Resource, series: Series, watches: Callable[[Value], bool]) -> bool:
    """Whether the alarm comes to ALARM on the series, within `LONGEST_SECONDS`.

    `watches` says whether dimensions are those of the service. Raises NotJudgedError for an alarm on other
    metrics.
    """
    period, value = _measured(alarm, series, watches)
    periods = alarm["evaluationPeriods"].integer()
    compare = _COMPARISONS.get(alarm["comparisonOperator"].text() or "")
    threshold = alarm["threshold"].number()
    if periods is None or compare is None or threshold is None:
        raise NotJudgedError
    if period * periods > LONGEST_SECONDS:
        return False
    if value is None:
        missing = (alarm["treatMissingData"].text() or "missing").lower()
        if missing == "breaching":
            return True
        told = not alarm["insufficientDataActions"].surely_empty
        return missing == "missing" and told
    return compare(value, threshold)


def may_count_tasks(alarm: Resource) -> bool:
    """Whether the alarm could be one on the number of tasks, before it is evaluated."""
    name, statistic = alarm["metricName"].text(), alarm["statistic"].text()
    utilization = name in ("CPUUtilization", "MemoryUtilization")
    return name is None or (name in _METRICS and (not utilization or statistic == "SampleCount"))


def _measured(alarm: Resource, series: Series, watches: Callable[[Value], bool]) -> tuple[int, float | None]:
    """The period in seconds, and the value of each; None where no data comes."""
    queries = alarm["metricQueries"]
    if queries.surely_empty or not queries.known:  # a provider may work out what was left out
        if alarm["metricName"].text() not in _METRICS:
            raise NotJudgedError
        return _period(alarm), _metric(alarm.props, _statistic(alarm.props), series, watches)
    values: dict[str, float | None] = {}
    expressions: dict[str, str] = {}
    periods: list[int] = []
    result: str | None = None
    for query in queries.items():
        name = query["id"].text()
        if name is None:
            raise NotJudgedError
        if query["returnData"].boolean() is True:
            result = name
        # In a state what was left out is an empty text.
        expression = query["expression"].text()
        if expression:
            expressions[name] = expression
            continue
        metric = query["metric"]
        period = metric["period"].integer() or query["period"].integer() or 60
        periods.append(period)
        values[name] = _metric(metric, metric["stat"].text() or "", series, watches, period)
    if result is None and len(expressions) + len(values) == 1:
        result = next(iter([*expressions, *values]))
    if result is None:
        raise NotJudgedError
    return max(periods, default=60), evaluate(result, values, expressions)


def _period(alarm: Resource) -> int:
    period = alarm["period"].integer()
    if period is None:
        raise NotJudgedError
    return period


def _statistic(metric: Value) -> str:
    return metric["statistic"].text() or metric["extendedStatistic"].text() or ""


_METRICS: Final = ("RunningTaskCount", "DesiredTaskCount", "CPUUtilization", "MemoryUtilization")


def _metric(
    metric: Value, statistic: str, series: Series, watches: Callable[[Value], bool], period: int | None = None
) -> float | None:
    namespace, name = metric["namespace"].text(), metric["metricName"].text()
    seconds = period or metric["period"].integer() or 60
    unit = metric["unit"].text() or "Count"
    running = (namespace, name) == ("ECS/ContainerInsights", "RunningTaskCount")
    desired = (namespace, name) == ("ECS/ContainerInsights", "DesiredTaskCount")
    # Each running task reports its use once a minute, so the number of samples is that of the tasks.
    samples = namespace == "AWS/ECS" and name in ("CPUUtilization", "MemoryUtilization")
    if not running and not desired and not samples:
        raise NotJudgedError
    if not watches(metric["dimensions"]) or (unit != "Count" and not samples):
        return None  # there is no such series
    if series.tasks is None or (samples and series.tasks == 0):
        return None
    minutes = max(1, seconds // 60)
    if samples:
        if statistic != "SampleCount":
            raise NotJudgedError
        return float(series.tasks * minutes)
    return _statistics(1 if desired else series.tasks, statistic, minutes)


def _statistics(value: int, statistic: str, samples: int) -> float:
    """A statistic over samples that are all the same."""
    if statistic == "SampleCount":
        return float(samples)
    if statistic == "Sum":
        return float(value * samples)
    if statistic in ("Average", "Minimum", "Maximum", "IQM") or re.fullmatch(
        r"(?:p|tm|wm)\d+(?:\.\d+)?", statistic
    ):
        return float(value)
    raise NotJudgedError
