"""The same scheduler once more, by a provider of its own."""

# rejected: scheduler-one-service on other
# rejected: scheduler-heartbeat-alarms on other

import pulumi
import pulumi_aws as aws

from tests.policies.programs import fleet

fleet.scheduler()
other = aws.Provider("other", region="us-east-1")
fleet.scheduler(
    "other",
    name="fileflow-scheduler-download",
    task_definition=fleet.task("other-scheduler", fleet.container("other-scheduler", 9095)).arn,
    opts=pulumi.ResourceOptions(provider=other),
)
