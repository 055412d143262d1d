"""Where Fargate runs a service's tasks, said in the one way that can be changed while they run.

Both kinds of capacity are capacity providers, never a launch type: the provider replaces a service whose
launch type changes, which for a moment is no service at all, and updates one whose strategy changes in
place. That needs `force_new_deployment`, without which the provider refuses the change at preview and ECS
when it is asked. Set for good it makes no difference by itself, but any change of the service except of its
tags starts a deployment. Without a strategy the cluster's default would apply, which may be Spot.
Source: https://github.com/pulumi/pulumi-aws/issues/5903,
https://github.com/hashicorp/terraform-provider-aws/pull/43533,
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html (capacityProviderStrategy)

The cluster must have the providers FARGATE and FARGATE_SPOT associated with it, as one made by `Cluster`
or in the console has.
"""

from __future__ import annotations

from pulumi_aws.ecs import ServiceCapacityProviderStrategyArgs


def fargate(weight: int, *, base: int = 0, spot: bool = False) -> ServiceCapacityProviderStrategyArgs:
    """One entry of a service's strategy: `base` tasks first, then a share by `weight`."""
    return ServiceCapacityProviderStrategyArgs(
        capacity_provider="FARGATE_SPOT" if spot else "FARGATE", weight=weight, base=base
    )
