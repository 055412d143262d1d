"""A command of the program starts the task by the AWS CLI."""

# rejected: scheduler-no-command on start

import pulumi

pulumi.CustomResource(
    "command:local:Command",
    "start",
    {"create": "aws ecs run-task --cluster fileflow-main --task-definition fileflow-scheduler-download-prod"},
)
