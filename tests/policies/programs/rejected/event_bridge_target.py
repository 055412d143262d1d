"""EventBridge starts the same task beside the service."""

# rejected: scheduler-no-second-launcher on every-hour

import pulumi_aws as aws

from tests.policies.programs import fleet

definition = fleet.task(
    "fileflow-scheduler-download-prod", fleet.container("fileflow-scheduler-download", 9091)
)
fleet.scheduler(task_definition=definition.arn)
aws.cloudwatch.EventTarget(
    "every-hour", rule="every-hour", arn="cluster", ecs_target={"task_definition_arn": definition.arn}
)
