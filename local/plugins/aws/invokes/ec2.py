"""EC2 functions: networks that exist already. Doesn't own what a VPC has of IPv6."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..resource import Call, Inputs, function
from ..resources.calls import told_of, unless_absent
from ..resources.ec2.networks import Subnet, Vpc
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


@function("aws:ec2/getVpc:getVpc")
def _get_vpc(call: Call, args: Inputs) -> Mapping[str, Any]:
    wanted = _wanted(args, cidr="cidrBlock", dhcp_options_id="dhcpOptionsId", state="state")
    if args.get("default"):
        wanted.append({"Name": "isDefault", "Values": ["true"]})
    vpc = _find(call, "VPCs", "describe_vpcs", "Vpcs", args, wanted, VpcIds=args.get("id"))
    return told_of(
        Vpc(),
        call,
        vpc["VpcId"],
        cidrBlockAssociations=[
            {
                "associationId": association["AssociationId"],
                "cidrBlock": association["CidrBlock"],
                "state": association["CidrBlockState"]["State"],
            }
            for association in vpc.get("CidrBlockAssociationSet", [])
        ],
        default=bool(vpc.get("IsDefault")),
        dhcpOptionsId=vpc.get("DhcpOptionsId", ""),
        state=vpc.get("State", ""),
    )


@function("aws:ec2/getVpcs:getVpcs")
def _get_vpcs(call: Call, args: Inputs) -> Mapping[str, Any]:
    return {"id": call.region, "ids": _ids(call, "describe_vpcs", "Vpcs", "VpcId", _wanted(args))}


@function("aws:ec2/getSubnet:getSubnet")
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
    return told_of(
        Subnet(),
        call,
        subnet["SubnetId"],
        availableIpAddressCount=subnet.get("AvailableIpAddressCount", 0),
        defaultForAz=bool(subnet.get("DefaultForAz")),
        state=subnet.get("State", ""),
    )


@function("aws:ec2/getSubnets:getSubnets")
def _get_subnets(call: Call, args: Inputs) -> Mapping[str, Any]:
    ids = _ids(call, "describe_subnets", "Subnets", "SubnetId", _wanted(args))
    return {"id": call.region, "ids": ids}
