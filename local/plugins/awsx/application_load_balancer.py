"""`awsx:lb:ApplicationLoadBalancer`: a load balancer with a security group, a target group and listeners.

Owns the children and their defaults, which are the real provider's, its open security group included.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from local.plugins.awsx.default_vpc import default_vpc
from local.plugins.awsx.values import ComponentError, Constructed, aws_arguments, map_input, open_rules, plain

TYPE = "awsx:lb:ApplicationLoadBalancer"
# An alias of the real provider, by name: it is part of what the engine compares.
_FORMER_NAME = "awsx:x:elasticloadbalancingv2:ApplicationLoadBalancer"
_OWN_FIELDS = (
    "defaultSecurityGroup",
    "defaultTargetGroup",
    "defaultTargetGroupPort",
    "listener",
    "listeners",
    "subnetIds",
    "subnets",
)
_PLAIN_FIELDS = ("defaultSecurityGroup", "defaultTargetGroup", "listener", "listeners")


async def construct(name: str, inputs: Mapping[str, Any], options: pulumi.ResourceOptions) -> Constructed:
    """Register the component and its children; raises ComponentError for arguments that contradict."""
    merged = pulumi.ResourceOptions.merge(
        options, pulumi.ResourceOptions(aliases=[pulumi.Alias(name=_FORMER_NAME)])
    )
    component = pulumi.ComponentResource(TYPE, name, None, merged)
    for key in _PLAIN_FIELDS:
        plain(key, inputs.get(key))
    _one_at_most(inputs, "subnets", "subnetIds", "subnetMappings")
    _one_at_most(inputs, "listener", "listeners")
    _one_at_most(inputs, "defaultTargetGroup", "defaultTargetGroupPort")
    child = pulumi.ResourceOptions(parent=component)
    outputs: dict[str, Any] = {}

    load_balancer_args = {key: value for key, value in inputs.items() if key not in _OWN_FIELDS}
    vpc_id, subnet_ids = _place(inputs, component)
    if subnet_ids is not None:
        load_balancer_args["subnets"] = subnet_ids
    outputs["vpcId"] = vpc_id

    group_choice = inputs.get("defaultSecurityGroup") or {}
    if inputs.get("securityGroups") is None and not group_choice.get("skip"):
        group_id = group_choice.get("securityGroupId")
        if group_id is not None and group_choice.get("args") is not None:
            raise ComponentError("give defaultSecurityGroup args or securityGroupId, not both")
        if group_id is None:
            group_args = group_choice.get("args") or {"vpcId": vpc_id, **open_rules()}
            group = aws.ec2.SecurityGroup(
                name, opts=child, **aws_arguments(aws.ec2.SecurityGroupArgs, group_args)
            )
            outputs["defaultSecurityGroup"] = group
            group_id = group.id
        load_balancer_args["securityGroups"] = [group_id]
    load_balancer_args["loadBalancerType"] = "application"
    load_balancer = aws.lb.LoadBalancer(
        name, opts=child, **aws_arguments(aws.lb.LoadBalancerArgs, load_balancer_args)
    )
    outputs["loadBalancer"] = load_balancer

    protocol = _default_protocol(inputs)
    target_group_args = {
        "vpcId": vpc_id,
        "targetType": "ip",
        **protocol,
        **(inputs.get("defaultTargetGroup") or {}),
    }
    target_group = aws.lb.TargetGroup(
        name, opts=child, **aws_arguments(aws.lb.TargetGroupArgs, target_group_args)
    )
    outputs["defaultTargetGroup"] = target_group

    forward = {"defaultActions": [{"type": "forward", "targetGroupArn": target_group.arn}]}
    if inputs.get("listeners") is not None:
        listeners = [{**_listener_protocol(listener), **listener} for listener in inputs["listeners"]]
    else:
        listeners = [{**protocol, **(inputs.get("listener") or {})}]
    outputs["listeners"] = [
        aws.lb.Listener(
            f"{name}-{index}",
            opts=child,
            **aws_arguments(
                aws.lb.ListenerArgs, {**forward, **listener, "loadBalancerArn": load_balancer.arn}
            ),
        )
        for index, listener in enumerate(listeners)
    ]
    component.register_outputs({})
    return Constructed(component.urn, outputs)


def _one_at_most(inputs: Mapping[str, Any], *fields: str) -> None:
    given = [field for field in fields if inputs.get(field) is not None]
    if len(given) > 1:
        raise ComponentError(f"{' and '.join(given)} exclude each other; give one of them")


def _place(inputs: Mapping[str, Any], component: pulumi.Resource) -> tuple[Any, Any]:
    """Return the VPC's id and the subnets' ids, the latter only where they aren't given as mappings."""
    options = pulumi.InvokeOutputOptions(parent=component)

    def vpc_of(subnet_id: str) -> Any:
        return aws.ec2.get_subnet_output(id=subnet_id, opts=options).apply(lambda subnet: subnet.vpc_id)

    if inputs.get("subnets") is not None:
        subnets = pulumi.Output.from_input(inputs["subnets"])
        return subnets.apply(lambda known: known[0].vpc_id), subnets.apply(
            lambda known: [subnet.id for subnet in known]
        )
    if inputs.get("subnetIds") is not None:
        subnet_ids = inputs["subnetIds"]
        return pulumi.Output.from_input(subnet_ids).apply(lambda known: vpc_of(known[0])), subnet_ids
    if inputs.get("subnetMappings") is not None:
        mappings = pulumi.Output.from_input(inputs["subnetMappings"])
        return mappings.apply(lambda known: vpc_of(known[0]["subnetId"])), None
    found = default_vpc(component)
    return found.apply(lambda known: known["vpcId"]), found.apply(lambda known: known["publicSubnetIds"])


def _default_protocol(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return port and protocol of the target group, and of the listener when none is given.

    With exactly one entry in `listeners` there is no default at all; with several, the first one decides.
    This is the real provider's rule, though its opposite may have been meant.
    """
    listener = inputs.get("listener")
    listeners = inputs.get("listeners")
    if listeners is not None:
        if len(listeners) == 1:
            return {}
        listener = listeners[0] if listeners else None
    return _listener_protocol(listener, inputs.get("defaultTargetGroupPort"))


def _listener_protocol(listener: Mapping[str, Any] | None, default_port: Any = None) -> dict[str, Any]:
    """Return port and protocol, either one worked out from the other where only one is given."""
    port = None if listener is None else listener.get("port")
    protocol = None if listener is None else listener.get("protocol")
    if port is None and protocol is None:
        return {"port": default_port if default_port is not None else 80, "protocol": "HTTP"}
    if protocol is None:
        protocol = map_input(port, lambda known: "HTTPS" if known == 443 else "HTTP")
    if port is None:
        port = map_input(protocol, lambda known: 443 if known == "HTTPS" else 80)
    return {"port": port, "protocol": protocol}
