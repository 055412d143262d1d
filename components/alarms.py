"""CloudWatch alarms on a service.

Owns the alarms and their thresholds. Doesn't own the topic that they tell, nor who subscribes to it.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.options import Alarms


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
) -> None:
    """Alarms that tell when a scheduler doesn't run exactly once.

    Missing data counts as trouble in both: Container Insights reports nothing for a service that isn't
    there. Two tasks are reported within a minute; none at all after two, since a restart is such a gap.
    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html
    """
    for suffix, comparison, statistic, minutes, meaning in (
        (
            "two-running",
            "GreaterThanThreshold",
            "Maximum",
            1,
            "More than one task: messages may be handled twice",
        ),
        ("none-running", "LessThanThreshold", "Minimum", 2, "No task: nothing is scheduled"),
    ):
        aws.cloudwatch.MetricAlarm(
            f"{name}-{suffix}",
            alarm_description=pulumi.Output.format("{0} ({1})", meaning, service_name),
            namespace="ECS/ContainerInsights",
            metric_name="RunningTaskCount",
            dimensions={"ClusterName": cluster_name(cluster_arn), "ServiceName": service_name},
            statistic=statistic,
            comparison_operator=comparison,
            threshold=1,
            period=60,
            evaluation_periods=minutes,
            treat_missing_data="breaching",
            alarm_actions=alarms.topic_arns,
            ok_actions=alarms.topic_arns,
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
        aws.cloudwatch.MetricAlarm(
            f"{name}-{suffix}",
            alarm_description=pulumi.Output.format(
                "{0} of {1} is above {2} %", metric, service_name, percent
            ),
            namespace="AWS/ECS",
            metric_name=metric,
            dimensions={"ClusterName": cluster_name(cluster_arn), "ServiceName": service_name},
            statistic="Average",
            comparison_operator="GreaterThanThreshold",
            threshold=percent,
            period=60,
            evaluation_periods=alarms.evaluation_periods,
            treat_missing_data="missing",
            alarm_actions=alarms.topic_arns,
            ok_actions=alarms.topic_arns,
            tags=tags,
            opts=pulumi.ResourceOptions(parent=parent),
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

    Answers the one on errors, which also guards rollouts.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
    """
    created: dict[str, aws.cloudwatch.MetricAlarm] = {}
    for suffix, metric, statistic, threshold, meaning in (
        ("errors", "HTTPCode_Target_5XX_Count", "Sum", 10, "more than 10 answers a minute are errors"),
        ("unhealthy", "UnHealthyHostCount", "Maximum", 0, "the load balancer finds a task unhealthy"),
        ("latency", "TargetResponseTime", "Average", 2, "answers take more than 2 seconds on average"),
    ):
        created[suffix] = aws.cloudwatch.MetricAlarm(
            f"{name}-{suffix}",
            alarm_description=f"{name}: {meaning}",
            namespace="AWS/ApplicationELB",
            metric_name=metric,
            dimensions={"LoadBalancer": load_balancer_arn_suffix, "TargetGroup": target_group_arn_suffix},
            statistic=statistic,
            comparison_operator="GreaterThanThreshold",
            threshold=threshold,
            period=60,
            evaluation_periods=alarms.evaluation_periods,
            treat_missing_data="notBreaching",
            alarm_actions=alarms.topic_arns,
            ok_actions=alarms.topic_arns,
            tags=tags,
            opts=pulumi.ResourceOptions(parent=parent),
        )
    return created["errors"]
