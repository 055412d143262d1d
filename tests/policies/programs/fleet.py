"""Parts for the programs in this folder: a network, a cluster, and services that break no rule.

A program changes what its trick is about and says nothing else.
"""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_aws as aws

ACCOUNT = "646886795421"
REGION = "ap-northeast-2"
DIGEST = f"sha256:{'a' * 64}"
BREAKER = {"enable": True, "rollback": True}
SUBNETS = ["subnet-1", "subnet-2"]


def cluster(name: str = "main") -> aws.ecs.Cluster:
    return aws.ecs.Cluster(
        name,
        name=f"fileflow-{name}",
        settings=[{"name": "containerInsights", "value": "enabled"}],
        tags={"team": "files"},
    )


def container(name: str, port: int, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "image": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{name}@{DIGEST}",
        "essential": True,
        "user": "1000",
        "readonlyRootFilesystem": True,
        "stopTimeout": 60,
        "portMappings": [{"containerPort": port}],
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": f"/aws/ecs/{name}"}},
        **changes,
    }


def task(family: str, *containers: dict[str, Any], **changes: Any) -> aws.ecs.TaskDefinition:
    opts = changes.pop("opts", None)
    return aws.ecs.TaskDefinition(
        f"{family}-task",
        **{
            "family": family,
            "cpu": "256",
            "memory": "512",
            "network_mode": "awsvpc",
            "requires_compatibilities": ["FARGATE"],
            "execution_role_arn": f"arn:aws:iam::{ACCOUNT}:role/execution",
            "task_role_arn": f"arn:aws:iam::{ACCOUNT}:role/task",
            "container_definitions": json.dumps(containers),
            "tags": {"team": "files"},
            **changes,
        },
        opts=opts,
    )


def group(name: str, opts: pulumi.ResourceOptions | None = None) -> aws.ec2.SecurityGroup:
    return aws.ec2.SecurityGroup(f"{name}-group", description=f"Tasks of {name}", vpc_id="vpc-1", opts=opts)


def network(security_group: aws.ec2.SecurityGroup, public: bool = False) -> dict[str, Any]:
    return {"assign_public_ip": public, "security_groups": [security_group.id], "subnets": SUBNETS}


def alarms(
    name: str, service_name: pulumi.Input[str], cluster_name: pulumi.Input[str] = "fileflow-main"
) -> None:
    for suffix, comparison in (("two", "GreaterThanThreshold"), ("none", "LessThanThreshold")):
        aws.cloudwatch.MetricAlarm(
            f"{name}-{suffix}",
            namespace="ECS/ContainerInsights",
            metric_name="RunningTaskCount",
            dimensions={"ClusterName": cluster_name, "ServiceName": service_name},
            comparison_operator=comparison,
            threshold=1,
            evaluation_periods=1,
            period=60,
            statistic="Maximum",
            treat_missing_data="breaching",
            alarm_actions=[f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"],
        )


def scheduler(key: str = "download", port: int = 9091, **changes: Any) -> aws.ecs.Service:
    """A scheduler as the rules want it; every argument can be changed, and its alarms left out."""
    full = f"fileflow-scheduler-{key}"
    watched = changes.pop("watched", True)
    opts = changes.pop("opts", None)
    cluster_name = changes.pop("cluster_name", "fileflow-main")
    security_group = changes.pop("security_group", None) or group(key)
    definition = changes.pop("task_definition", None)
    if definition is None:
        definition = task(f"{full}-prod", container(full, port)).arn
    arguments: dict[str, Any] = {
        "name": full,
        "cluster": "arn:aws:ecs:ap-northeast-2:646886795421:cluster/fileflow-main",
        "task_definition": definition,
        "desired_count": 1,
        "launch_type": "FARGATE",
        "scheduling_strategy": "REPLICA",
        "deployment_minimum_healthy_percent": 0,
        "deployment_maximum_percent": 100,
        "deployment_circuit_breaker": BREAKER,
        "availability_zone_rebalancing": "DISABLED",
        "network_configuration": network(security_group),
        "tags": {"fileflow:role": "scheduler"},
        **changes,
    }
    service = aws.ecs.Service(key, **{k: v for k, v in arguments.items() if v is not None}, opts=opts)
    if watched:
        alarms(key, service.name, cluster_name)
    return service


def service(name: str, port: int = 8080, role: str = "worker", **changes: Any) -> aws.ecs.Service:
    """A service that is no scheduler."""
    security_group = changes.pop("security_group", None) or group(name)
    opts = changes.pop("opts", None)
    definition = changes.pop("task_definition", None)
    if definition is None:
        definition = task(name, container(name, port)).arn
    arguments: dict[str, Any] = {
        "name": name,
        "cluster": "arn:aws:ecs:ap-northeast-2:646886795421:cluster/fileflow-main",
        "task_definition": definition,
        "desired_count": 3,
        "launch_type": "FARGATE",
        "deployment_circuit_breaker": BREAKER,
        "network_configuration": network(security_group),
        "tags": {"fileflow:role": role},
        **changes,
    }
    return aws.ecs.Service(name, **{k: v for k, v in arguments.items() if v is not None}, opts=opts)


def target_group(name: str, port: int = 8083, **changes: Any) -> aws.lb.TargetGroup:
    return aws.lb.TargetGroup(
        name,
        **{
            "port": port,
            "protocol": "HTTP",
            "target_type": "ip",
            "vpc_id": "vpc-1",
            "health_check": {"path": "/actuator/health"},
            **changes,
        },
    )
