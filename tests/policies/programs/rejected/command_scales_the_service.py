"""A command of the program raises the count behind Pulumi's back."""

# rejected: scheduler-no-command on scale

import pulumi

pulumi.CustomResource(
    "command:local:Command",
    "scale",
    {"create": "aws ecs update-service --service fileflow-scheduler-download --desired-count 2"},
)
