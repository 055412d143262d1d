"""A stack that breaks no rule, written with pulumi_aws alone: the ground from which rule tests start.

It holds every resource type that a rule concerns and a compliant stack may have.
"""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

ACCOUNT = "646886795421"
REGION = "ap-northeast-2"
DIGEST = "sha256:" + "a" * 64
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/fileflow@{DIGEST}"
TAGS = {"team": "files"}


def container(name: str, port: int, **changes: object) -> dict[str, object]:
    """A container definition with everything that the pack asks for."""
    return {
        "name": name,
        "image": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{name}@{DIGEST}",
        "essential": True,
        "user": "1000:1000",
        "readonlyRootFilesystem": True,
        "privileged": False,
        "stopTimeout": 60,
        "environment": [{"name": "SPRING_PROFILES_ACTIVE", "value": "prod"}],
        "secrets": [
            {"name": "DB_PASSWORD", "valueFrom": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:db"}
        ],
        "portMappings": [{"containerPort": port, "protocol": "tcp"}],
        "linuxParameters": {"capabilities": {"drop": ["ALL"]}, "initProcessEnabled": True},
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": f"/aws/ecs/{name}"}},
        **changes,
    }


def trust(service: str = "ecs-tasks.amazonaws.com") -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"Service": service},
                    "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
                }
            ],
        }
    )


def permissions(*statements: dict[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def program() -> None:
    """Web API behind a load balancer, a scheduler, a worker, and what they need."""
    vpc = aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16")
    subnets = [
        aws.ec2.Subnet(f"private-{zone}", vpc_id=vpc.id, cidr_block=f"10.0.{index}.0/24")
        for index, zone in enumerate(("a", "b"))
    ]
    cluster = aws.ecs.Cluster(
        "cluster",
        name="fileflow-prod",
        tags=TAGS,
        settings=[{"name": "containerInsights", "value": "enabled"}],
        configuration={
            "execute_command_configuration": {
                "logging": "OVERRIDE",
                "log_configuration": {"cloud_watch_log_group_name": "/aws/ecs/exec"},
            }
        },
    )
    aws.ecs.ClusterCapacityProviders(
        "capacity",
        cluster_name=cluster.name,
        capacity_providers=["FARGATE", "FARGATE_SPOT"],
        default_capacity_provider_strategies=[{"capacity_provider": "FARGATE", "weight": 1, "base": 1}],
    )
    execution = aws.iam.Role("execution", assume_role_policy=trust())
    aws.iam.RolePolicy(
        "execution-policy",
        role=execution.name,
        policy=permissions(
            {"Sid": "Token", "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
            {
                "Sid": "Logs",
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/ecs/fileflow:*",
            },
        ),
    )
    task_role = aws.iam.Role("task", assume_role_policy=trust())
    aws.iam.RolePolicyAttachment(
        "read-only",
        role=task_role.name,
        policy_arn=f"arn:aws:iam::{ACCOUNT}:policy/fileflow-files",
    )
    topic = aws.sns.Topic("alarms")
    _images()
    _secrets()

    def task(family: str, containers: list[dict[str, object]]) -> aws.ecs.TaskDefinition:
        return aws.ecs.TaskDefinition(
            f"{family}-task",
            family=family,
            cpu="512",
            memory="1024",
            network_mode="awsvpc",
            requires_compatibilities=["FARGATE"],
            execution_role_arn=execution.arn,
            task_role_arn=task_role.arn,
            container_definitions=json.dumps(containers),
            volumes=[{"name": "tmp"}],
            tags=TAGS,
        )

    def group(name: str) -> aws.ec2.SecurityGroup:
        return aws.ec2.SecurityGroup(name, description=f"Tasks of {name}", vpc_id=vpc.id)

    def network(security_group: aws.ec2.SecurityGroup) -> aws.ecs.ServiceNetworkConfigurationArgs:
        return aws.ecs.ServiceNetworkConfigurationArgs(
            assign_public_ip=False,
            security_groups=[security_group.id],
            subnets=[subnet.id for subnet in subnets],
        )

    breaker = aws.ecs.ServiceDeploymentCircuitBreakerArgs(enable=True, rollback=True)

    # -- the scheduler
    name = "fileflow-scheduler-download"
    scheduler_group = group("scheduler-group")
    aws.vpc.SecurityGroupIngressRule(
        "scheduler-actuator",
        security_group_id=scheduler_group.id,
        description="Prometheus",
        ip_protocol="tcp",
        from_port=9091,
        to_port=9091,
        cidr_ipv4="10.0.0.0/16",
    )
    scheduler = aws.ecs.Service(
        "scheduler",
        name=name,
        cluster=cluster.arn,
        task_definition=task(f"{name}-prod", [container(name, 9091)]).arn,
        desired_count=1,
        launch_type="FARGATE",
        scheduling_strategy="REPLICA",
        platform_version="LATEST",
        deployment_minimum_healthy_percent=0,
        deployment_maximum_percent=100,
        deployment_controller={"type": "ECS"},
        deployment_configuration={"strategy": "ROLLING"},
        deployment_circuit_breaker=breaker,
        availability_zone_rebalancing="DISABLED",
        network_configuration=network(scheduler_group),
        tags={"fileflow:role": "scheduler"},
        opts=pulumi.ResourceOptions(delete_before_replace=True),
    )
    for suffix, comparison in (
        ("two-running", "GreaterThanThreshold"),
        ("none-running", "LessThanThreshold"),
    ):
        aws.cloudwatch.MetricAlarm(
            suffix,
            namespace="ECS/ContainerInsights",
            metric_name="RunningTaskCount",
            dimensions={"ClusterName": cluster.name, "ServiceName": scheduler.name},
            comparison_operator=comparison,
            threshold=1,
            evaluation_periods=1,
            period=60,
            statistic="Maximum",
            treat_missing_data="breaching",
            alarm_actions=[topic.arn],
        )

    # -- the web API
    balancer_group = aws.ec2.SecurityGroup(
        "balancer-group",
        description="Load balancer",
        vpc_id=vpc.id,
        ingress=[
            {
                "description": "HTTPS",
                "protocol": "tcp",
                "from_port": 443,
                "to_port": 443,
                "cidr_blocks": ["0.0.0.0/0"],
            }
        ],
        egress=[
            {
                "description": "Tasks",
                "protocol": "tcp",
                "from_port": 8083,
                "to_port": 8083,
                "cidr_blocks": ["10.0.0.0/16"],
            }
        ],
    )
    balancer = aws.lb.LoadBalancer(
        "balancer",
        load_balancer_type="application",
        security_groups=[balancer_group.id],
        subnets=[subnet.id for subnet in subnets],
        drop_invalid_header_fields=True,
        enable_deletion_protection=True,
        desync_mitigation_mode="defensive",
        access_logs={"bucket": "logs-of-the-account", "enabled": True},
    )
    targets = aws.lb.TargetGroup(
        "targets",
        port=8083,
        protocol="HTTP",
        target_type="ip",
        vpc_id=vpc.id,
        health_check={"path": "/actuator/health", "protocol": "HTTP"},
    )
    aws.lb.Listener(
        "http",
        load_balancer_arn=balancer.arn,
        port=80,
        protocol="HTTP",
        default_actions=[
            {"type": "redirect", "redirect": {"protocol": "HTTPS", "port": "443", "status_code": "HTTP_301"}}
        ],
    )
    aws.lb.Listener(
        "https",
        load_balancer_arn=balancer.arn,
        port=443,
        protocol="HTTPS",
        ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06",
        certificate_arn=f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/1",
        default_actions=[{"type": "forward", "target_group_arn": targets.arn}],
    )
    web_group = group("web-group")
    aws.ec2.SecurityGroupRule(
        "web-from-balancer",
        type="ingress",
        security_group_id=web_group.id,
        description="The load balancer",
        protocol="tcp",
        from_port=8083,
        to_port=8083,
        source_security_group_id=balancer_group.id,
    )
    web = aws.ecs.Service(
        "web",
        name="fileflow-web-api",
        cluster=cluster.arn,
        task_definition=task("fileflow-web-api-prod", [container("fileflow", 8083)]).arn,
        desired_count=2,
        launch_type="FARGATE",
        deployment_circuit_breaker=breaker,
        network_configuration=network(web_group),
        load_balancers=[
            {"target_group_arn": targets.arn, "container_name": "fileflow", "container_port": 8083}
        ],
        tags={"fileflow:role": "web-api"},
    )
    scaled = aws.appautoscaling.Target(
        "scaled",
        service_namespace="ecs",
        scalable_dimension="ecs:service:DesiredCount",
        resource_id=pulumi.Output.format("service/{0}/{1}", cluster.id, web.name),
        min_capacity=2,
        max_capacity=8,
    )
    aws.appautoscaling.Policy(
        "scaling",
        policy_type="TargetTrackingScaling",
        service_namespace=scaled.service_namespace,
        scalable_dimension=scaled.scalable_dimension,
        resource_id=scaled.resource_id,
    )

    # -- a worker, and a job at set times
    aws.ecs.Service(
        "worker",
        name="thumbnails",
        cluster=cluster.arn,
        task_definition=task("thumbnails", [container("thumbnails", 8080)]).arn,
        desired_count=3,
        capacity_provider_strategies=[{"capacity_provider": "FARGATE_SPOT", "weight": 1}],
        deployment_circuit_breaker=breaker,
        network_configuration=network(group("worker-group")),
        tags={"fileflow:role": "worker"},
    )
    nightly = task("nightly-report", [container("nightly-report", 8090)])
    aws.cloudwatch.EventTarget(
        "nightly",
        rule="nightly",
        arn=cluster.arn,
        ecs_target={"task_definition_arn": nightly.arn, "launch_type": "FARGATE"},
    )
    aws.cloudwatch.LogGroup("logs", name="/aws/ecs/fileflow", retention_in_days=90)


def _images() -> None:
    repository = aws.ecr.Repository(
        "repository",
        name="fileflow",
        image_tag_mutability="IMMUTABLE_WITH_EXCLUSION",
        image_tag_mutability_exclusion_filters=[{"filter": "*latest", "filter_type": "WILDCARD"}],
        image_scanning_configuration={"scan_on_push": True},
    )
    aws.ecr.LifecyclePolicy("lifecycle", repository=repository.name, policy="{}")
    aws.ecr.RepositoryPolicy(
        "pull",
        repository=repository.name,
        policy=permissions(
            {
                "Sid": "Pull",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "ecr:BatchGetImage",
            }
        ),
    )


def _secrets() -> None:
    secret = aws.secretsmanager.Secret("secret", name="fileflow/db", recovery_window_in_days=30)
    aws.secretsmanager.SecretPolicy(
        "secret-policy",
        secret_arn=secret.arn,
        policy=permissions(
            {
                "Sid": "Read",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/fileflow"},
                "Action": "secretsmanager:GetSecretValue",
                "Resource": "*",
            }
        ),
    )
