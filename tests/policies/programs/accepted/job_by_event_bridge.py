"""A one-off task at set times, by EventBridge, beside a scheduler."""

import pulumi_aws as aws

from tests.policies.programs import fleet

fleet.scheduler()
report = fleet.task("nightly-report", fleet.container("nightly-report", 8090))
aws.cloudwatch.EventTarget(
    "nightly",
    rule="nightly",
    arn="cluster",
    ecs_target={"task_definition_arn": report.arn, "launch_type": "FARGATE"},
)
