"""A stack of any size: so many services, each with what is around one in production. For the benchmark."""

from __future__ import annotations

from typing import Any

import pulumi_aws as aws

from tests.policies.compliant_stack import container, permissions, trust
from tests.policies.programs import fleet


def services(count: int) -> None:
    """So many services, each a scheduler or a worker, with about 15 resources each."""
    cluster = fleet.cluster()
    for number in range(count):
        _service(number, cluster)


def _service(number: int, cluster: aws.ecs.Cluster) -> None:
    name = f"service-{number}"
    is_scheduler = number % 2 == 0
    execution = aws.iam.Role(f"{name}-execution", assume_role_policy=trust())
    task_role = aws.iam.Role(f"{name}-task", assume_role_policy=trust())
    for role in (execution, task_role):
        aws.iam.RolePolicy(
            f"{name}-{'execution' if role is execution else 'task'}-policy",
            role=role.name,
            policy=permissions(
                {
                    "Effect": "Allow",
                    "Action": "logs:PutLogEvents",
                    "Resource": "arn:aws:logs:r:1:log-group:a:*",
                }
            ),
        )
    aws.cloudwatch.LogGroup(f"{name}-logs", name=f"/aws/ecs/{name}", retention_in_days=30)
    group = fleet.group(name)
    for port in (8080, 8081):
        aws.vpc.SecurityGroupIngressRule(
            f"{name}-{port}",
            security_group_id=group.id,
            description="Inside",
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            cidr_ipv4="10.0.0.0/16",
        )
    aws.vpc.SecurityGroupEgressRule(
        f"{name}-out", security_group_id=group.id, description="Out", ip_protocol="-1", cidr_ipv4="0.0.0.0/0"
    )
    kind = f"{name}-scheduler" if is_scheduler else name
    task = fleet.task(kind, container(kind, 9500 + number), execution_role_arn=execution.arn)
    common: dict[str, Any] = {"cluster": cluster.arn, "task_definition": task.arn}
    if is_scheduler:
        made = fleet.scheduler(name, name=kind, security_group=group, **common)
    else:
        made = fleet.service(name, security_group=group, **common)
    for metric in ("CPUUtilization", "MemoryUtilization"):
        aws.cloudwatch.MetricAlarm(
            f"{name}-{metric}",
            namespace="AWS/ECS",
            metric_name=metric,
            dimensions={"ServiceName": made.name},
            comparison_operator="GreaterThanThreshold",
            threshold=80,
            evaluation_periods=3,
            period=60,
            statistic="Average",
            alarm_actions=["arn:aws:sns:ap-northeast-2:646886795421:alarms"],
        )
