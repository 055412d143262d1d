"""A shop on ECS with everything around it: every type that the recordings of the real provider hold.

Settings: `cpu` (task CPU units: another revision), `desired` (of the worker: in place), `prefix` (of fixed
names: replaces), `token` (a secret), `zone` (the id of the hosted zone of shop.example.com).
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

ANYWHERE = "0.0.0.0/0"


def statement(action: str, resource: str = "*", service: str | None = None) -> dict[str, Any]:
    allowed: dict[str, Any] = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {**allowed, "Principal": {"Service": service}} if service else allowed


def policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


# --- network

region, identity = aws.get_region(), aws.get_caller_identity()
zones = aws.get_availability_zones(state="available")
vpc = aws.ec2.Vpc("net", cidr_block="10.30.0.0/16", enable_dns_hostnames=True, tags={"Name": "net"})
gateway = aws.ec2.InternetGateway("net", vpc_id=vpc.id)
public_routes = aws.ec2.RouteTable(
    "public", vpc_id=vpc.id, routes=[{"cidr_block": ANYWHERE, "gateway_id": gateway.id}]
)
subnets = []
for number in (0, 1):
    subnet = aws.ec2.Subnet(
        f"public-{number}",
        vpc_id=vpc.id,
        cidr_block=f"10.30.{number}.0/24",
        availability_zone=zones.names[number],
    )
    aws.ec2.RouteTableAssociation(f"public-{number}", subnet_id=subnet.id, route_table_id=public_routes.id)
    subnets.append(subnet)
subnet_ids = [subnet.id for subnet in subnets]
private_routes = aws.ec2.RouteTable("private", vpc_id=vpc.id)
address = aws.ec2.Eip("way-out", domain="vpc")
way_out = aws.ec2.NatGateway("way-out", allocation_id=address.id, subnet_id=subnets[0].id)
aws.ec2.Route(
    "way-out",
    route_table_id=private_routes.id,
    destination_cidr_block=ANYWHERE,
    nat_gateway_id=way_out.id,
)
aws.ec2.VpcEndpoint(
    "s3",
    vpc_id=vpc.id,
    service_name="com.amazonaws.ap-northeast-2.s3",
    route_table_ids=[private_routes.id],
)
front_group = aws.ec2.SecurityGroup(
    "front",
    vpc_id=vpc.id,
    ingress=[
        {"protocol": "tcp", "from_port": port, "to_port": port, "cidr_blocks": [ANYWHERE]}
        for port in (80, 443)
    ],
    egress=[{"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": [ANYWHERE]}],
)
task_group = aws.ec2.SecurityGroup("tasks", vpc_id=vpc.id, description="what the services' tasks may do")
aws.vpc.SecurityGroupIngressRule(
    "front-to-tasks",
    security_group_id=task_group.id,
    referenced_security_group_id=front_group.id,
    ip_protocol="tcp",
    from_port=8080,
    to_port=8080,
    description="the load balancer",
)
aws.vpc.SecurityGroupEgressRule(
    "tasks-to-all", security_group_id=task_group.id, ip_protocol="-1", cidr_ipv4=ANYWHERE
)

# --- roles

trust: Any = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}
    ],
}
execution = aws.iam.Role("execution", assume_role_policy=json.dumps(trust))
aws.iam.RolePolicyAttachment(
    "execution",
    role=execution.name,
    policy_arn="arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy",
)
# The trust as an object, on purpose: the provider makes text of it.
work = aws.iam.Role("work", name=f"{PREFIX}-work", assume_role_policy=trust)
aws.iam.RolePolicy("work", role=work.id, policy=policy(statement("s3:GetObject")))

# --- keys, buckets

key = aws.kms.Key("logs", description="log encryption", enable_key_rotation=True)
aws.kms.Alias("logs", name=f"alias/{PREFIX}-logs", target_key_id=key.key_id)
bucket = aws.s3.Bucket("access", bucket=f"{PREFIX}-access", force_destroy=True)
aws.s3.BucketObjectv2("about", bucket=bucket.id, key="about", content="logs", tags={"team": "shop"})
aws.s3.BucketPolicy(
    "access",
    bucket=bucket.id,
    policy=bucket.arn.apply(
        lambda arn: policy(
            statement("s3:PutObject", f"{arn}/*", "logdelivery.elasticloadbalancing.amazonaws.com")
        )
    ),
)
aws.s3.BucketPublicAccessBlock(
    "access",
    bucket=bucket.id,
    block_public_acls=True,
    block_public_policy=True,
    ignore_public_acls=True,
    restrict_public_buckets=True,
)

# --- cluster, images, logs

cluster = aws.ecs.Cluster("cluster", settings=[{"name": "containerInsights", "value": "enabled"}])
capacity = aws.ecs.ClusterCapacityProviders(
    "cluster",
    cluster_name=cluster.name,
    capacity_providers=["FARGATE", "FARGATE_SPOT"],
    default_capacity_provider_strategies=[{"capacity_provider": "FARGATE", "weight": 1, "base": 1}],
)
repository = aws.ecr.Repository(
    "images",
    name=f"{PREFIX}/web",
    image_tag_mutability="IMMUTABLE",
    force_delete=True,
    image_scanning_configuration={"scan_on_push": True},
)
aws.ecr.LifecyclePolicy(
    "images",
    repository=repository.name,
    policy=json.dumps(
        {
            "rules": [
                {
                    "rulePriority": 1,
                    "description": "the last ten",
                    "selection": {
                        "tagStatus": "any",
                        "countType": "imageCountMoreThan",
                        "countNumber": 10,
                    },
                    "action": {"type": "expire"},
                }
            ]
        }
    ),
)
logs = aws.cloudwatch.LogGroup("logs", name=f"/ecs/{PREFIX}", retention_in_days=30, kms_key_id=key.arn)
aws.cloudwatch.LogMetricFilter(
    "oom",
    log_group_name=logs.name,
    pattern="OutOfMemoryError",
    metric_transformation={"name": "OutOfMemory", "namespace": "Shop", "value": "1"},
)

# --- load balancer

balancer = aws.lb.LoadBalancer("front", security_groups=[front_group.id], subnets=subnet_ids, idle_timeout=75)
targets = aws.lb.TargetGroup(
    "web",
    port=8080,
    protocol="HTTP",
    target_type="ip",
    vpc_id=vpc.id,
    deregistration_delay=30,
    health_check={"path": "/health", "matcher": "200-299", "healthy_threshold": 2},
)
aws.lb.Listener(
    "http",
    load_balancer_arn=balancer.arn,
    port=80,
    default_actions=[
        {"type": "redirect", "redirect": {"port": "443", "protocol": "HTTPS", "status_code": "HTTP_301"}}
    ],
)
inner = aws.lb.Listener(
    "inner",
    load_balancer_arn=balancer.arn,
    port=8081,
    default_actions=[{"type": "forward", "target_group_arn": targets.arn}],
)
aws.lb.ListenerRule(
    "no-admin",
    listener_arn=inner.arn,
    priority=10,
    actions=[
        {
            "type": "fixed-response",
            "fixed_response": {"content_type": "text/plain", "message_body": "no", "status_code": "403"},
        }
    ],
    conditions=[{"path_pattern": {"values": ["/admin/*"]}}],
)
aws.route53.Record(
    "web",
    zone_id=config.require("zone"),
    name="api.shop.example.com",
    type="A",
    aliases=[{"name": balancer.dns_name, "zone_id": balancer.zone_id, "evaluate_target_health": True}],
)
aws.acm.Certificate("web", domain_name="api.shop.example.com", validation_method="DNS")

# --- services


def definition(name: str, port: int) -> aws.ecs.TaskDefinition:
    container = {
        "name": name,
        "image": "public.ecr.aws/docker/library/busybox:stable",
        "essential": True,
        "portMappings": [{"containerPort": port, "protocol": "tcp"}],
        "environment": [{"name": "TOKEN", "value": TOKEN}],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": logs.name,
                "awslogs-region": region.region,
                "awslogs-stream-prefix": name,
            },
        },
    }
    return aws.ecs.TaskDefinition(
        name,
        family=f"{PREFIX}-{name}",
        cpu=CPU,
        memory="1024",
        network_mode="awsvpc",
        requires_compatibilities=["FARGATE"],
        execution_role_arn=execution.arn,
        task_role_arn=work.arn,
        container_definitions=pulumi.Output.json_dumps([container]),
        runtime_platform={"cpu_architecture": "X86_64", "operating_system_family": "LINUX"},
    )


aws.ecs.Service(
    "web",
    cluster=cluster.arn,
    task_definition=definition("web", 8080).arn,
    desired_count=2,
    launch_type="FARGATE",
    health_check_grace_period_seconds=60,
    deployment_circuit_breaker={"enable": True, "rollback": True},
    network_configuration={
        "subnets": subnet_ids,
        "security_groups": [task_group.id],
        "assign_public_ip": True,
    },
    load_balancers=[{"target_group_arn": targets.arn, "container_name": "web", "container_port": 8080}],
    opts=pulumi.ResourceOptions(depends_on=[inner]),
)
worker = aws.ecs.Service(
    "worker",
    name=f"{PREFIX}-worker",
    cluster=cluster.arn,
    task_definition=definition("worker", 9091).arn,
    desired_count=DESIRED,
    availability_zone_rebalancing="DISABLED",
    deployment_minimum_healthy_percent=0,
    deployment_maximum_percent=100,
    capacity_provider_strategies=[{"capacity_provider": "FARGATE", "weight": 1}],
    network_configuration={"subnets": subnet_ids, "security_groups": [task_group.id]},
    opts=pulumi.ResourceOptions(depends_on=[capacity]),
)
scaled = aws.appautoscaling.Target(
    "worker",
    service_namespace="ecs",
    scalable_dimension="ecs:service:DesiredCount",
    resource_id=pulumi.Output.concat("service/", cluster.name, "/", worker.name),
    min_capacity=1,
    max_capacity=4,
)
aws.appautoscaling.Policy(
    "cpu",
    service_namespace=scaled.service_namespace,
    scalable_dimension=scaled.scalable_dimension,
    resource_id=scaled.resource_id,
    policy_type="TargetTrackingScaling",
    target_tracking_scaling_policy_configuration={
        "target_value": 60,
        "predefined_metric_specification": {"predefined_metric_type": "ECSServiceAverageCPUUtilization"},
    },
)

# --- what watches it

topic = aws.sns.Topic("alerts", display_name="alerts of the shop")
aws.sns.TopicSubscription("mail", topic=topic.arn, protocol="email", endpoint="ops@example.com")
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
