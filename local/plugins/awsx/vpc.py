"""`awsx:ec2:Vpc`: a VPC with subnets, route tables, NAT gateways and endpoints.

Owns the order, names, parents and inputs of the children. The subnets' ranges are worked out in `subnets`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from local.plugins.awsx import subnets as layouts
from local.plugins.awsx.values import ComponentError, Constructed, aws_arguments, map_input, merge_maps, plain

TYPE = "awsx:ec2:Vpc"
_DEFAULT_CIDR_BLOCK = "10.0.0.0/16"
_DEFAULT_ZONE_COUNT = 3
_ANYWHERE = "0.0.0.0/0"
_PLAIN_FIELDS = (
    "availabilityZoneCidrMask",
    "availabilityZoneNames",
    "cidrBlock",
    "natGateways",
    "numberOfAvailabilityZones",
    "subnetNameTagStrategy",
    "subnetSpecs",
    "subnetStrategy",
    "vpcEndpointSpecs",
    "vpcEndpointStrategy",
)
_SUBNET_ORDER = {"public": 0, "private": 1}


@dataclass
class _Children:
    """What was registered, in the order of the component's outputs."""

    subnets: list[aws.ec2.Subnet] = field(default_factory=list)
    subnets_of_type: dict[str, list[aws.ec2.Subnet]] = field(
        default_factory=lambda: {"public": [], "private": [], "isolated": []}
    )
    subnet_places: list[tuple[str, str, pulumi.Output[str]]] = field(default_factory=list)
    route_tables: list[aws.ec2.RouteTable] = field(default_factory=list)
    route_table_associations: list[aws.ec2.RouteTableAssociation] = field(default_factory=list)
    routes: list[aws.ec2.Route] = field(default_factory=list)
    eips: list[aws.ec2.Eip] = field(default_factory=list)
    nat_gateways: list[aws.ec2.NatGateway] = field(default_factory=list)
    endpoints: list[aws.ec2.VpcEndpoint] = field(default_factory=list)


async def construct(name: str, inputs: Mapping[str, Any], options: pulumi.ResourceOptions) -> Constructed:
    """Register the component and its children.

    Raises ComponentError or SubnetError, before any child is registered, for arguments that contradict each
    other; where IPAM chooses the range, its subnets are checked once it's known.
    """
    component = pulumi.ComponentResource(TYPE, name, None, options)
    args = dict(inputs)
    for key in _PLAIN_FIELDS:
        plain(key, args.get(key))
    _check_address_source(args)
    _default_dns_attributes(args)
    zones = await _availability_zones(args, component)
    nat = args.get("natGateways") or {}
    nat_strategy: str = nat.get("strategy") or "OnePerAz"
    allocation_ids: Sequence[Any] = nat.get("elasticIpAllocationIds") or []
    layouts.check_elastic_ips(nat_strategy, len(allocation_ids), len(zones))
    if args.get("subnetNameTagStrategy") == "AvailabilityZone":
        layouts.check_zone_suffixes(zones)

    shared_tags = merge_maps({"Name": name}, args.get("tags"))
    cidr_block = args.get("cidrBlock")
    if cidr_block is None and args.get("ipv4IpamPoolId") is None:
        cidr_block = _DEFAULT_CIDR_BLOCK

    def new_vpc() -> aws.ec2.Vpc:
        vpc_args = {**args, "cidrBlock": cidr_block, "tags": shared_tags}
        return aws.ec2.Vpc(
            name, opts=pulumi.ResourceOptions(parent=component), **aws_arguments(aws.ec2.VpcArgs, vpc_args)
        )

    # A known range is laid out first, so that a refused layout leaves no VPC behind.
    if cidr_block is not None:
        planned, layout = _plan_subnets(name, cidr_block, zones, nat_strategy, args, component)
        vpc = new_vpc()
    else:
        vpc = new_vpc()
        planned, layout = _plan_subnets(name, vpc.cidr_block, zones, nat_strategy, args, component)

    region = args.get("region")
    gateway = aws.ec2.InternetGateway(
        name,
        region=region,
        vpc_id=vpc.id,
        tags=shared_tags,
        opts=pulumi.ResourceOptions(parent=vpc, depends_on=[vpc]),
    )
    children = _Children()
    for zone_index, zone in enumerate(zones):
        in_zone = [subnet for subnet in planned if subnet.zone == zone and subnet.type != "Unused"]
        in_zone.sort(key=lambda subnet: _SUBNET_ORDER.get(subnet.type.lower(), 2))
        for nth, planned_subnet in enumerate(in_zone):
            subnet, route_table = _subnet_with_route_table(
                planned_subnet, vpc, args, shared_tags, zone_index + nth * len(zones), children
            )
            if planned_subnet.is_type("Public"):
                if _wants_nat_gateway(nat_strategy, len(children.nat_gateways), zone_index):
                    _nat_gateway(name, zone_index, subnet, args, allocation_ids, children)
                target = {"gateway_id": gateway.id}
            elif planned_subnet.is_type("Private") and nat_strategy.lower() != "none":
                index = 0 if nat_strategy.lower() == "single" else zone_index
                target = {"nat_gateway_id": children.nat_gateways[index].id}
            else:
                continue
            children.routes.append(
                aws.ec2.Route(
                    planned_subnet.resource_name,
                    region=region,
                    route_table_id=route_table.id,
                    destination_cidr_block=_ANYWHERE,
                    opts=pulumi.ResourceOptions(parent=route_table, depends_on=[route_table]),
                    **target,
                )
            )
    for spec in args.get("vpcEndpointSpecs") or []:
        children.endpoints.append(_endpoint(spec, vpc, args, zones, shared_tags, children, component))
    component.register_outputs({})

    def ids(subnets: Sequence[aws.ec2.Subnet]) -> pulumi.Output[list[str]]:
        # As one output: in a preview the real provider doesn't know how many there will be, either.
        return pulumi.Output.all(*(subnet.id for subnet in subnets))

    return Constructed(
        component.urn,
        {
            "vpc": vpc,
            "vpcId": vpc.id,
            "subnets": children.subnets,
            "publicSubnets": children.subnets_of_type["public"],
            "privateSubnets": children.subnets_of_type["private"],
            "isolatedSubnets": children.subnets_of_type["isolated"],
            "publicSubnetIds": ids(children.subnets_of_type["public"]),
            "privateSubnetIds": ids(children.subnets_of_type["private"]),
            "isolatedSubnetIds": ids(children.subnets_of_type["isolated"]),
            "subnetLayout": layout,
            "routeTables": children.route_tables,
            "routeTableAssociations": children.route_table_associations,
            "routes": children.routes,
            "internetGateway": gateway,
            "natGateways": children.nat_gateways,
            "eips": children.eips,
            "vpcEndpoints": children.endpoints,
        },
    )


def _check_address_source(args: Mapping[str, Any]) -> None:
    if args.get("availabilityZoneNames") and args.get("numberOfAvailabilityZones"):
        raise ComponentError("give availabilityZoneNames or numberOfAvailabilityZones, not both")
    if args.get("ipv4IpamPoolId") is None:
        return
    given = [key for key in ("cidrBlock", "ipv4NetmaskLength") if args.get(key) is not None]
    if len(given) != 1:
        raise ComponentError(
            f"ipv4IpamPoolId needs either cidrBlock or ipv4NetmaskLength, "
            f"but {' and '.join(given) or 'neither'} is given"
        )


async def _availability_zones(args: Mapping[str, Any], component: pulumi.Resource) -> list[str]:
    if args.get("availabilityZoneNames"):
        return list(args["availabilityZoneNames"])
    region = args.get("region")
    if isinstance(region, pulumi.Output):
        raise ComponentError("give region as a plain value, or list availabilityZoneNames")
    number = args.get("numberOfAvailabilityZones")
    count = _DEFAULT_ZONE_COUNT if number is None else int(number)
    invoke_options = pulumi.InvokeOutputOptions(parent=component)
    found = aws.get_availability_zones_output(region=region, opts=invoke_options)
    names: Sequence[str] | None = await found.apply(lambda result: result.names).future()
    if not names or len(names) < count:
        raise ComponentError(
            f"the region has {len(names or [])} availability zones for this account, "
            f"but {count} are asked for; "
            "list availabilityZoneNames, lower numberOfAvailabilityZones or enable the region"
        )
    return list(names[:count])


# -- subnets --------------------------------------------------------------------------------------------


def _plan_subnets(
    name: str,
    cidr_block: Any,
    zones: Sequence[str],
    nat_strategy: str,
    args: Mapping[str, Any],
    component: pulumi.Resource,
) -> tuple[list[layouts.Subnet], Any]:
    """Return the subnets, in order, and the `subnetLayout` output."""
    strategy: layouts.SubnetStrategy = args.get("subnetStrategy") or "Legacy"
    name_tags: layouts.NameTagStrategy = args.get("subnetNameTagStrategy") or "Legacy"
    given = args.get("subnetSpecs")
    specs = None if given is None else [layouts.SubnetSpec.from_inputs(spec) for spec in given]
    if strategy == "AutoMerge" and layouts.is_explicit(specs):
        raise ComponentError('subnetStrategy "AutoMerge" takes no cidrBlocks; use "Auto" or "Exact" for them')
    specs = layouts.normalize_specs(specs, len(zones))
    zone_mask = args.get("availabilityZoneCidrMask")
    zone_mask = None if zone_mask is None else int(zone_mask)

    if strategy == "Legacy" or (specs is None and strategy == "Exact"):
        if isinstance(cidr_block, pulumi.Output):
            raise ComponentError(
                f'subnetStrategy "{strategy}" needs a cidrBlock that is known beforehand; '
                'use "Auto" with an IPAM pool'
            )
        planned = layouts.legacy_subnets(name, cidr_block, zones, specs, name_tags)
    elif specs is not None and layouts.is_explicit(specs):
        planned = layouts.explicit_subnets(name, zones, specs, name_tags)
    else:
        named, sized = specs, specs
        if strategy == "AutoMerge":
            named = layouts.merge_with_default_specs(specs or [])

        def lay_out(cidr: str) -> list[list[str]]:
            wanted = sized
            if strategy == "AutoMerge":
                wanted = layouts.merge_with_default_specs(
                    specs or [], layouts.zone_mask(cidr, len(zones), zone_mask)
                )
            return layouts.auto_blocks(cidr, len(zones), wanted, zone_mask)

        blocks = map_input(cidr_block, lay_out)
        planned = layouts.auto_subnets(
            name, zones, named, lambda zone, nth: map_input(blocks, lambda known: known[zone][nth]), name_tags
        )

    def check(known: list[layouts.Subnet]) -> list[layouts.Subnet]:
        layouts.check_overlaps(known)
        if strategy == "Exact" and not isinstance(cidr_block, pulumi.Output):
            layouts.check_no_gaps(cidr_block, known)
        layouts.check_nat_subnets(nat_strategy, known)
        return known

    planned, checked = _check_when_known(planned, check)
    if specs is None or strategy in ("Legacy", "AutoMerge"):
        layout = map_input(checked, lambda known: layouts.resolved_layout(known, len(zones)))
    else:
        layout = layouts.spec_layout(specs)
    if args.get("subnetStrategy") is None and specs is not None and not layouts.is_explicit(specs):
        pulumi.log.warn(
            'subnetStrategy is not set; its default will change from "Legacy" to "Auto" in the next '
            f'major version. This layout as specs of "Auto": {json.dumps(layout, separators=(",", ":"))}',
            component,
        )
    return planned, layout


def _check_when_known(planned: list[layouts.Subnet], check: Any) -> tuple[list[layouts.Subnet], Any]:
    """Check a layout at once, or, when IPAM chooses the range, before any subnet's range is known."""
    blocks = [subnet.cidr_block for subnet in planned]
    if not any(isinstance(block, pulumi.Output) for block in blocks):
        return planned, check(planned)
    checked = pulumi.Output.all(*blocks).apply(
        lambda known: check(
            [layouts.with_block(subnet, block) for subnet, block in zip(planned, known, strict=True)]
        )
    )

    def block_at(index: int) -> Any:
        return checked.apply(lambda known: known[index].cidr_block)

    return [layouts.with_block(subnet, block_at(index)) for index, subnet in enumerate(planned)], checked


def _subnet_with_route_table(
    planned: layouts.Subnet,
    vpc: aws.ec2.Vpc,
    args: Mapping[str, Any],
    shared_tags: Any,
    ipv6_index: int,
    children: _Children,
) -> tuple[aws.ec2.Subnet, aws.ec2.RouteTable]:
    region = args.get("region")
    assign_ipv6 = pulumi.Output.all(
        planned.assign_ipv6_address_on_creation, args.get("assignGeneratedIpv6CidrBlock")
    ).apply(lambda given: next((value for value in given if value is not None), False))
    own_tags = {"Name": planned.name_tag, "SubnetType": planned.type}
    subnet = aws.ec2.Subnet(
        planned.resource_name,
        region=region,
        vpc_id=vpc.id,
        availability_zone=planned.zone,
        map_public_ip_on_launch=planned.is_type("Public"),
        cidr_block=planned.cidr_block,
        assign_ipv6_address_on_creation=assign_ipv6,
        ipv6_cidr_block=pulumi.Output.all(vpc.ipv6_cidr_block, assign_ipv6).apply(
            lambda known: _ipv6_block(known[0], known[1], ipv6_index)
        ),
        tags=merge_maps(shared_tags, planned.tags, own_tags),
        opts=pulumi.ResourceOptions(parent=vpc, depends_on=[vpc]),
    )
    children.subnets.append(subnet)
    kind = planned.type.lower() if planned.type.lower() in children.subnets_of_type else "isolated"
    children.subnets_of_type[kind].append(subnet)
    children.subnet_places.append((planned.zone, planned.type.lower(), subnet.id))
    route_table = aws.ec2.RouteTable(
        planned.resource_name,
        region=region,
        vpc_id=vpc.id,
        tags=merge_maps(shared_tags, own_tags),
        opts=pulumi.ResourceOptions(parent=subnet, depends_on=[subnet]),
    )
    children.route_tables.append(route_table)
    children.route_table_associations.append(
        aws.ec2.RouteTableAssociation(
            planned.resource_name,
            region=region,
            route_table_id=route_table.id,
            subnet_id=subnet.id,
            opts=pulumi.ResourceOptions(parent=route_table, depends_on=[route_table]),
        )
    )
    return subnet, route_table


def _ipv6_block(vpc_ipv6_cidr: str | None, assign: bool, index: int) -> str | None:
    if not assign:
        return None
    if not vpc_ipv6_cidr:
        raise ComponentError(
            "assignIpv6AddressOnCreation needs a VPC with an IPv6 range; "
            "set assignGeneratedIpv6CidrBlock or ipv6CidrBlock"
        )
    return layouts.ipv6_subnet_block(vpc_ipv6_cidr, index)


def _wants_nat_gateway(strategy: str, existing: int, zone_index: int) -> bool:
    if strategy.lower() == "none":
        return False
    return existing < (1 if strategy.lower() == "single" else zone_index + 1)


def _nat_gateway(
    name: str,
    zone_index: int,
    subnet: aws.ec2.Subnet,
    args: Mapping[str, Any],
    allocation_ids: Sequence[Any],
    children: _Children,
) -> None:
    region, gateway_name = args.get("region"), f"{name}-{zone_index + 1}"
    tags = merge_maps(args.get("tags"), {"Name": gateway_name})
    if allocation_ids:
        allocation_id = allocation_ids[zone_index]
    else:
        eip = aws.ec2.Eip(
            gateway_name,
            region=region,
            tags=tags,
            opts=pulumi.ResourceOptions(parent=subnet, depends_on=[subnet]),
        )
        children.eips.append(eip)
        allocation_id = children.eips[zone_index].allocation_id
    children.nat_gateways.append(
        aws.ec2.NatGateway(
            gateway_name,
            region=region,
            subnet_id=subnet.id,
            allocation_id=allocation_id,
            tags=tags,
            opts=pulumi.ResourceOptions(parent=subnet, depends_on=[subnet]),
        )
    )


# -- endpoints ------------------------------------------------------------------------------------------


def _endpoint_type(spec: Mapping[str, Any]) -> str | None:
    given = spec.get("vpcEndpointType")
    if given is None:
        return "gateway"
    return given.lower() if isinstance(given, str) else None


def _default_dns_attributes(args: dict[str, Any]) -> None:
    """Set the DNS attributes that interface endpoints with private DNS need, under the strategy Auto."""
    if args.get("vpcEndpointStrategy") != "Auto":
        return
    needs_dns = False
    for spec in args.get("vpcEndpointSpecs") or []:
        kind = _endpoint_type(spec)
        if kind is None:
            raise ComponentError(
                f'vpcEndpointStrategy "Auto" needs a plain vpcEndpointType '
                f"for {spec['serviceName']}; "
                'give it as text or use "Legacy"'
            )
        needs_dns = needs_dns or (kind == "interface" and spec.get("privateDnsEnabled") in (None, True))
    if not needs_dns:
        return
    for key in ("enableDnsHostnames", "enableDnsSupport"):
        if args.get(key) is False:
            raise ComponentError(
                f'{key} is false, but vpcEndpointStrategy "Auto" gives interface endpoints '
                "private DNS, which needs it; set it to true or leave it out"
            )
        if args.get(key) is None:
            args[key] = True


def _endpoint(
    spec: Mapping[str, Any],
    vpc: aws.ec2.Vpc,
    args: Mapping[str, Any],
    zones: Sequence[str],
    shared_tags: Any,
    children: _Children,
    component: pulumi.Resource,
) -> aws.ec2.VpcEndpoint:
    service: str = spec["serviceName"]
    kind = _endpoint_type(spec)
    region = spec.get("region") if spec.get("region") is not None else args.get("region")
    endpoint_args = {
        **spec,
        "region": region,
        "tags": merge_maps(shared_tags, spec.get("tags")),
        "vpcId": vpc.id,
    }
    has_subnets = spec.get("subnetIds") is not None or spec.get("subnetConfigurations") is not None
    automatic = args.get("vpcEndpointStrategy") == "Auto"
    if automatic and kind == "interface":
        if not has_subnets:
            endpoint_args["subnetIds"] = _endpoint_subnet_ids(children, zones)
        if spec.get("privateDnsEnabled") is None:
            endpoint_args["privateDnsEnabled"] = True
        if spec.get("securityGroupIds") is None:
            endpoint_args["securityGroupIds"] = [_endpoint_security_group(spec, vpc, region, shared_tags)]
    elif automatic and kind == "gateway":
        if spec.get("routeTableIds") is None:
            endpoint_args["routeTableIds"] = [table.id for table in children.route_tables]
    elif not automatic and kind == "interface" and not has_subnets:
        _warn_endpoint(
            component, service, "an interface endpoint without subnetIds or subnetConfigurations", "subnets"
        )
    elif not automatic and kind == "gateway" and spec.get("routeTableIds") is None:
        _warn_endpoint(component, service, "a gateway endpoint without routeTableIds", "route tables")
    return aws.ec2.VpcEndpoint(
        service,
        opts=pulumi.ResourceOptions(parent=vpc, depends_on=[vpc]),
        **aws_arguments(aws.ec2.VpcEndpointArgs, endpoint_args),
    )


def _warn_endpoint(component: pulumi.Resource, service: str, problem: str, missing: str) -> None:
    pulumi.log.warn(
        f'VPC endpoint "{service}" is {problem}; '
        f'set vpcEndpointStrategy to "Auto" to use the VPC\'s own {missing}',
        component,
    )


def _endpoint_subnet_ids(children: _Children, zones: Sequence[str]) -> list[pulumi.Output[str]]:
    """Return one subnet for each zone, a private one where there is one."""
    chosen = []
    for zone in zones:
        of_type: dict[str, pulumi.Output[str]] = {}
        for place, kind, subnet_id in children.subnet_places:
            if place == zone:
                of_type.setdefault(kind, subnet_id)
        chosen.extend([of_type[kind] for kind in ("private", "isolated", "public") if kind in of_type][:1])
    return chosen


def _endpoint_security_group(
    spec: Mapping[str, Any], vpc: aws.ec2.Vpc, region: Any, shared_tags: Any
) -> pulumi.Output[str]:
    """Register a security group that lets the VPC reach an interface endpoint by HTTPS."""
    group = aws.ec2.SecurityGroup(
        f"{spec['serviceName']}-sg",
        region=region,
        vpc_id=vpc.id,
        tags=merge_maps(shared_tags, spec.get("tags")),
        opts=pulumi.ResourceOptions(parent=vpc, depends_on=[vpc]),
    )
    address_type = spec.get("ipAddressType")
    uses_ipv6 = isinstance(address_type, str) and address_type.lower() in ("ipv6", "dualstack")
    aws.ec2.SecurityGroupRule(
        f"{spec['serviceName']}-ingress",
        region=region,
        type="ingress",
        security_group_id=group.id,
        protocol="tcp",
        from_port=443,
        to_port=443,
        cidr_blocks=[vpc.cidr_block],
        ipv6_cidr_blocks=[vpc.ipv6_cidr_block] if uses_ipv6 else None,
        opts=pulumi.ResourceOptions(parent=vpc, depends_on=[group]),
    )
    return group.id
