"""No launch type and no strategy: the cluster's default applies, which is Spot."""

# rejected: scheduler-spot-opt-in on download

import pulumi_aws as aws

from tests.policies.programs import fleet

main = fleet.cluster()
aws.ecs.ClusterCapacityProviders(
    "capacity",
    cluster_name=main.name,
    default_capacity_provider_strategies=[{"capacity_provider": "FARGATE_SPOT", "weight": 1}],
)
fleet.scheduler(cluster=main.arn, launch_type=None)
