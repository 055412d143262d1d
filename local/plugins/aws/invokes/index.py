"""Functions about the surroundings: region, account, partition, availability zones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..resource import Call, Inputs, function


def filters(args: Inputs) -> list[dict[str, Any]]:
    """The `filters` argument as EC2 wants it."""
    return [{"Name": f["name"], "Values": f["values"]} for f in args.get("filters") or []]


@function("aws:index/getRegion:getRegion")
def _get_region(call: Call, args: Inputs) -> Mapping[str, Any]:
    name = args.get("region") or args.get("name") or call.region
    known = call.aws.known_of_partition
    return {
        "id": name,
        "name": name,
        "region": name,
        "description": known["regions"].get(name, {"description": name})["description"],
        "endpoint": args.get("endpoint") or f"ec2.{name}.{known['dnsSuffix']}",
    }


@function("aws:index/getCallerIdentity:getCallerIdentity")
def _get_caller_identity(call: Call, _args: Inputs) -> Mapping[str, Any]:
    identity = call.client("sts").get_caller_identity()
    return {
        "id": identity["Account"],
        "accountId": identity["Account"],
        "arn": identity["Arn"],
        "userId": identity["UserId"],
    }


def _zones(call: Call, args: Inputs) -> list[Mapping[str, Any]]:
    wanted = filters(args)
    if args.get("state"):
        wanted.append({"Name": "state", "Values": [args["state"]]})
    answer = call.client("ec2").describe_availability_zones(
        AllAvailabilityZones=bool(args.get("allAvailabilityZones", False)),
        **({"Filters": wanted} if wanted else {}),
    )
    return sorted(answer["AvailabilityZones"], key=lambda zone: str(zone["ZoneName"]))


@function("aws:index/getAvailabilityZones:getAvailabilityZones")
def _get_availability_zones(call: Call, args: Inputs) -> Mapping[str, Any]:
    zones = [
        zone
        for zone in _zones(call, args)
        if zone["ZoneName"] not in (args.get("excludeNames") or ())
        and zone["ZoneId"] not in (args.get("excludeZoneIds") or ())
    ]
    return {
        "id": call.region,
        "names": [zone["ZoneName"] for zone in zones],
        "zoneIds": [zone["ZoneId"] for zone in zones],
        "groupNames": sorted({zone.get("GroupName", "") for zone in zones} - {""}),
    }


@function("aws:index/getPartition:getPartition")
def _get_partition(call: Call, _args: Inputs) -> Mapping[str, Any]:
    name, suffix = call.aws.partition, call.aws.known_of_partition["dnsSuffix"]
    return {
        "id": name,
        "partition": name,
        "dnsSuffix": suffix,
        "reverseDnsPrefix": ".".join(reversed(suffix.split("."))),
    }
