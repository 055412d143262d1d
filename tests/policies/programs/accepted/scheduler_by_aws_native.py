"""A scheduler by aws-native, whose provider deletes before it replaces without being told."""

import pulumi

from tests.policies.programs import fleet

task = fleet.task("billing", fleet.container("billing", 9091))
group = fleet.group("billing")
pulumi.CustomResource(
    "aws-native:ecs:Service",
    "billing",
    {
        "serviceName": "billing",
        "cluster": fleet.cluster().arn,
        "taskDefinition": task.arn,
        "desiredCount": 1,
        "launchType": "FARGATE",
        "availabilityZoneRebalancing": "DISABLED",
        "deploymentConfiguration": {
            "minimumHealthyPercent": 0,
            "maximumPercent": 100,
            "deploymentCircuitBreaker": fleet.BREAKER,
        },
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": fleet.SUBNETS,
                "securityGroups": [group.id],
                "assignPublicIp": "DISABLED",
            }
        },
        "tags": [{"key": "fileflow:role", "value": "scheduler"}],
    },
)
fleet.alarms("billing", "billing")
