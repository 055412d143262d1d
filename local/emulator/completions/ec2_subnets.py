"""EC2's zones, VPCs and subnets: found by AWS's filters, refused where a range or a zone doesn't fit.

Owns how many zones a region has, and that a subnet, route table or internet gateway in use isn't deleted.
Leaves making and keeping them to ministack, which checks no range, has three zones everywhere, knows few
filters, and deletes what is in use.
Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html,
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSubnets.html,
https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
"""

from __future__ import annotations

import ipaddress

from ministack.core.responses import get_region

from local.emulator.completions.ec2 import (
    Record,
    ask_ec2,
    described,
    existing,
    interfaces,
    matches,
    used_elsewhere,
)
from local.emulator.completions.patching import AwsError, Request
from local.emulator.completions.protocols import Result, serve

# Regions whose number of zones isn't ministack's three.
ZONE_LETTERS = {"ap-northeast-2": "abcd", "us-east-1": "abcdef", "us-west-2": "abcd", "ap-northeast-1": "acd"}


def install() -> None:
    """Completes zones, VPCs and subnets."""
    serve(
        "ec2",
        {
            "DescribeAvailabilityZones": _describe_availability_zones,
            "DescribeVpcs": described("VpcId", "Vpcs", vpcs, "InvalidVpcID.NotFound"),
            "DescribeSubnets": described("SubnetId", "Subnets", subnets, "InvalidSubnetID.NotFound"),
            "CreateSubnet": _create_subnet,
            "DeleteSubnet": _delete_subnet,
            "DeleteRouteTable": _delete_route_table,
            "DeleteInternetGateway": _delete_internet_gateway,
        },
    )


def vpcs() -> dict[str, Record]:
    """The VPCs of account and region, by id."""
    return {vpc["VpcId"]: vpc for vpc in ask_ec2("DescribeVpcs")["Vpcs"]}


def subnets() -> dict[str, Record]:
    """The subnets of account and region, by id."""
    return {subnet["SubnetId"]: _completed(subnet) for subnet in ask_ec2("DescribeSubnets")["Subnets"]}


def _completed(subnet: Record) -> Record:
    size = ipaddress.ip_network(subnet["CidrBlock"]).num_addresses
    return subnet | {"AvailableIpAddressCount": size - 5}


def _zones() -> dict[str, Record]:
    """The region's zones by name, with their ids, which ministack counts by the letter."""
    first = ask_ec2("DescribeAvailabilityZones")["AvailabilityZones"][0]
    name, zone_id = (first[member][:-1] for member in ("ZoneName", "ZoneId"))
    return {
        f"{name}{letter}": first
        | {"ZoneName": f"{name}{letter}", "ZoneId": f"{zone_id}{ord(letter) - ord('a') + 1}"}
        for letter in ZONE_LETTERS.get(get_region(), "abc")
    }


def _describe_availability_zones(request: Request) -> Result:
    zones = _zones()
    for name in request.get("ZoneNames") or ():
        if name not in zones:
            raise AwsError("InvalidParameterValue", f"Invalid availability zone: [{name}]")
    wanted = [
        {"Name": member, "Values": request[f"{member}s"]}
        for member in ("ZoneName", "ZoneId")
        if request.get(f"{member}s")
    ]
    filters = [*wanted, *(request.get("Filters") or ())]
    return {"AvailabilityZones": [zone for zone in zones.values() if matches(zone, filters, [])]}


def _create_subnet(request: Request) -> Result:
    vpc, zones = existing(vpcs(), request["VpcId"], "InvalidVpcID.NotFound", "vpc ID"), _zones()
    of_id = {each["ZoneId"]: name for name, each in zones.items()}
    zone = request.get("AvailabilityZone") or of_id.get(request.get("AvailabilityZoneId", ""))
    if zone and zone not in zones:
        raise AwsError(
            "InvalidParameterValue",
            f"Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently only be "
            f"created in the following availability zones: {', '.join(zones)}.",
        )
    _check_range(request.get("CidrBlock", ""), vpc)
    made = ask_ec2("CreateSubnet", request | ({"AvailabilityZone": zone} if zone else {}))["Subnet"]
    return {"Subnet": _completed(made)}


def _check_range(cidr: str, vpc: Record) -> None:
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError as error:
        raise AwsError(
            "InvalidParameterValue",
            f"Value ({cidr}) for parameter cidrBlock is invalid. This is not a valid CIDR block.",
        ) from error
    if not 16 <= network.prefixlen <= 28 or not network.subnet_of(ipaddress.IPv4Network(vpc["CidrBlock"])):
        raise AwsError("InvalidSubnet.Range", f"The CIDR '{cidr}' is invalid.")
    for subnet in subnets().values():
        if subnet["VpcId"] == vpc["VpcId"] and network.overlaps(ipaddress.IPv4Network(subnet["CidrBlock"])):
            raise AwsError("InvalidSubnet.Conflict", f"The CIDR '{cidr}' conflicts with another subnet")


# What is still in use isn't deleted


def in_use(what: str) -> AwsError:
    """The refusal to delete something that something else depends on."""
    return AwsError("DependencyViolation", f"{what} has dependencies and cannot be deleted.")


def _delete_subnet(request: Request) -> Result:
    subnet = request["SubnetId"]
    if used_elsewhere(subnet) or any(interface["SubnetId"] == subnet for interface in interfaces().values()):
        raise in_use(f"The subnet '{subnet}'")
    return ask_ec2("DeleteSubnet", request)


def _delete_route_table(request: Request) -> Result:
    for table in ask_ec2("DescribeRouteTables")["RouteTables"]:
        if table["RouteTableId"] == request["RouteTableId"] and table.get("Associations"):
            raise in_use(f"The routeTable '{table['RouteTableId']}'")
    return ask_ec2("DeleteRouteTable", request)


def _delete_internet_gateway(request: Request) -> Result:
    for gateway in ask_ec2("DescribeInternetGateways")["InternetGateways"]:
        same = gateway["InternetGatewayId"] == request["InternetGatewayId"]
        if same and gateway.get("Attachments"):
            raise in_use(f"The internetGateway '{gateway['InternetGatewayId']}'")
    return ask_ec2("DeleteInternetGateway", request)
