"""A worker on ECS with what surrounds it: what the engine can ask of a stand-in, asked once.

Settings: `cpu` (task CPU units: another revision), `desired` (of the worker: in place), `prefix` (of fixed
names: replaces), `token` (a secret).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

config = pulumi.Config()
PREFIX = config.get("prefix") or "shop"
CPU = config.get("cpu") or "256"
DESIRED = config.get_int("desired") or 1
TOKEN = config.get_secret("token") or pulumi.Output.secret("canary-7d21")


def statement(action: str, resource: str = "*", service: str | None = None) -> dict[str, Any]:
    allowed: dict[str, Any] = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {**allowed, "Principal": {"Service": service}} if service else allowed


def policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


# --- network

region, identity = aws.get_region(), aws.get_caller_identity()
zones = aws.get_availability_zones(state="available")
vpc = aws.ec2.Vpc("net", cidr_block="10.30.0.0/16", enable_dns_hostnames=True, tags={"Name": "net"})
subnet = aws.ec2.Subnet("public", vpc_id=vpc.id, cidr_block="10.30.0.0/24", availability_zone=zones.names[0])
front_group = aws.ec2.SecurityGroup(
    "front",
    vpc_id=vpc.id,
    ingress=[{"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": ["0.0.0.0/0"]}],
)
task_group = aws.ec2.SecurityGroup("tasks", vpc_id=vpc.id, description="what the worker's tasks may do")
aws.vpc.SecurityGroupIngressRule(
    "front-to-tasks",
    security_group_id=task_group.id,
    referenced_security_group_id=front_group.id,
    ip_protocol="tcp",
    from_port=8080,
    to_port=8080,
)

# --- role, cluster, logs

# The trust as an object, on purpose: the provider makes text of it.
trust: Any = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}
    ],
}
work = aws.iam.Role("work", name=f"{PREFIX}-work", assume_role_policy=trust)
aws.iam.RolePolicy("work", role=work.id, policy=policy(statement("s3:GetObject")))
cluster = aws.ecs.Cluster("cluster", settings=[{"name": "containerInsights", "value": "enabled"}])
capacity = aws.ecs.ClusterCapacityProviders(
    "cluster",
    cluster_name=cluster.name,
    capacity_providers=["FARGATE", "FARGATE_SPOT"],
    default_capacity_provider_strategies=[{"capacity_provider": "FARGATE", "weight": 1, "base": 1}],
)
logs = aws.cloudwatch.LogGroup("logs", name=f"/ecs/{PREFIX}", retention_in_days=30)

# --- worker

container = {
    "name": "worker",
    "image": "public.ecr.aws/docker/library/busybox:stable",
    "essential": True,
    "portMappings": [{"containerPort": 9091, "protocol": "tcp"}],
    "environment": [{"name": "TOKEN", "value": TOKEN}],
    "logConfiguration": {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": logs.name,
            "awslogs-region": region.region,
            "awslogs-stream-prefix": "worker",
        },
    },
}
definition = aws.ecs.TaskDefinition(
    "worker",
    family=f"{PREFIX}-worker",
    cpu=CPU,
    memory="1024",
    network_mode="awsvpc",
    requires_compatibilities=["FARGATE"],
    execution_role_arn=work.arn,
    task_role_arn=work.arn,
    container_definitions=pulumi.Output.json_dumps([container]),
)
worker = aws.ecs.Service(
    "worker",
    name=f"{PREFIX}-worker",
    cluster=cluster.arn,
    task_definition=definition.arn,
    desired_count=DESIRED,
    availability_zone_rebalancing="DISABLED",
    deployment_minimum_healthy_percent=0,
    deployment_maximum_percent=100,
    capacity_provider_strategies=[{"capacity_provider": "FARGATE", "weight": 1}],
    network_configuration={"subnets": [subnet.id], "security_groups": [task_group.id]},
    opts=pulumi.ResourceOptions(depends_on=[capacity]),
)
# --- what watches it

topic = aws.sns.Topic("alerts", display_name="alerts of the shop")
aws.sns.TopicPolicy(
    "alerts",
    arn=topic.arn,
    policy=topic.arn.apply(lambda arn: policy(statement("sns:Publish", arn, "events.amazonaws.com"))),
)
aws.cloudwatch.MetricAlarm(
    "running",
    comparison_operator="LessThanThreshold",
    evaluation_periods=1,
    metric_name="RunningTaskCount",
    namespace="ECS/ContainerInsights",
    period=60,
    statistic="Minimum",
    threshold=1,
    alarm_actions=[topic.arn],
    dimensions={"ClusterName": cluster.name, "ServiceName": worker.name},
)
aws.cloudwatch.Dashboard(
    "shop",
    dashboard_name=PREFIX,
    dashboard_body=pulumi.Output.json_dumps(
        {
            "widgets": [
                {
                    "type": "metric",
                    "width": 12,
                    "height": 6,
                    "properties": {
                        "metrics": [["AWS/ECS", "CPUUtilization", "ClusterName", cluster.name]],
                        "region": region.region,
                    },
                }
            ]
        }
    ),
)
stopped = aws.cloudwatch.EventRule(
    "stopped",
    event_pattern=json.dumps({"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"]}),
)
aws.cloudwatch.EventTarget("stopped", rule=stopped.name, arn=topic.arn)

pulumi.export("account", identity.account_id)
pulumi.export("cluster", cluster.arn)
pulumi.export("worker", worker.name)
pulumi.export("vpc", aws.ec2.get_vpc_output(id=vpc.id).cidr_block)
pulumi.export("token", TOKEN)
