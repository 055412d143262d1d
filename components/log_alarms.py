"""Metric filters on a service's log, and alarms on them: what only the application can know.

Owns the patterns for the guide's causes "메모리 부족 (OOM)" and a failed start. Doesn't own the log group.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.alarms import Watched, create_alarm
from components.options import Alarms

METRIC_NAMESPACE = "FileFlow"


PATTERNS = {
    "out-of-memory": '?OutOfMemoryError ?"Java heap space" ?"GC overhead limit exceeded"',
    "start-failure": '?"APPLICATION FAILED TO START" ?"Application run failed"',
}
"""CloudWatch filter patterns: a line that has any of the terms counts.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""


def log_alarms(
    name: str,
    log_group: aws.cloudwatch.LogGroup,
    family: str,
    alarms: Alarms,
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> aws.cloudwatch.MetricAlarm:
    """Counts lines of trouble in `log_group` and alarms on the first one.

    Answers the alarm on a failed start, which also guards rollouts.
    """
    created: dict[str, aws.cloudwatch.MetricAlarm] = {}
    for suffix, pattern in PATTERNS.items():
        meaning = f"The log of {family} tells of {suffix.replace('-', ' ')}"
        created[suffix] = pattern_alarm(
            name, suffix, pattern, meaning, log_group, family, alarms, tags, parent
        )
    return created["start-failure"]


def pattern_alarm(
    name: str,
    suffix: str,
    pattern: str,
    meaning: str,
    log_group: aws.cloudwatch.LogGroup,
    family: str,
    alarms: Alarms,
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> aws.cloudwatch.MetricAlarm:
    """Alarms on the first line of `log_group` that matches the pattern."""
    # By family: a container's name is the same in every environment of the account.
    metric_name = f"{family}-{suffix}"
    aws.cloudwatch.LogMetricFilter(
        f"{name}-{suffix}",
        log_group_name=log_group.name,
        pattern=pattern,
        metric_transformation={"namespace": METRIC_NAMESPACE, "name": metric_name, "value": "1"},
        opts=pulumi.ResourceOptions(parent=log_group),
    )
    return create_alarm(
        f"{name}-{suffix}",
        meaning,
        Watched(
            namespace=METRIC_NAMESPACE,
            metric_name=metric_name,
            dimensions=None,
            statistic="Sum",
            comparison="GreaterThanThreshold",
            threshold=0,
            minutes=1,
            missing="notBreaching",
        ),
        alarms,
        tags,
        parent,
    )
