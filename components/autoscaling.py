"""Application Auto Scaling of a web service.

Owns the target, its tracking policies and its scheduled actions. A scheduler must never meet it.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.alarms import cluster_name
from components.web_options import Autoscaling


@dataclass(frozen=True, kw_only=True)
class ScaledService:
    """What is scaled, and by which requests: the suffixes that CloudWatch names ELB resources by."""

    cluster_arn: pulumi.Input[str]
    service_name: pulumi.Input[str]
    load_balancer_arn_suffix: pulumi.Input[str]
    target_group_arn_suffix: pulumi.Input[str]


def scale(name: str, service: ScaledService, autoscaling: Autoscaling, parent: pulumi.Resource) -> None:
    """Creates the scalable target and its policies as children of `parent`.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html
    """
    target = aws.appautoscaling.Target(
        f"{name}-scaling",
        service_namespace="ecs",
        scalable_dimension="ecs:service:DesiredCount",
        resource_id=pulumi.Output.format(
            "service/{0}/{1}", cluster_name(service.cluster_arn), service.service_name
        ),
        min_capacity=autoscaling.minimum_count,
        max_capacity=autoscaling.maximum_count,
        opts=pulumi.ResourceOptions(
            parent=parent,
            # A scheduled action changes them on the target itself: a run between two of them mustn't undo it.
            # https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
            ignore_changes=["minCapacity", "maxCapacity"] if autoscaling.scheduled else None,
        ),
    )
    label = pulumi.Output.format("{0}/{1}", service.load_balancer_arn_suffix, service.target_group_arn_suffix)
    metrics: list[tuple[str, str, int | None, pulumi.Output[str] | None]] = [
        ("cpu", "ECSServiceAverageCPUUtilization", autoscaling.cpu_percent, None),
        ("memory", "ECSServiceAverageMemoryUtilization", autoscaling.memory_percent, None),
        ("requests", "ALBRequestCountPerTarget", autoscaling.requests_per_target, label),
    ]
    for suffix, metric, value, resource_label in metrics:
        if value is None:
            continue
        aws.appautoscaling.Policy(
            f"{name}-scaling-{suffix}",
            policy_type="TargetTrackingScaling",
            service_namespace=target.service_namespace,
            scalable_dimension=target.scalable_dimension,
            resource_id=target.resource_id,
            target_tracking_scaling_policy_configuration={
                "predefined_metric_specification": {
                    "predefined_metric_type": metric,
                    "resource_label": resource_label,
                },
                "scale_in_cooldown": autoscaling.scale_in_cooldown_seconds,
                "scale_out_cooldown": autoscaling.scale_out_cooldown_seconds,
                "target_value": value,
            },
            opts=pulumi.ResourceOptions(parent=target),
        )
    for scheduled in autoscaling.scheduled:
        aws.appautoscaling.ScheduledAction(
            f"{name}-scaling-{scheduled.name}",
            name=scheduled.name,
            service_namespace=target.service_namespace,
            scalable_dimension=target.scalable_dimension,
            resource_id=target.resource_id,
            schedule=scheduled.schedule,
            timezone=scheduled.timezone,
            scalable_target_action={
                "min_capacity": scheduled.minimum_count,
                "max_capacity": scheduled.maximum_count,
            },
            opts=pulumi.ResourceOptions(parent=target),
        )
