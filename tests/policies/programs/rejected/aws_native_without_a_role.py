"""The service by Cloud Control's provider, and it says nothing of what it is."""

# rejected: ecs-service-role on native
# rejected: ecs-deployment-rolls-back on native
# advice: ecs-tags on native

import pulumi

pulumi.CustomResource("aws-native:ecs:Service", "native", {"serviceName": "jobs", "desiredCount": 2})
