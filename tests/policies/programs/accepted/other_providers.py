"""Resources of other providers, with words that look like ours."""

import pulumi

pulumi.CustomResource("random:index/randomId:RandomId", "scheduler", {"byteLength": 4})
pulumi.CustomResource(
    "aws-native:logs:LogGroup",
    "scheduler-logs",
    {"logGroupName": "/aws/ecs/scheduler", "desiredCount": 2, "retentionInDays": 14},
)
pulumi.CustomResource("command:local:Command", "greet", {"create": "echo aws ecs describe-services"})
