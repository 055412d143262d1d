"""A task set adds tasks to the service."""

# rejected: scheduler-no-second-launcher on more

import pulumi_aws as aws

from tests.policies.programs import fleet

fleet.scheduler()
aws.ecs.TaskSet(
    "more",
    service="fileflow-scheduler-download",
    cluster="fileflow-main",
    task_definition="arn:aws:ecs:r:1:task-definition/more:1",
)
