"""`awsx:ecs:FargateService`: a service, with its task definition and a default network where needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from local.plugins.awsx.default_vpc import default_vpc
from local.plugins.awsx.fargate_task_definition import task_definition
from local.plugins.awsx.values import ComponentError, Constructed, aws_arguments, open_rules, plain

TYPE = "awsx:ecs:FargateService"
_FORMER_TYPE = "awsx:x:ecs:FargateService"
_EXCLUSIVE = (
    ("taskDefinition", "taskDefinitionArgs"),
    ("networkConfiguration", "assignPublicIp"),
)


async def construct(name: str, inputs: Mapping[str, Any], options: pulumi.ResourceOptions) -> Constructed:
    """Register the component and its children; raises ComponentError for arguments that contradict."""
    former = pulumi.ResourceOptions(aliases=[pulumi.Alias(type_=_FORMER_TYPE)])
    component = pulumi.ComponentResource(TYPE, name, None, pulumi.ResourceOptions.merge(former, options))
    for one, other in _EXCLUSIVE:
        if inputs.get(one) is not None and inputs.get(other) is not None:
            raise ComponentError(f"{one} and {other} exclude each other; give one of them")
    identifier, balancers = inputs.get("taskDefinition"), inputs.get("loadBalancers")
    outputs: dict[str, Any] = {}
    described = plain("taskDefinitionArgs", inputs.get("taskDefinitionArgs"))
    if described is not None:
        made = task_definition(name, described, pulumi.ResourceOptions(parent=component))
        outputs["taskDefinition"] = made.task_definition
        identifier = made.task_definition.arn
        balancers = made.load_balancers if balancers is None else balancers
    if identifier is None:
        raise ComponentError("give taskDefinition, or taskDefinitionArgs to make one")
    strategies, use_default = (
        inputs.get("capacityProviderStrategies"),
        inputs.get("useClusterDefaultCapacityProviderStrategy"),
    )
    if strategies and use_default:
        raise ComponentError(
            "capacityProviderStrategies and useClusterDefaultCapacityProviderStrategy exclude each other"
        )
    network = inputs.get("networkConfiguration")
    if network is None:
        network = _default_network(name, component, inputs.get("assignPublicIp"))
    cluster = inputs.get("cluster")
    goes_on = pulumi.Output.from_input(inputs.get("continueBeforeSteadyState"))
    args = {
        "desiredCount": 1,
        **inputs,
        "networkConfiguration": network,
        "cluster": cluster.arn if isinstance(cluster, aws.ecs.Cluster) else cluster,
        # ECS falls back to the cluster's strategy only where neither a launch type nor a strategy is given.
        "launchType": None if strategies or use_default else "FARGATE",
        "loadBalancers": balancers,
        "waitForSteadyState": goes_on.apply(lambda given: not given),
        "taskDefinition": identifier,
    }
    outputs["service"] = aws.ecs.Service(
        name, opts=pulumi.ResourceOptions(parent=component), **aws_arguments(aws.ecs.ServiceArgs, args)
    )
    component.register_outputs({})
    return Constructed(component.urn, outputs)


def _default_network(name: str, component: pulumi.Resource, assign_public_ip: Any) -> dict[str, Any]:
    """Return a place in the default VPC, behind a security group that is open to the world."""
    found = default_vpc(component)
    group = aws.ec2.SecurityGroup(
        f"{name}-sg",
        opts=pulumi.ResourceOptions(parent=component),
        **aws_arguments(
            aws.ec2.SecurityGroupArgs, {"vpcId": found.apply(lambda known: known["vpcId"]), **open_rules()}
        ),
    )
    public = False if assign_public_ip is None else assign_public_ip

    def subnets(known: list[Any]) -> list[str]:
        is_public, vpc = known
        chosen: list[str] = vpc["publicSubnetIds"] if is_public else vpc["privateSubnetIds"]
        if not is_public and not chosen:
            raise ComponentError(
                "the default VPC has no private subnets; set assignPublicIp, give networkConfiguration, "
                "or add private subnets"
            )
        return chosen

    return {
        "subnets": pulumi.Output.all(public, found).apply(subnets),
        "assignPublicIp": public,
        "securityGroups": [group.id],
    }
