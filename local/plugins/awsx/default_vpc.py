"""The account's default VPC: what `awsx:lb` and `awsx:ecs` fall back to, and `awsx:ec2:getDefaultVpc`.

Inside a component the question goes through the engine, to the aws provider that the component was given.
An invoke carries no engine to ask, so there AWS is asked directly, with the environment's credentials.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from local.plugins.awsx.values import ComponentError, Constructed

TYPE = "awsx:ec2:DefaultVpc"


def default_vpc(parent: pulumi.Resource) -> pulumi.Output[dict[str, Any]]:
    """Return `vpcId`, `publicSubnetIds` and `privateSubnetIds` of the default VPC.

    A subnet counts as public when it gives public addresses to what starts in it.
    """
    options = pulumi.InvokeOutputOptions(parent=parent)

    def with_subnets(vpc_id: str) -> pulumi.Output[dict[str, Any]]:
        of_vpc = [aws.ec2.GetSubnetsFilterArgs(name="vpc-id", values=[vpc_id])]
        found = aws.ec2.get_subnets_output(filters=of_vpc, opts=options)
        subnets: pulumi.Output[list[Any]] = pulumi.Output.from_input(
            found.apply(
                lambda result: [
                    aws.ec2.get_subnet_output(id=subnet_id, opts=options) for subnet_id in result.ids
                ]
            )
        )
        return subnets.apply(
            lambda known: _described(
                vpc_id, [(subnet.id, subnet.map_public_ip_on_launch) for subnet in known]
            )
        )

    return aws.ec2.get_vpc_output(default=True, opts=options).apply(lambda vpc: with_subnets(vpc.id))


def _described(vpc_id: str, subnets: list[tuple[str, bool]]) -> dict[str, Any]:
    return {
        "vpcId": vpc_id,
        "publicSubnetIds": [subnet_id for subnet_id, is_public in subnets if is_public],
        "privateSubnetIds": [subnet_id for subnet_id, is_public in subnets if not is_public],
    }


async def construct(name: str, _inputs: Mapping[str, Any], options: pulumi.ResourceOptions) -> Constructed:
    """Register the component, which takes no arguments and has no children."""
    component = pulumi.ComponentResource(TYPE, name, None, options)
    found = default_vpc(component)
    component.register_outputs({})
    keys = ("vpcId", "publicSubnetIds", "privateSubnetIds")
    return Constructed(component.urn, {key: _entry(found, key) for key in keys})


def _entry(found: pulumi.Output[dict[str, Any]], key: str) -> pulumi.Output[Any]:
    return found.apply(lambda known: known[key])


def get_default_vpc() -> dict[str, Any]:
    """Answer the invoke `awsx:ec2:getDefaultVpc` from AWS; raises ComponentError where there is none."""
    import boto3

    client = boto3.client("ec2")
    vpcs = client.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    if not vpcs:
        raise ComponentError(
            f"awsx:ec2:getDefaultVpc: there is no default VPC in {client.meta.region_name}; "
            "create one (aws ec2 create-default-vpc) or name a VPC by its id"
        )
    vpc_id = vpcs[0]["VpcId"]
    pages = client.get_paginator("describe_subnets").paginate(
        Filters=[{"Name": "vpc-id", "Values": [vpc_id]}]
    )
    subnets = [subnet for page in pages for subnet in page["Subnets"]]
    return _described(vpc_id, [(subnet["SubnetId"], subnet["MapPublicIpOnLaunch"]) for subnet in subnets])
