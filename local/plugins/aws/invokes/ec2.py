"""EC2 functions: networks that exist already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..resource import Call, Function, Inputs, tag_map
from ..resources.calls import one, unless_absent
from .index import filters


def _wanted(args: Inputs, **by_name: str) -> list[dict[str, Any]]:
    """EC2's filters for `filters`, `tags` and the arguments that are filters: `vpc_id="vpcId"`."""
    wanted = filters(args)
    wanted += [{"Name": f"tag:{key}", "Values": [value]} for key, value in (args.get("tags") or {}).items()]
    for name, argument in by_name.items():
        value = args.get(argument)
        if value in (None, ""):
            continue
        text = str(value).lower() if isinstance(value, bool) else str(value)
        wanted.append({"Name": name.replace("_", "-"), "Values": [text]})
    return wanted


def _find(
    call: Call, what: str, operation: str, key: str, args: Inputs, wanted: list[dict[str, Any]], **ids: Any
) -> Mapping[str, Any]:
    """The one thing that matches; EC2's error for an unknown id is none found."""
    parameters = {name: [value] for name, value in ids.items() if value}
    if wanted:
        parameters["Filters"] = wanted
    ask = getattr(call.client("ec2"), operation)
    found: list[Mapping[str, Any]] = (
        unless_absent(lambda: ask(**parameters)[key], "InvalidVpcID.NotFound", "InvalidSubnetID.NotFound")
        or []
    )
    if len(found) != 1:
        asked = ", ".join(f"{name} {value}" for name, value in sorted(args.items()) if name != "region")
        raise LookupError(
            f"{len(found) or 'no'} {what} match {asked or 'nothing in particular'}; exactly one must"
        )
    return found[0]


def _ids(call: Call, operation: str, key: str, id_name: str, wanted: list[dict[str, Any]]) -> list[str]:
    pages = call.client("ec2").get_paginator(operation).paginate(**({"Filters": wanted} if wanted else {}))
    return sorted(str(member[id_name]) for page in pages for member in page[key])


def _get_vpc(call: Call, args: Inputs) -> Mapping[str, Any]:
    ec2 = call.client("ec2")
    wanted = _wanted(args, cidr="cidrBlock", dhcp_options_id="dhcpOptionsId", state="state")
    if args.get("default"):
        wanted.append({"Name": "isDefault", "Values": ["true"]})
    vpc = _find(call, "VPCs", "describe_vpcs", "Vpcs", args, wanted, VpcIds=args.get("id"))
    vpc_id = str(vpc["VpcId"])

    def attribute(name: str) -> bool:
        parameter = name[0].lower() + name[1:]
        return bool(ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute=parameter)[name]["Value"])

    main = one(
        ec2.describe_route_tables(
            Filters=[
                {"Name": "vpc-id", "Values": [vpc_id]},
                {"Name": "association.main", "Values": ["true"]},
            ]
        )["RouteTables"]
    )
    ipv6 = vpc.get("Ipv6CidrBlockAssociationSet", [])
    return {
        "arn": call.arn("ec2", f"vpc/{vpc_id}"),
        "cidrBlock": vpc["CidrBlock"],
        "cidrBlockAssociations": [
            {
                "associationId": association["AssociationId"],
                "cidrBlock": association["CidrBlock"],
                "state": association["CidrBlockState"]["State"],
            }
            for association in vpc.get("CidrBlockAssociationSet", [])
        ],
        "default": bool(vpc.get("IsDefault")),
        "dhcpOptionsId": vpc.get("DhcpOptionsId", ""),
        "enableDnsHostnames": attribute("EnableDnsHostnames"),
        "enableDnsSupport": attribute("EnableDnsSupport"),
        "enableNetworkAddressUsageMetrics": attribute("EnableNetworkAddressUsageMetrics"),
        "id": vpc_id,
        "instanceTenancy": vpc.get("InstanceTenancy", "default"),
        "ipv6AssociationId": ipv6[0]["AssociationId"] if ipv6 else None,
        "ipv6CidrBlock": ipv6[0]["Ipv6CidrBlock"] if ipv6 else None,
        "ipv6CidrBlockAssociations": [
            {
                "associationId": association["AssociationId"],
                "ipv6CidrBlock": association.get("Ipv6CidrBlock", ""),
                "ipv6Pool": association.get("Ipv6Pool", ""),
                "networkBorderGroup": association.get("NetworkBorderGroup", ""),
                "state": association["Ipv6CidrBlockState"]["State"],
            }
            for association in ipv6
        ],
        "mainRouteTableId": (main or {}).get("RouteTableId"),
        "ownerId": vpc.get("OwnerId", ""),
        "state": vpc.get("State", ""),
        "tags": tag_map(vpc.get("Tags")),
    }


def _get_vpcs(call: Call, args: Inputs) -> Mapping[str, Any]:
    return {"id": call.region, "ids": _ids(call, "describe_vpcs", "Vpcs", "VpcId", _wanted(args))}


def _get_subnet(call: Call, args: Inputs) -> Mapping[str, Any]:
    wanted = _wanted(
        args,
        availabilityZone="availabilityZone",
        availabilityZoneId="availabilityZoneId",
        cidrBlock="cidrBlock",
        defaultForAz="defaultForAz",
        state="state",
        vpc_id="vpcId",
    )
    if args.get("ipv6CidrBlock"):
        wanted.append(
            {"Name": "ipv6-cidr-block-association.ipv6-cidr-block", "Values": [args["ipv6CidrBlock"]]}
        )
    subnet = _find(call, "subnets", "describe_subnets", "Subnets", args, wanted, SubnetIds=args.get("id"))
    launch = subnet.get("PrivateDnsNameOptionsOnLaunch", {})
    ipv6 = one(subnet.get("Ipv6CidrBlockAssociationSet")) or {}
    return {
        "arn": subnet["SubnetArn"],
        "assignIpv6AddressOnCreation": bool(subnet.get("AssignIpv6AddressOnCreation")),
        "availabilityZone": subnet["AvailabilityZone"],
        "availabilityZoneId": subnet.get("AvailabilityZoneId", ""),
        "availableIpAddressCount": subnet.get("AvailableIpAddressCount", 0),
        "cidrBlock": subnet.get("CidrBlock", ""),
        "customerOwnedIpv4Pool": subnet.get("CustomerOwnedIpv4Pool", ""),
        "defaultForAz": bool(subnet.get("DefaultForAz")),
        "enableDns64": bool(subnet.get("EnableDns64")),
        "enableLniAtDeviceIndex": subnet.get("EnableLniAtDeviceIndex", 0),
        "enableResourceNameDnsARecordOnLaunch": bool(launch.get("EnableResourceNameDnsARecord")),
        "enableResourceNameDnsAaaaRecordOnLaunch": bool(launch.get("EnableResourceNameDnsAAAARecord")),
        "id": subnet["SubnetId"],
        "ipv6CidrBlock": ipv6.get("Ipv6CidrBlock"),
        "ipv6CidrBlockAssociationId": ipv6.get("AssociationId"),
        "ipv6Native": bool(subnet.get("Ipv6Native")),
        "mapCustomerOwnedIpOnLaunch": bool(subnet.get("MapCustomerOwnedIpOnLaunch")),
        "mapPublicIpOnLaunch": bool(subnet.get("MapPublicIpOnLaunch")),
        "outpostArn": subnet.get("OutpostArn", ""),
        "ownerId": subnet.get("OwnerId", ""),
        "privateDnsHostnameTypeOnLaunch": launch.get("HostnameType", ""),
        "state": subnet.get("State", ""),
        "tags": tag_map(subnet.get("Tags")),
        "vpcId": subnet["VpcId"],
    }


def _get_subnets(call: Call, args: Inputs) -> Mapping[str, Any]:
    ids = _ids(call, "describe_subnets", "Subnets", "SubnetId", _wanted(args))
    return {"id": call.region, "ids": ids}


FUNCTIONS: tuple[Function, ...] = (
    Function("aws:ec2/getSubnet:getSubnet", _get_subnet),
    Function("aws:ec2/getSubnets:getSubnets", _get_subnets),
    Function("aws:ec2/getVpc:getVpc", _get_vpc),
    Function("aws:ec2/getVpcs:getVpcs", _get_vpcs),
)
