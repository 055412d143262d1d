"""A one-off task at set times, by EventBridge Scheduler."""

import pulumi_aws as aws

from tests.policies.programs import fleet

report = fleet.task("nightly-report", fleet.container("nightly-report", 8090))
aws.scheduler.Schedule(
    "nightly",
    schedule_expression="cron(0 3 * * ? *)",
    flexible_time_window={"mode": "OFF"},
    target={
        "arn": "cluster",
        "role_arn": "arn:aws:iam::1:role/start",
        "ecs_parameters": {"task_definition_arn": report.arn},
    },
)
aws.scheduler.Schedule(
    "queue",
    schedule_expression="rate(1 hour)",
    flexible_time_window={"mode": "OFF"},
    target={"arn": "arn:aws:sqs:r:1:queue", "role_arn": "arn:aws:iam::1:role/send"},
)
