"""The service by Cloud Control's provider."""

# rejected: scheduler-by-aws-service-only on native

import pulumi

pulumi.CustomResource(
    "aws-native:ecs:Service",
    "native",
    {
        "serviceName": "fileflow-scheduler-download",
        "desiredCount": 2,
        "tags": [{"key": "fileflow:role", "value": "scheduler"}],
    },
)
