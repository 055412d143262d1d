"""Route 53: the records of hosted zones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from ..resource import Call, Inputs, Resource, State
from ..session import AwsError
from .calls import given, one, retried, unless_absent

_NO_ZONE: Final = ("NoSuchHostedZone", "InvalidHostedZoneId")
_PASSING: Final = ("PriorRequestNotComplete", "Throttling", "ThrottlingException")


def same_domain(left: Any, right: Any) -> bool:
    """Whether two spellings name one domain: case and the last dot say nothing."""
    return _domain(left) == _domain(right)


def same_alias(left: Any, right: Any) -> bool:
    """The same domain, where Route 53 may have put `dualstack.` before it."""
    return _domain(left).removeprefix("dualstack.") == _domain(right).removeprefix("dualstack.")


def _domain(name: Any) -> str:
    return str(name or "").rstrip(".").lower().replace("\\052", "*")


def _zone_id(zone_id: Any) -> str:
    return str(zone_id).rpartition("/")[2]


def _wait_for(call: Call, change: Mapping[str, Any] | None) -> None:
    if change is not None and change.get("Status") != "INSYNC":
        change_id = _zone_id(change["Id"])
        call.wait_until(
            f"Route 53 change {change_id} is in sync",
            lambda: call.client("route53").get_change(Id=change_id)["ChangeInfo"]["Status"] == "INSYNC",
            1800,
        )


class Record(Resource):
    """A record set with simple routing; its id joins zone, name and type by underscores."""

    token = "aws:route53/record:Record"
    exclusive = (("aliases", "records"), ("aliases", "ttl"))
    sets = frozenset({"records"})
    lacking = frozenset(
        {
            *("cidrRoutingPolicy", "failoverRoutingPolicies", "geolocationRoutingPolicies"),
            *("geoproximityRoutingPolicy", "healthCheckId", "latencyRoutingPolicies"),
            *("multivalueAnswerRoutingPolicy", "setIdentifier", "weightedRoutingPolicies"),
        }
    )
    same = MappingProxyType({"aliases.name": same_alias, "name": same_domain})
    kept = frozenset({"allowOverwrite"})
    missing = frozenset(_NO_ZONE)

    def check(self, inputs: Inputs) -> list[tuple[str, str]]:
        if "aliases" not in inputs and "records" not in inputs:
            return [("records", "one of `aliases`, `records` must be given")]
        if "records" in inputs and "ttl" not in inputs:
            return [("ttl", "`ttl` is required with `records`")]
        return []

    def create(self, call: Call, inputs: Inputs) -> str:
        action = "UPSERT" if inputs.get("allowOverwrite") else "CREATE"
        self._change(
            call, inputs["zoneId"], [{"Action": action, "ResourceRecordSet": self._set(call, inputs)}]
        )
        return self._id(inputs)

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        zone_id, name, kind = self._parts(resource_id, state)
        zone_name = self._zone_name(call, zone_id)
        if zone_name is None:
            return None
        record = self._find(call, zone_id, _full_name(name, zone_name), kind)
        if record is None:
            return None
        alias = record.get("AliasTarget")
        return {
            "aliases": [
                {
                    "evaluateTargetHealth": bool(alias.get("EvaluateTargetHealth")),
                    "name": _domain(alias["DNSName"]),
                    "zoneId": alias["HostedZoneId"],
                }
            ]
            if alias
            else [],
            "fqdn": _domain(record["Name"]),
            "name": name,
            "records": [_record_text(kind, value["Value"]) for value in record["ResourceRecords"]]
            if record.get("ResourceRecords")
            else None,
            "ttl": record.get("TTL", 0),
            "type": kind,
            "zoneId": zone_id,
            "id": self._id({"zoneId": zone_id, "name": name, "type": kind}),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        wanted = self._set(call, new)
        if "type" not in changed:
            self._change(call, new["zoneId"], [{"Action": "UPSERT", "ResourceRecordSet": wanted}])
            return None
        # The old record has another key: it goes in the same batch, so that there is never a gap.
        zone_name = self._zone_name(call, old["zoneId"]) or ""
        there = self._find(call, old["zoneId"], _full_name(old["name"], zone_name), old["type"])
        changes = [{"Action": "DELETE", "ResourceRecordSet": there}] if there else []
        self._change(call, new["zoneId"], [*changes, {"Action": "UPSERT", "ResourceRecordSet": wanted}])
        return self._id(new)

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        zone_id, name, kind = self._parts(resource_id, state)
        zone_name = self._zone_name(call, zone_id)
        if zone_name is None:
            return
        there = self._find(call, zone_id, _full_name(name, zone_name), kind)
        if there is not None:
            self._change(call, zone_id, [{"Action": "DELETE", "ResourceRecordSet": there}])

    @staticmethod
    def _id(inputs: Inputs) -> str:
        return f"{_zone_id(inputs['zoneId'])}_{_domain(inputs['name'])}_{inputs['type']}"

    @staticmethod
    def _parts(resource_id: str, state: State) -> tuple[str, str, str]:
        if state.get("zoneId"):
            return _zone_id(state["zoneId"]), str(state["name"]), str(state["type"])
        zone_id, _, rest = resource_id.partition("_")
        name, _, kind = rest.rpartition("_")
        if not name:
            raise ValueError(f"{resource_id!r} names no record; an import wants ZONE_NAME_TYPE")
        return zone_id, name, kind

    @staticmethod
    def _zone_name(call: Call, zone_id: str) -> str | None:
        route53 = call.client("route53")
        zone = unless_absent(lambda: route53.get_hosted_zone(Id=zone_id)["HostedZone"], *_NO_ZONE)
        return None if zone is None else str(zone["Name"])

    def _set(self, call: Call, inputs: Inputs) -> dict[str, Any]:
        """The record set of a request."""
        zone_name = self._zone_name(call, _zone_id(inputs["zoneId"]))
        if zone_name is None:
            raise AwsError(f"there is no hosted zone {inputs['zoneId']}")
        record: dict[str, Any] = {
            "Name": _full_name(inputs["name"], zone_name),
            "Type": inputs["type"],
            **given(inputs, TTL="ttl"),
        }
        if inputs.get("records"):
            record["ResourceRecords"] = [
                {"Value": _quoted(inputs["type"], value)} for value in inputs["records"]
            ]
        if alias := one(inputs.get("aliases")):
            record["AliasTarget"] = {
                "DNSName": alias["name"],
                "EvaluateTargetHealth": alias["evaluateTargetHealth"],
                "HostedZoneId": alias["zoneId"],
            }
        return record

    @staticmethod
    def _find(call: Call, zone_id: str, name: str, kind: str) -> dict[str, Any] | None:
        pages = (
            call.client("route53")
            .get_paginator("list_resource_record_sets")
            .paginate(HostedZoneId=zone_id, StartRecordName=name, StartRecordType=kind)
        )
        for page in pages:
            for record in page["ResourceRecordSets"]:
                if (
                    same_domain(record["Name"], name)
                    and record["Type"] == kind
                    and not record.get("SetIdentifier")
                ):
                    return dict(record)
        return None

    @staticmethod
    def _change(call: Call, zone_id: Any, changes: Sequence[Mapping[str, Any]]) -> None:
        answer = retried(
            call,
            "Route 53 takes the change",
            lambda: call.client("route53").change_resource_record_sets(
                HostedZoneId=_zone_id(zone_id), ChangeBatch={"Changes": changes}
            ),
            *_PASSING,
        )
        _wait_for(call, answer.get("ChangeInfo"))


def _full_name(name: Any, zone_name: str) -> str:
    """A name with the zone's behind it; the zone's own name may be left out or be the whole."""
    own, zone = _domain(name), _domain(zone_name)
    if not own:
        return zone
    return own if own == zone or own.endswith(f".{zone}") else f"{own}.{zone}"


def _quoted(kind: str, value: Any) -> str:
    return f'"{value}"' if kind in {"TXT", "SPF"} else str(value)


def _record_text(kind: str, value: str) -> str:
    return value[1:-1] if kind in {"TXT", "SPF"} and value.startswith('"') and value.endswith('"') else value


RESOURCES: tuple[Resource, ...] = (Record(),)
