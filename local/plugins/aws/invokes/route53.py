"""Route 53 functions: hosted zones that exist already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..resource import Call, Function, Inputs
from ..resources.route53 import Zone, same_domain


def _get_zone(call: Call, args: Inputs) -> Mapping[str, Any]:
    """By id, or by name; among zones of one name by privacy, VPC and tags."""
    route53 = call.client("route53")
    if args.get("zoneId"):
        zone_ids = [str(args["zoneId"]).rpartition("/")[2]]
    elif args.get("name"):
        pages = route53.get_paginator("list_hosted_zones").paginate()
        zone_ids = [
            zone["Id"].rpartition("/")[2]
            for page in pages
            for zone in page["HostedZones"]
            if same_domain(zone["Name"], args["name"])
            and bool(zone["Config"].get("PrivateZone")) == bool(args.get("privateZone") or args.get("vpcId"))
        ]
    else:
        raise ValueError("getZone wants `zoneId` or `name`")
    zones = [zone for zone_id in zone_ids if (zone := Zone().read(call, zone_id, {})) and _fits(zone, args)]
    if len(zones) != 1:
        asked = args.get("zoneId") or args.get("name")
        raise LookupError(f"{len(zones) or 'no'} hosted zones match {asked}; exactly one must")
    zone = zones[0]
    details = route53.get_hosted_zone(Id=zone["zoneId"])["HostedZone"]
    return {
        **{
            name: zone[name]
            for name in ("arn", "comment", "name", "nameServers", "primaryNameServer", "zoneId")
        },
        "callerReference": details.get("CallerReference", ""),
        "id": zone["zoneId"],
        "privateZone": bool(details["Config"].get("PrivateZone")),
        "resourceRecordSetCount": details.get("ResourceRecordSetCount", 0),
        "tags": zone["tagsAll"],
    }


def _fits(zone: Mapping[str, Any], args: Inputs) -> bool:
    if args.get("vpcId") and args["vpcId"] not in {vpc["vpcId"] for vpc in zone["vpcs"]}:
        return False
    return bool((args.get("tags") or {}).items() <= zone["tagsAll"].items())


FUNCTIONS: tuple[Function, ...] = (Function("aws:route53/getZone:getZone", _get_zone),)
