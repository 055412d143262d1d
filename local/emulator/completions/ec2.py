"""EC2 by its model: what its completions share.

Owns describing by ids and filters, ids and tags. What is completed has modules of its
own: subnets, security groups, interfaces and gateways, endpoints, flow logs. They keep what ministack
doesn't, and ask it for the rest. Deliberately routes no packet.
"""

from __future__ import annotations

import fnmatch
import secrets
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import AccountRegionScopedDict

from local.emulator.completions.inside import ask
from local.emulator.completions.patching import AwsError, Request
from local.emulator.completions.protocols import Action, Result

Record = dict[str, Any]


def ask_ec2(action: str, request: Request | None = None) -> Result:
    """ministack's own answer."""
    return ask("ec2", action, request or {})


def new_id(prefix: str) -> str:
    """An id as EC2 gives them."""
    return f"{prefix}-{secrets.token_hex(9)[:17]}"


users: list[Callable[[str], bool]] = []
"""Other services, which say whether they use a subnet or a security group."""


def used_elsewhere(resource: str) -> bool:
    """Whether another service uses a subnet or a security group."""
    return any(uses(resource) for uses in users)


own_interfaces = AccountRegionScopedDict()
"""The network interfaces that AWS itself manages, by id; ministack has the others."""


def interfaces() -> dict[str, Record]:
    """All network interfaces of account and region, by id."""
    given = ask_ec2("DescribeNetworkInterfaces")["NetworkInterfaces"]
    return {each["NetworkInterfaceId"]: each for each in given} | dict(own_interfaces.items())


def all_tags() -> dict[str, list[dict[str, str]]]:
    """The tags of everything that has some, by its id."""
    tags: dict[str, list[dict[str, str]]] = defaultdict(list)
    for tag in ask_ec2("DescribeTags")["Tags"]:
        tags[tag["ResourceId"]].append({"Key": tag["Key"], "Value": tag["Value"]})
    return tags


def tag_as_asked(request: Request, kind: str, resources: list[str]) -> None:
    """Gives what was made the tags that the request has for its kind."""
    for specification in request.get("TagSpecifications") or []:
        if specification["ResourceType"] == kind and specification.get("Tags"):
            ask_ec2("CreateTags", {"Resources": resources, "Tags": specification["Tags"]})


def forget_tags(resource: str) -> None:
    """Takes away the tags of what is gone."""
    ask_ec2("DeleteTags", {"Resources": [resource], "Tags": all_tags()[resource]})


_ALIASES = {"Cidr": "CidrBlock"}
"""Filters that are called otherwise than what they look at."""


def matches(record: Record, filters: list[Record], tags: list[dict[str, str]]) -> bool:
    """Whether a record passes filters, each named by a member of it, as `vpc-id` or `isDefault`.

    An unknown filter is refused, as AWS does.
    """
    tagged = {tag["Key"]: tag["Value"] for tag in tags}
    for each in filters:
        name = each["Name"]
        member = "".join(part[:1].upper() + part[1:] for part in name.split("-"))
        member = _ALIASES.get(member, member)
        if name.startswith("tag:"):
            found = [tagged[name[4:]]] if name[4:] in tagged else []
        elif name == "tag-key":
            found = list(tagged)
        elif name == "group-id" and "Groups" in record:
            found = [group["GroupId"] for group in record["Groups"]]
        elif member in record and not isinstance(record[member], (list, dict)):
            value = record[member]
            found = [str(value).lower() if isinstance(value, bool) else str(value)]
        else:
            raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid, or not emulated")
        if not any(fnmatch.fnmatchcase(text, pattern) for text in found for pattern in each["Values"]):
            return False
    return True


def existing(records: Mapping[str, Record], resource: str, code: str, what: str) -> Record:
    """The record of an id, which must be there."""
    if resource not in records:
        raise AwsError(code, f"The {what} '{resource}' does not exist")
    return records[resource]


def described(
    id_name: str, member: str, records: Callable[[], Mapping[str, Record]], not_found: str
) -> Action:
    """Makes a Describe action: by ids, which must exist, and by filters."""

    def describe(request: Request) -> Result:
        known, tags = records(), all_tags()
        ids = request.get(f"{id_name}s") or []
        for resource in ids:
            existing(known, resource, not_found, id_name)
        # NAT gateways alone have their filters in the singular.
        filters = request.get("Filters") or request.get("Filter") or []
        return {
            member: [
                record | {"Tags": tags[resource]}
                for resource, record in known.items()
                if (not ids or resource in ids) and matches(record, filters, tags[resource])
            ]
        }

    return describe
