"""`awsx:ec2:Vpc`: a VPC with subnets, route tables and NAT gateways.

Owns the order, names, parents and inputs of the children. Deliberately not here: endpoints, IPv6, IPAM,
elastic IPs of others and the layouts that awsx works out by itself, whose arguments are refused by name;
whether the given ranges fit together, which the program sees to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from local.plugins.awsx.values import ComponentError, Constructed, merge_maps, only, plain

TYPE = "awsx:ec2:Vpc"
_ANYWHERE = "0.0.0.0/0"
_PLAIN_FIELDS = ("cidrBlock", "natGateways", "numberOfAvailabilityZones", "subnetSpecs", "subnetStrategy")
_TYPES = ("Public", "Private")
_NAT_STRATEGIES = ("None", "Single", "OnePerAz")


@dataclass(frozen=True)
class Subnet:
    """One subnet in one zone; `name` is its resource's and its tag's."""

    type: str
    zone: str
    name: str
    cidr_block: str


@dataclass
class _Children:
    """What was registered, in the order of the component's outputs."""

    subnets: list[aws.ec2.Subnet] = field(default_factory=list)
    subnets_of_type: dict[str, list[aws.ec2.Subnet]] = field(
        default_factory=lambda: {"Public": [], "Private": []}
    )
    route_tables: list[aws.ec2.RouteTable] = field(default_factory=list)
    route_table_associations: list[aws.ec2.RouteTableAssociation] = field(default_factory=list)
    routes: list[aws.ec2.Route] = field(default_factory=list)
    eips: list[aws.ec2.Eip] = field(default_factory=list)
    nat_gateways: list[aws.ec2.NatGateway] = field(default_factory=list)


async def construct(name: str, inputs: Mapping[str, Any], options: pulumi.ResourceOptions) -> Constructed:
    """Register the component and its children.

    Raises ComponentError, before any child is registered, for arguments that contradict each other or that
    aren't stood in for.
    """
    component = pulumi.ComponentResource(TYPE, name, None, options)
    only(TYPE, inputs, (*_PLAIN_FIELDS, "enableDnsHostnames", "tags"))
    for key in _PLAIN_FIELDS:
        plain(key, inputs.get(key))
    nat, specs = inputs.get("natGateways") or {}, inputs.get("subnetSpecs") or []
    only("natGateways", nat, ("strategy",))
    for spec in specs:
        only("subnetSpecs", spec, ("cidrBlocks", "type"))
    count = int(inputs.get("numberOfAvailabilityZones") or 0)
    ranges = {spec.get("type"): spec.get("cidrBlocks") or [] for spec in specs}
    if (
        inputs.get("subnetStrategy") != "Auto"
        or nat.get("strategy") not in _NAT_STRATEGIES
        or sorted(spec.get("type") for spec in specs) != sorted(_TYPES)
        or {len(blocks) for blocks in ranges.values()} != {count}
    ):
        raise ComponentError(
            f'the local stand-in for awsx makes an {TYPE} of subnetStrategy "Auto", natGateways.strategy, '
            "numberOfAvailabilityZones and so many cidrBlocks in Public and in Private subnetSpecs each; "
            "give them all or install the real awsx plugin"
        )
    zones = await _availability_zones(count, component)

    tags = merge_maps({"Name": name}, inputs.get("tags"))
    vpc = aws.ec2.Vpc(
        name,
        cidr_block=inputs["cidrBlock"],
        enable_dns_hostnames=inputs.get("enableDnsHostnames"),
        tags=tags,
        opts=pulumi.ResourceOptions(parent=component),
    )
    gateway = aws.ec2.InternetGateway(
        name, vpc_id=vpc.id, tags=tags, opts=pulumi.ResourceOptions(parent=vpc, depends_on=[vpc])
    )
    children = _Children()
    wanted_gateways = {"None": 0, "Single": 1, "OnePerAz": len(zones)}[nat["strategy"]]
    for nth, zone in enumerate(zones):
        for type_ in _TYPES:
            each = Subnet(type_, zone, f"{name}-{type_.lower()}-{nth + 1}", ranges[type_][nth])
            subnet, route_table = _subnet_with_route_table(each, vpc, tags, children)
            if each.type == "Public":
                if nth < wanted_gateways:
                    _nat_gateway(f"{name}-{nth + 1}", subnet, inputs.get("tags"), children)
                target = {"gateway_id": gateway.id}
            elif wanted_gateways:
                # A zone's public subnet comes before its private one, so its gateway is there.
                target = {"nat_gateway_id": children.nat_gateways[-1].id}
            else:
                continue
            children.routes.append(
                aws.ec2.Route(
                    each.name,
                    route_table_id=route_table.id,
                    destination_cidr_block=_ANYWHERE,
                    opts=pulumi.ResourceOptions(parent=route_table, depends_on=[route_table]),
                    **target,
                )
            )
    component.register_outputs({})
    return Constructed(component.urn, _outputs(vpc, gateway, children, inputs["subnetSpecs"]))


def _outputs(
    vpc: aws.ec2.Vpc,
    gateway: aws.ec2.InternetGateway,
    children: _Children,
    specs: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    def ids(subnets: Sequence[aws.ec2.Subnet]) -> pulumi.Output[list[str]]:
        # As one output: in a preview the real provider doesn't know how many there will be, either.
        return pulumi.Output.all(*(subnet.id for subnet in subnets))

    public, private = children.subnets_of_type["Public"], children.subnets_of_type["Private"]
    return {
        "vpc": vpc,
        "vpcId": vpc.id,
        "subnets": children.subnets,
        "publicSubnets": public,
        "privateSubnets": private,
        "isolatedSubnets": [],
        "publicSubnetIds": ids(public),
        "privateSubnetIds": ids(private),
        "isolatedSubnetIds": [],
        "subnetLayout": [{"cidrBlocks": spec["cidrBlocks"], "type": spec["type"]} for spec in specs],
        "routeTables": children.route_tables,
        "routeTableAssociations": children.route_table_associations,
        "routes": children.routes,
        "internetGateway": gateway,
        "natGateways": children.nat_gateways,
        "eips": children.eips,
        "vpcEndpoints": [],
    }


async def _availability_zones(count: int, component: pulumi.Resource) -> list[str]:
    found = aws.get_availability_zones_output(opts=pulumi.InvokeOutputOptions(parent=component))
    names: Sequence[str] | None = await found.apply(lambda result: result.names).future()
    if not names or len(names) < count:
        raise ComponentError(
            f"the region has {len(names or [])} availability zones for this account, "
            f"but {count} are asked for; lower numberOfAvailabilityZones"
        )
    return list(names[:count])


def _subnet_with_route_table(
    each: Subnet, vpc: aws.ec2.Vpc, shared_tags: Any, children: _Children
) -> tuple[aws.ec2.Subnet, aws.ec2.RouteTable]:
    tags = merge_maps(shared_tags, {"Name": each.name, "SubnetType": each.type})
    subnet = aws.ec2.Subnet(
        each.name,
        vpc_id=vpc.id,
        availability_zone=each.zone,
        map_public_ip_on_launch=each.type == "Public",
        cidr_block=each.cidr_block,
        assign_ipv6_address_on_creation=False,
        tags=tags,
        opts=pulumi.ResourceOptions(parent=vpc, depends_on=[vpc]),
    )
    children.subnets.append(subnet)
    children.subnets_of_type[each.type].append(subnet)
    route_table = aws.ec2.RouteTable(
        each.name,
        vpc_id=vpc.id,
        tags=tags,
        opts=pulumi.ResourceOptions(parent=subnet, depends_on=[subnet]),
    )
    children.route_tables.append(route_table)
    children.route_table_associations.append(
        aws.ec2.RouteTableAssociation(
            each.name,
            route_table_id=route_table.id,
            subnet_id=subnet.id,
            opts=pulumi.ResourceOptions(parent=route_table, depends_on=[route_table]),
        )
    )
    return subnet, route_table


def _nat_gateway(name: str, subnet: aws.ec2.Subnet, shared_tags: Any, children: _Children) -> None:
    options = pulumi.ResourceOptions(parent=subnet, depends_on=[subnet])
    tags = merge_maps(shared_tags, {"Name": name})
    eip = aws.ec2.Eip(name, tags=tags, opts=options)
    children.eips.append(eip)
    children.nat_gateways.append(
        aws.ec2.NatGateway(
            name, subnet_id=subnet.id, allocation_id=eip.allocation_id, tags=tags, opts=options
        )
    )
