"""Route 53: the records of hosted zones.

Owns records with simple routing. Doesn't own other routing, nor texts, which Route 53 keeps in quotes: they
are refused. By hand, because a change is a batch that also has what is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..resource import Call, Inputs, Names, Outputs, Resource, State, facts, names
from .calls import one

_ID: Final = re.compile("(?P<zoneId>[^_]+)_(?P<name>.+)_(?P<type>[^_]+)")
_QUOTED: Final = ("SPF", "TXT")


def same_domain(left: Any, right: Any) -> bool:
    """Whether two spellings name one domain: case and the last dot say nothing."""
    return _domain(left) == _domain(right)


def _domain(name: Any) -> str:
    return str(name or "").rstrip(".").lower().replace("\\052", "*")


class Record(Resource):
    """A record set; its id joins zone, name and type by underscores."""

    token = "aws:route53/record:Record"
    replacing = names("name zoneId")
    exclusive = (("aliases", "records"), ("aliases", "ttl"))
    sets = names("records")
    lacking = names("""cidrRoutingPolicy failoverRoutingPolicies geo* healthCheckId latencyRoutingPolicies
        multivalueAnswerRoutingPolicy setIdentifier weightedRoutingPolicies""")
    same = facts({"aliases.name": same_domain, "name": same_domain})
    kept = names("allowOverwrite")
    missing = names("InvalidHostedZoneId NoSuchHostedZone")

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        if "aliases" not in inputs and "records" not in inputs:
            yield "records", "one of `aliases`, `records` must be given"
        elif "records" in inputs and "ttl" not in inputs:
            yield "ttl", "`ttl` is required with `records`"
        if inputs["type"] in _QUOTED:
            yield "type", "the aws stand-in has no records of text; use the real aws plugin (7.x)"

    def create(self, call: Call, inputs: Inputs) -> str:
        action = "UPSERT" if inputs.get("allowOverwrite") else "CREATE"
        _change(call, inputs["zoneId"], {action: _wanted(call, inputs)})
        return _id(inputs)

    def read(self, call: Call, resource_id: str, state: State) -> Outputs | None:
        said = _ID.fullmatch(resource_id)
        if said is None:
            raise ValueError(f"{resource_id!r} names no record; an import wants ZONE_NAME_TYPE")
        known = {name: state.get(name) or text for name, text in said.groupdict().items()}
        record = _there(call, known)
        if record is None:
            return None
        alias = record.get("AliasTarget")
        return {
            **known,
            "aliases": [
                {
                    "evaluateTargetHealth": alias["EvaluateTargetHealth"],
                    "name": _domain(alias["DNSName"]),
                    "zoneId": alias["HostedZoneId"],
                }
            ]
            if alias
            else [],
            "fqdn": _domain(record["Name"]),
            "records": [value["Value"] for value in record.get("ResourceRecords") or ()] or None,
            "ttl": record.get("TTL", 0),
            "id": _id(known),
        }

    def update(self, call: Call, resource_id: str, old: State, new: Inputs, changed: Names) -> str | None:
        # A record of another type has another key: it goes in the same batch, so that there is never a gap.
        there = _there(call, old) if "type" in changed else None
        _change(call, new["zoneId"], {"DELETE": there, "UPSERT": _wanted(call, new)})
        return _id(new)

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        if there := _there(call, state):
            _change(call, state["zoneId"], {"DELETE": there})


def _id(inputs: Inputs) -> str:
    return f"{inputs['zoneId']}_{_domain(inputs['name'])}_{inputs['type']}"


def _key(call: Call, inputs: Inputs) -> dict[str, str]:
    """What names a record on AWS; the zone's name may be left out of its own."""
    zone = _domain(call.client("route53").get_hosted_zone(Id=inputs["zoneId"])["HostedZone"]["Name"])
    own = _domain(inputs["name"])
    whole = own if f".{own}".endswith(f".{zone}") else f"{own}.{zone}"
    return {"Name": whole, "Type": inputs["type"]}


def _wanted(call: Call, inputs: Inputs) -> dict[str, Any]:
    if alias := one(inputs.get("aliases")):
        target = {
            "DNSName": alias["name"],
            "EvaluateTargetHealth": alias["evaluateTargetHealth"],
            "HostedZoneId": alias["zoneId"],
        }
        return {**_key(call, inputs), "AliasTarget": target}
    values = [{"Value": value} for value in inputs["records"]]
    return {**_key(call, inputs), "ResourceRecords": values, "TTL": inputs["ttl"]}


def _there(call: Call, inputs: Inputs) -> dict[str, Any] | None:
    key = _key(call, inputs)
    # By name and type, the first from there on: another one, or one of several, where there is none.
    found = call.client("route53").list_resource_record_sets(
        HostedZoneId=inputs["zoneId"], StartRecordName=key["Name"], StartRecordType=key["Type"], MaxItems="1"
    )["ResourceRecordSets"]
    return next(
        (
            dict(each)
            for each in found
            if same_domain(each["Name"], key["Name"])
            and each["Type"] == key["Type"]
            and "SetIdentifier" not in each
        ),
        None,
    )


def _change(call: Call, zone_id: str, sets: Mapping[str, Mapping[str, Any] | None]) -> None:
    """Asks for all at once, by action, and waits for Route 53's servers to have it."""
    route53 = call.client("route53")
    changes = [{"Action": action, "ResourceRecordSet": each} for action, each in sets.items() if each]
    change = route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": changes})
    change_id = change["ChangeInfo"]["Id"].rpartition("/")[2]
    call.wait_until(
        f"Route 53 change {change_id} is in sync",
        lambda: route53.get_change(Id=change_id)["ChangeInfo"]["Status"] == "INSYNC",
        1800,
    )
