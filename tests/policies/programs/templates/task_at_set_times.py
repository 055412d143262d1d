"""A nightly report: EventBridge starts a task of its own at set times, beside a web service."""

# rejected: ecs-container-logging on nightly-report
# rejected: ecs-container-logging on shop
# rejected: ecs-deployment-rolls-back on shop
# rejected: ecs-image-by-digest on nightly-report
# rejected: ecs-image-by-digest on shop
# rejected: ecs-no-public-ip on shop
# rejected: ecs-non-root-user on nightly-report
# rejected: ecs-non-root-user on shop
# rejected: ecs-read-only-root-filesystem on nightly-report
# rejected: ecs-read-only-root-filesystem on shop
# rejected: ecs-service-role on shop

import json

import pulumi_aws as aws

CLUSTER = "arn:aws:ecs:eu-west-1:111122223333:cluster/reports"


def definition(family: str, **more: object) -> aws.ecs.TaskDefinition:
    return aws.ecs.TaskDefinition(
        family,
        family=family,
        cpu="256",
        memory="512",
        network_mode="awsvpc",
        requires_compatibilities=["FARGATE"],
        execution_role_arn="arn:aws:iam::111122223333:role/execution",
        container_definitions=json.dumps([{"name": family, "image": f"shop/{family}:1", **more}]),
    )


report = definition("nightly-report", command=["python", "-m", "shop.report"])
rule = aws.cloudwatch.EventRule("nightly", schedule_expression="cron(0 3 * * ? *)")
aws.cloudwatch.EventTarget(
    "nightly",
    rule=rule.name,
    arn=CLUSTER,
    role_arn="arn:aws:iam::111122223333:role/events",
    ecs_target={
        "task_definition_arn": report.arn,
        "launch_type": "FARGATE",
        "task_count": 1,
        "network_configuration": {"subnets": ["subnet-1"]},
    },
)
web = definition("shop", portMappings=[{"containerPort": 8080}])
aws.ecs.Service(
    "shop",
    cluster=CLUSTER,
    desired_count=2,
    launch_type="FARGATE",
    task_definition=web.arn,
    network_configuration={"subnets": ["subnet-1"], "assign_public_ip": True},
)
