"""EventBridge Scheduler calls RunTask by its universal target."""

# rejected: scheduler-no-second-launcher on nightly

import pulumi_aws as aws

aws.scheduler.Schedule(
    "nightly",
    schedule_expression="rate(1 hour)",
    flexible_time_window={"mode": "OFF"},
    target={
        "arn": "arn:aws:scheduler:::aws-sdk:ecs:runTask",
        "role_arn": "arn:aws:iam::1:role/start",
        "input": '{"TaskDefinition": "fileflow-scheduler-download-prod", "Cluster": "fileflow-main"}',
    },
)
