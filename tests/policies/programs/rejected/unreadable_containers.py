"""One unknown value hides all container definitions."""

# rejected: ecs-task-definition-readable on download
# advice: ecs-task-definition-readable on fileflow-scheduler-download-prod-task

import pulumi
import pulumi_aws as aws

from tests.policies.programs import fleet

parameter = aws.ssm.Parameter("image", type="String", value="image")
definition = fleet.task(
    "fileflow-scheduler-download-prod",
    container_definitions=pulumi.Output.json_dumps(
        [fleet.container("fileflow-scheduler-download", 9091, image=parameter.arn)]
    ),
)
fleet.scheduler(task_definition=definition.arn)
