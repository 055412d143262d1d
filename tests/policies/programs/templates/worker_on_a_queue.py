"""A worker that takes messages from a queue, and is scaled by its length."""

# rejected: ecs-container-logging on worker
# rejected: ecs-deployment-rolls-back on worker
# rejected: ecs-image-by-digest on worker
# rejected: ecs-non-root-user on worker
# rejected: ecs-read-only-root-filesystem on worker
# rejected: ecs-service-role on worker

import json

import pulumi_aws as aws

queue = aws.sqs.Queue("jobs", visibility_timeout_seconds=120)
cluster = aws.ecs.Cluster("workers")
definition = aws.ecs.TaskDefinition(
    "worker",
    family="worker",
    cpu="256",
    memory="512",
    network_mode="awsvpc",
    requires_compatibilities=["FARGATE"],
    execution_role_arn="arn:aws:iam::111122223333:role/execution",
    task_role_arn="arn:aws:iam::111122223333:role/worker",
    container_definitions=json.dumps(
        [
            {
                "name": "worker",
                "image": "ghcr.io/shop/worker:2.1",
                "command": ["celery", "-A", "shop", "worker"],
            }
        ]
    ),
)
service = aws.ecs.Service(
    "worker",
    name="worker",
    cluster="arn:aws:ecs:eu-west-1:111122223333:cluster/workers",
    desired_count=2,
    task_definition=definition.arn,
    capacity_provider_strategies=[{"capacity_provider": "FARGATE_SPOT", "weight": 1}],
    network_configuration={"subnets": ["subnet-1", "subnet-2"]},
)
target = aws.appautoscaling.Target(
    "worker",
    min_capacity=1,
    max_capacity=10,
    resource_id="service/workers/worker",
    scalable_dimension="ecs:service:DesiredCount",
    service_namespace="ecs",
)
aws.appautoscaling.Policy(
    "worker",
    policy_type="TargetTrackingScaling",
    resource_id=target.resource_id,
    scalable_dimension=target.scalable_dimension,
    service_namespace=target.service_namespace,
    target_tracking_scaling_policy_configuration={
        "target_value": 100,
        "customized_metric_specification": {
            "namespace": "AWS/SQS",
            "metric_name": "ApproximateNumberOfMessagesVisible",
            "statistic": "Average",
            "dimensions": [{"name": "QueueName", "value": "jobs"}],
        },
    },
)
