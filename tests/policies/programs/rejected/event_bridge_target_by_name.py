"""EventBridge starts the task by a name that is written out."""

# rejected: scheduler-no-second-launcher on every-hour

import pulumi_aws as aws

aws.cloudwatch.EventTarget(
    "every-hour",
    rule="every-hour",
    arn="cluster",
    ecs_target={"task_definition_arn": "arn:aws:ecs:r:1:task-definition/fileflow-scheduler-download-prod"},
)
