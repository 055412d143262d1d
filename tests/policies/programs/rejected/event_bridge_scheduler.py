"""EventBridge Scheduler starts the same task."""

# rejected: scheduler-no-second-launcher on nightly

import pulumi_aws as aws

from tests.policies.programs import fleet

definition = fleet.task("outbox", fleet.container("fileflow-scheduler-download", 9091))
aws.scheduler.Schedule(
    "nightly",
    schedule_expression="rate(1 hour)",
    flexible_time_window={"mode": "OFF"},
    target={
        "arn": "cluster",
        "role_arn": "arn:aws:iam::1:role/start",
        "ecs_parameters": {"task_definition_arn": definition.arn},
    },
)
