"""A pipe starts a task for every message."""

# rejected: scheduler-no-second-launcher on pipe

import pulumi_aws as aws

from tests.policies.programs import fleet

definition = fleet.task("outbox", fleet.container("plain", 9092))
fleet.scheduler("outbox", task_definition=definition.arn)
aws.pipes.Pipe(
    "pipe",
    role_arn="arn:aws:iam::1:role/pipe",
    source="arn:aws:sqs:r:1:queue",
    target="cluster",
    target_parameters={"ecs_task_parameters": {"task_definition_arn": definition.arn}},
)
