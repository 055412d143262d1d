"""CloudWatch alarms on a service.

Owns the alarms and their thresholds. Doesn't own the topic that they tell, nor who subscribes to it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws

from components.options import Alarms
from components.pause import Pause

RESTART_MINUTES = 5
"""How long an ordinary stop and start may take at most: Fargate's longest stop timeout of two minutes, a
pull, and the start of Spring Boot. A gap of that length is no alarm.
"""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """One metric, and from which value on it is trouble."""

    namespace: str
    metric_name: str
    dimensions: Mapping[str, pulumi.Input[str]] | None
    statistic: Literal["Average", "Maximum", "Minimum", "Sum"]
    comparison: Literal["GreaterThanThreshold", "LessThanThreshold"]
    threshold: float
    minutes: int
    missing: Literal["breaching", "notBreaching", "missing"]


def create_alarm(
    name: str,
    description: pulumi.Input[str],
    watched: Watched,
    alarms: Alarms,
    tags: Mapping[str, str],
    parent: pulumi.Resource,
    depends_on: Sequence[pulumi.Resource] = (),
) -> aws.cloudwatch.MetricAlarm:
    """An alarm on a minute's values that tells the topics when it begins and when it ends."""
    return aws.cloudwatch.MetricAlarm(
        name,
        alarm_description=description,
        namespace=watched.namespace,
        metric_name=watched.metric_name,
        dimensions=watched.dimensions,
        statistic=watched.statistic,
        comparison_operator=watched.comparison,
        threshold=watched.threshold,
        period=60,
        evaluation_periods=watched.minutes,
        treat_missing_data=watched.missing,
        alarm_actions=alarms.topic_arns,
        ok_actions=alarms.topic_arns,
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=list(depends_on)),
    )


def cluster_name(cluster_arn: pulumi.Input[str]) -> pulumi.Output[str]:
    """The name at the end of a cluster's ARN, as CloudWatch's dimensions want it."""
    return pulumi.Output.from_input(cluster_arn).apply(lambda arn: arn.rsplit("/", 1)[-1])


def heartbeat_alarms(
    name: str,
    cluster_arn: pulumi.Input[str],
    service_name: pulumi.Input[str],
    alarms: Alarms,
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> aws.cloudwatch.MetricAlarm:
    """Alarms that tell when a scheduler doesn't run exactly once. Answers the one that tells of none.

    Two tasks are told within a minute; none only after `RESTART_MINUTES` without one, since an ordinary
    rollout stops the old task before it starts the new one. Container Insights reports nothing for a
    service that has no task, so missing data means none; it never means two.
    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html
    """
    running = Watched(
        namespace="ECS/ContainerInsights",
        metric_name="RunningTaskCount",
        dimensions={"ClusterName": cluster_name(cluster_arn), "ServiceName": service_name},
        # A minute in which a task ran at any moment is no minute without one.
        statistic="Maximum",
        comparison="GreaterThanThreshold",
        threshold=1,
        minutes=1,
        missing="notBreaching",
    )
    none = dataclasses.replace(
        running, comparison="LessThanThreshold", minutes=RESTART_MINUTES, missing="breaching"
    )

    def alarm(suffix: str, watched: Watched, meaning: str) -> aws.cloudwatch.MetricAlarm:
        description = pulumi.Output.format("{0} ({1})", meaning, service_name)
        return create_alarm(f"{name}-{suffix}", description, watched, alarms, tags, parent)

    alarm("two-running", running, "More than one task: messages may be handled twice")
    return alarm("none-running", none, "No task: nothing is scheduled")


def mute_alarm(
    name: str,
    alarm: aws.cloudwatch.MetricAlarm,
    pause: Pause,
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> None:
    """Has CloudWatch mute `alarm` while a scheduler is paused, and no longer.

    The alarm goes on as ever: where it rings when the pause ends, CloudWatch carries its actions out then.
    Whether CloudWatch takes a beginning that lies hours back isn't documented, nor tried by this project; one
    of the present minute it does. Dates beside `at(…)` it refuses.
    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-mute-rules-behaviour.html,
    https://github.com/simstudioai/sim/pull/4621
    """
    aws.cloudwatch.AlarmMuteRule(
        name,
        description=pause.reason,
        rule={
            "schedule": {
                "expression": pause.mute_expression,
                "duration": pause.mute_duration,
                "timezone": "UTC",
            }
        },
        mute_targets={"alarm_names": [alarm.name]},
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def utilization_alarms(
    name: str,
    cluster_arn: pulumi.Input[str],
    service_name: pulumi.Input[str],
    alarms: Alarms,
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> None:
    """Alarms on a service's CPU and memory (the metrics of the guide's section "CloudWatch 메트릭")."""
    for suffix, metric, percent in (
        ("cpu", "CPUUtilization", alarms.cpu_percent),
        ("memory", "MemoryUtilization", alarms.memory_percent),
    ):
        create_alarm(
            f"{name}-{suffix}",
            pulumi.Output.format("{0} of {1} is above {2} %", metric, service_name, percent),
            Watched(
                namespace="AWS/ECS",
                metric_name=metric,
                dimensions={"ClusterName": cluster_name(cluster_arn), "ServiceName": service_name},
                statistic="Average",
                comparison="GreaterThanThreshold",
                threshold=percent,
                minutes=alarms.evaluation_periods,
                missing="missing",
            ),
            alarms,
            tags,
            parent,
        )


def deployment_alarms(alarm: aws.cloudwatch.MetricAlarm, alarms: Alarms) -> aws.ecs.ServiceAlarmsArgs:
    """Has ECS watch `alarm` during a rollout and put the old version back when it begins."""
    return aws.ecs.ServiceAlarmsArgs(
        alarm_names=[alarm.name],
        enable=alarms.roll_back_deployments,
        rollback=alarms.roll_back_deployments,
    )


def web_alarms(
    name: str,
    load_balancer_arn_suffix: pulumi.Input[str],
    target_group_arn_suffix: pulumi.Input[str],
    alarms: Alarms,
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> aws.cloudwatch.MetricAlarm:
    """Alarms on what callers of the web API see: errors, targets that are down, slow answers.

    Errors of the tasks and of the load balancer itself, which answers 503 where no task is left, are told
    apart by their metrics. Answers the alarm on errors of the tasks, which also guards rollouts.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
    """
    balancer = {"LoadBalancer": load_balancer_arn_suffix}
    group = {**balancer, "TargetGroup": target_group_arn_suffix}

    def above(
        suffix: str,
        metric: str,
        statistic: Literal["Average", "Maximum", "Sum"],
        threshold: float,
        meaning: str,
        dimensions: Mapping[str, pulumi.Input[str]],
    ) -> aws.cloudwatch.MetricAlarm:
        return create_alarm(
            f"{name}-{suffix}",
            f"{name}: {meaning}",
            Watched(
                namespace="AWS/ApplicationELB",
                metric_name=metric,
                dimensions=dimensions,
                statistic=statistic,
                comparison="GreaterThanThreshold",
                threshold=threshold,
                minutes=alarms.evaluation_periods,
                missing="notBreaching",
            ),
            alarms,
            tags,
            parent,
        )

    above(
        "load-balancer-errors",
        "HTTPCode_ELB_5XX_Count",
        "Sum",
        10,
        "the load balancer answers more than 10 requests a minute with an error of its own",
        balancer,
    )
    above("unhealthy", "UnHealthyHostCount", "Maximum", 0, "the load balancer finds a task unhealthy", group)
    above("latency", "TargetResponseTime", "Average", 2, "answers take more than 2 seconds on average", group)
    return above(
        "errors", "HTTPCode_Target_5XX_Count", "Sum", 10, "more than 10 answers a minute are errors", group
    )


def no_healthy_task_alarm(
    name: str,
    load_balancer_arn_suffix: pulumi.Input[str],
    target_group_arn_suffix: pulumi.Input[str],
    alarms: Alarms,
    tags: Mapping[str, str],
    service: aws.ecs.Service,
    parent: pulumi.Resource,
) -> None:
    """An alarm that tells when no task is left that could answer.

    A target group without targets reports nothing, so missing data is trouble; hence it is made after
    `service`, whose first rollout has ended by then.
    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
    (`HealthyHostCount`: "reported if there are registered targets")
    """
    create_alarm(
        f"{name}-none-healthy",
        f"{name}: no task is healthy, so nobody answers",
        Watched(
            namespace="AWS/ApplicationELB",
            metric_name="HealthyHostCount",
            dimensions={"LoadBalancer": load_balancer_arn_suffix, "TargetGroup": target_group_arn_suffix},
            statistic="Maximum",
            comparison="LessThanThreshold",
            threshold=1,
            minutes=2,
            missing="breaching",
        ),
        alarms,
        tags,
        parent,
        [service],
    )
