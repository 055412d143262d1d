"""The cluster's default is Spot, and the scheduler says by itself that it runs on demand."""

import pulumi_aws as aws

from tests.policies.programs import fleet

main = fleet.cluster()
aws.ecs.ClusterCapacityProviders(
    "capacity",
    cluster_name=main.name,
    default_capacity_provider_strategies=[{"capacity_provider": "FARGATE_SPOT", "weight": 1}],
)
fleet.scheduler(cluster=main.arn)
