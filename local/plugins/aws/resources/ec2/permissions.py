"""Security group rules as the smallest parts that AWS keeps them in, and as the arguments that group them.

Pure. An argument's rule names several sources; AWS merges rules of one port range and splits them by source.
A `Permission` is one source of one rule, so that both sides can be compared member by member.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_PROTOCOL_NAMES: Final = {"all": "-1", "6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
ALL: Final = "-1"

# The kinds of source: the argument, and where the API has it.
_SOURCES: Final = {
    "cidrBlocks": ("IpRanges", "CidrIp"),
    "ipv6CidrBlocks": ("Ipv6Ranges", "CidrIpv6"),
    "prefixListIds": ("PrefixListIds", "PrefixListId"),
    "securityGroups": ("UserIdGroupPairs", "GroupId"),
}


@dataclass(frozen=True, order=True)
class Permission:
    """One source may use one range of ports. `kind` is the argument that names the source."""

    protocol: str
    from_port: int
    to_port: int
    kind: str
    source: str
    description: str


def protocol_name(protocol: Any) -> str:
    """The protocol as AWS spells it: a known number becomes its name, `all` becomes -1."""
    text = str(protocol).lower()
    return _PROTOCOL_NAMES.get(text, text)


def of_arguments(rules: Iterable[Mapping[str, Any]] | None, group_id: str) -> list[Permission]:
    """The permissions of the rules; `self` is the group itself as a source."""
    found: dict[Permission, None] = {}
    for rule in rules or ():
        protocol = protocol_name(rule.get("protocol", ALL))
        ports = (0, 0) if protocol == ALL else (int(rule.get("fromPort") or 0), int(rule.get("toPort") or 0))
        sources = [(kind, str(source)) for kind in _SOURCES for source in rule.get(kind) or ()]
        if rule.get("self"):
            sources.append(("securityGroups", group_id))
        for kind, source in sources:
            found[Permission(protocol, *ports, kind, source, str(rule.get("description") or ""))] = None
    return list(found)


def of_aws(permissions: Iterable[Mapping[str, Any]]) -> list[Permission]:
    """The permissions in AWS's `IpPermissions`."""
    found = []
    for permission in permissions:
        protocol = protocol_name(permission.get("IpProtocol", ALL))
        ports = (0, 0)
        if protocol != ALL:
            ports = (int(permission.get("FromPort") or 0), int(permission.get("ToPort") or 0))
        for kind, (where, name) in _SOURCES.items():
            for source in permission.get(where) or ():
                text = str(source.get("Description") or "")
                found.append(Permission(protocol, *ports, kind, str(source[name]), text))
    return found


def to_aws(permissions: Iterable[Permission]) -> list[dict[str, Any]]:
    """`IpPermissions` for a request, one for each range of ports."""
    grouped: dict[tuple[str, int, int], dict[str, Any]] = {}
    for permission in permissions:
        key = (permission.protocol, permission.from_port, permission.to_port)
        ports = {} if permission.protocol == ALL else {"FromPort": key[1], "ToPort": key[2]}
        into = grouped.setdefault(key, {"IpProtocol": permission.protocol, **ports})
        where, name = _SOURCES[permission.kind]
        source = {name: permission.source}
        if permission.description:
            source["Description"] = permission.description
        into.setdefault(where, []).append(source)
    return list(grouped.values())


def to_arguments(
    permissions: Sequence[Permission], group_id: str, known: Iterable[Mapping[str, Any]] | None
) -> list[dict[str, Any]]:
    """Rules as arguments: the known ones that AWS still has, then what else there is, grouped.

    A known rule that AWS has only in part comes back as that part: what somebody removed is seen.
    """
    left = dict.fromkeys(permissions)
    rules: list[dict[str, Any]] = []
    for rule in known or ():
        wanted = [p for p in of_arguments([rule], group_id) if p in left]
        for permission in wanted:
            del left[permission]
        rules += _grouped(wanted, group_id)
    return sorted([*rules, *_grouped(left, group_id)], key=lambda rule: (rule["fromPort"], str(rule)))


def _grouped(permissions: Iterable[Permission], group_id: str) -> list[dict[str, Any]]:
    rules: dict[tuple[Any, ...], dict[str, Any]] = {}
    for permission in permissions:
        key = (permission.protocol, permission.from_port, permission.to_port, permission.description)
        rule = rules.setdefault(
            key,
            {
                "description": permission.description,
                "fromPort": permission.from_port,
                "protocol": permission.protocol,
                "self": False,
                "toPort": permission.to_port,
                **{kind: [] for kind in _SOURCES},
            },
        )
        if permission.kind == "securityGroups" and permission.source == group_id:
            rule["self"] = True
        else:
            rule[permission.kind].append(permission.source)
    return list(rules.values())
