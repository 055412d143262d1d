"""The service by Cloud Control's provider."""

# rejected: scheduler-desired-count on native
# rejected: scheduler-spot-opt-in on native
# rejected: scheduler-stop-before-start on native
# rejected: scheduler-no-zone-rebalancing on native
# rejected: scheduler-heartbeat-alarms on native
# rejected: ecs-deployment-rolls-back on native

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
