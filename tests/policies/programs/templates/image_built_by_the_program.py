"""A template whose image the program builds: neither the image nor its definition is known at preview."""

# rejected: ecr-immutable-tags on repo
# rejected: ecr-lifecycle-policy on repo
# rejected: ecr-no-force-delete on repo
# rejected: ecr-scan-on-push on repo
# rejected: ecs-deployment-rolls-back on service
# rejected: ecs-no-public-ip on service
# rejected: ecs-service-role on service

import pulumi
import pulumi_aws as aws

cluster = aws.ecs.Cluster("cluster")
repository = aws.ecr.Repository("repo", force_delete=True)
logs = aws.cloudwatch.LogGroup("service", retention_in_days=7)
definition = aws.ecs.TaskDefinition(
    "service",
    family="service",
    cpu="512",
    memory="1024",
    network_mode="awsvpc",
    requires_compatibilities=["FARGATE"],
    execution_role_arn="arn:aws:iam::111122223333:role/execution",
    task_role_arn="arn:aws:iam::111122223333:role/task",
    container_definitions=pulumi.Output.json_dumps(
        [
            {
                "name": "app",
                "image": repository.repository_url.apply(lambda url: f"{url}:latest"),
                "essential": True,
                "portMappings": [{"containerPort": 80}],
                "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": logs.name}},
            }
        ]
    ),
)
aws.ecs.Service(
    "service",
    cluster=cluster.arn,
    desired_count=1,
    launch_type="FARGATE",
    task_definition=definition.arn,
    network_configuration={"assign_public_ip": True, "subnets": ["subnet-1"]},
)
