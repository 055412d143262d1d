"""EC2's security groups: each target of a permission is a rule with an id of its own, made and revoked once.

Owns the rules; a group itself is ministack's, whose rules have ids that change with them, and which takes one
twice, revokes what isn't there and deletes a group in use.
Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html,
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html,
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from ministack.core.responses import AccountRegionScopedDict, get_account_id

from local.emulator.completions.ec2 import (
    Record,
    all_tags,
    ask_ec2,
    described,
    existing,
    forget_tags,
    interfaces,
    new_id,
    tag_as_asked,
    used_elsewhere,
)
from local.emulator.completions.ec2_subnets import vpcs
from local.emulator.completions.patching import AwsError, Request
from local.emulator.completions.protocols import Action, Result, serve

# By number or by name, a rule is the same one. Ports count for these alone: "-1 or a protocol number other
# than tcp, udp, icmp, or icmpv6 allows traffic on all ports, regardless of any port range you specify"
# (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html).
_PROTOCOLS_WITH_PORTS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}
# What a rule calls its target, and where a permission has it.
_TARGETS = {
    "CidrIpv4": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "PrefixListId": ("PrefixListIds", "PrefixListId"),
    "ReferencedGroupInfo": ("UserIdGroupPairs", "GroupId"),
}
_EGRESS = {"Ingress": False, "Egress": True}

_rules = AccountRegionScopedDict()
"""A group's rules by its id; of one that nobody changed there is no entry."""


def install() -> None:
    """Completes security groups."""
    actions: dict[str, Action] = {
        "CreateSecurityGroup": _create_security_group,
        "DeleteSecurityGroup": _delete_security_group,
        "DescribeSecurityGroups": _describe_security_groups,
        "DescribeSecurityGroupRules": described(
            "SecurityGroupRuleId", "SecurityGroupRules", _all_rules, "InvalidSecurityGroupRuleId.NotFound"
        ),
        "ModifySecurityGroupRules": _modify_security_group_rules,
    }
    for direction, egress in _EGRESS.items():
        actions |= {
            f"AuthorizeSecurityGroup{direction}": _authorize(egress=egress),
            f"RevokeSecurityGroup{direction}": _revoke(egress=egress),
        }
    serve("ec2", actions)


def security_groups() -> dict[str, Record]:
    """The security groups of account and region, by id."""
    return {group["GroupId"]: group for group in ask_ec2("DescribeSecurityGroups")["SecurityGroups"]}


# Groups


def _create_security_group(request: Request) -> Result:
    name, vpc = request.get("GroupName", ""), request.get("VpcId")
    if name.startswith("sg-"):
        raise AwsError(
            "InvalidParameterValue", f"invalid value for parameter groupName: {name}; it begins with sg-"
        )
    if vpc:
        existing(vpcs(), vpc, "InvalidVpcID.NotFound", "vpc ID")
    return ask_ec2("CreateSecurityGroup", request)


def _delete_security_group(request: Request) -> Result:
    group = request.get("GroupId", "")
    of_interfaces = (each["GroupId"] for one in interfaces().values() for each in one["Groups"])
    of_rules = (
        rule.get("ReferencedGroupInfo", {}).get("GroupId")
        for rule in _all_rules().values()
        if rule["GroupId"] != group
    )
    if used_elsewhere(group) or group in of_interfaces or group in of_rules:
        raise AwsError("DependencyViolation", f"resource {group} has a dependent object")
    answer = ask_ec2("DeleteSecurityGroup", request)
    _rules.pop(group, None)
    return answer


def _describe_security_groups(request: Request) -> Result:
    answer = ask_ec2("DescribeSecurityGroups", request)
    for group in answer["SecurityGroups"]:
        rules = _rules_of(group["GroupId"])
        group["IpPermissions"] = _permissions([rule for rule in rules if not rule["IsEgress"]])
        group["IpPermissionsEgress"] = _permissions([rule for rule in rules if rule["IsEgress"]])
    return answer


def _permissions(rules: list[Record]) -> list[Record]:
    """The rules as a group shows them: one permission per protocol and ports, with all its targets."""
    permissions: dict[Any, Record] = {}
    for rule in rules:
        same = (rule["IpProtocol"], rule["FromPort"], rule["ToPort"])
        permission = permissions.setdefault(
            same, {"IpProtocol": same[0]} | {member: [] for member, _ in _TARGETS.values()}
        )
        if rule["IpProtocol"] in _PROTOCOLS_WITH_PORTS.values():
            permission |= {"FromPort": same[1], "ToPort": same[2]}
        name = next(name for name in _TARGETS if name in rule)
        member, key = _TARGETS[name]
        entry = dict(rule[name]) if name == "ReferencedGroupInfo" else {key: rule[name]}
        permission[member].append(entry | _description(rule))
    return list(permissions.values())


# Rules


def _rules_of(group: str) -> list[Record]:
    """The rules of a group; a new one lets everything out."""
    if group not in _rules:
        everything = {"IpProtocol": "-1", "FromPort": -1, "ToPort": -1, "CidrIpv4": "0.0.0.0/0"}
        _rules[group] = [_new_rule(group, everything, egress=True)]
    found: list[Record] = _rules[group]
    return found


def _new_rule(group: str, rule: Record, *, egress: bool) -> Record:
    return {
        "SecurityGroupRuleId": new_id("sgr"),
        "GroupId": group,
        "GroupOwnerId": get_account_id(),
        "IsEgress": egress,
    } | rule


def _all_rules() -> dict[str, Record]:
    return {rule["SecurityGroupRuleId"]: rule for group in security_groups() for rule in _rules_of(group)}


def _description(of: Record) -> Record:
    return {"Description": of["Description"]} if of.get("Description") else {}


def _group(group: str) -> str:
    existing(security_groups(), group, "InvalidGroup.NotFound", "security group")
    return group


def _with_ports_that_count(rule: Record) -> Record:
    """The rule with its protocol as AWS spells it, and without the ports of a protocol that has none."""
    protocol = str(rule["IpProtocol"]).lower()
    protocol = _PROTOCOLS_WITH_PORTS.get(protocol, protocol)
    counts = protocol in _PROTOCOLS_WITH_PORTS.values()
    ports = {name: rule.get(name, -1) if counts else -1 for name in ("FromPort", "ToPort")}
    return rule | ports | {"IpProtocol": protocol}


def _asked(request: Request) -> Iterator[Record]:
    """The request's permissions as single rules."""
    for permission in request.get("IpPermissions") or []:
        ports = _with_ports_that_count(
            {
                name: permission[name]
                for name in ("IpProtocol", "FromPort", "ToPort")
                if permission.get(name) is not None
            }
        )
        for name, (member, key) in _TARGETS.items():
            for entry in permission.get(member) or []:
                target = _referenced(entry[key]) if name == "ReferencedGroupInfo" else entry[key]
                yield ports | {name: target} | _description(entry)


def _referenced(group: str) -> Record:
    return {"GroupId": group, "UserId": get_account_id()}


def _same(rule: Record, other: Record) -> bool:
    """Whether two rules let the same in or out, whatever they are called."""
    return all(rule.get(name) == other.get(name) for name in ("IpProtocol", "FromPort", "ToPort", *_TARGETS))


def _find(rules: list[Record], rule: Record, *, egress: bool) -> Record | None:
    return next((known for known in rules if known["IsEgress"] == egress and _same(rule, known)), None)


def _authorize(*, egress: bool) -> Action:
    def authorize(request: Request) -> Result:
        group = _group(request["GroupId"])
        rules, asked = _rules_of(group), list(_asked(request))
        for rule in asked:
            _check(rule)
            if _find(rules, rule, egress=egress):
                peer = next(rule[name] for name in _TARGETS if name in rule)
                peer = peer["GroupId"] if isinstance(peer, dict) else peer
                raise AwsError(
                    "InvalidPermission.Duplicate",
                    f'the specified rule "peer: {peer}, {rule["IpProtocol"].upper()}, from port: '
                    f'{rule["FromPort"]}, to port: {rule["ToPort"]}, ALLOW" already exists',
                )
        made = [_new_rule(group, rule, egress=egress) for rule in asked]
        rules += made
        ids = [rule["SecurityGroupRuleId"] for rule in made]
        tag_as_asked(request, "security-group-rule", ids)
        tags = all_tags()
        shown = [rule | {"Tags": tags[rule["SecurityGroupRuleId"]]} for rule in made]
        return {"Return": True, "SecurityGroupRules": shown}

    return authorize


def _check(rule: Record) -> None:
    if "ReferencedGroupInfo" in rule:
        _group(rule["ReferencedGroupInfo"]["GroupId"])
    if "CidrIpv4" in rule:
        try:
            ipaddress.IPv4Network(rule["CidrIpv4"])
        except ValueError as error:
            raise AwsError("InvalidParameterValue", f"CIDR block {rule['CidrIpv4']} is malformed") from error


def _revoke(*, egress: bool) -> Action:
    """Revokes rules by their ids or properties: all of them, or none where the group isn't in a default VPC.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html; that the same
    holds for egress is what the Terraform provider expects of AWS (`resourceSecurityGroupCreate`).
    """

    def revoke(request: Request) -> Result:
        group = _group(request["GroupId"])
        rules = _rules_of(group)
        revoked = [_by_id(rules, rule_id) for rule_id in request.get("SecurityGroupRuleIds") or []]
        asked = [(rule, _find(rules, rule, egress=egress)) for rule in _asked(request)]
        revoked += [found for _, found in asked if found is not None]
        unknown = [rule for rule, found in asked if found is None]
        if unknown and not vpcs()[security_groups()[group]["VpcId"]]["IsDefault"]:
            raise AwsError(
                "InvalidPermission.NotFound", "The specified rule does not exist in this security group."
            )
        rules[:] = [rule for rule in rules if rule not in revoked]
        for rule in revoked:
            forget_tags(rule["SecurityGroupRuleId"])
        return {
            "Return": True,
            "UnknownIpPermissions": _permissions(unknown),
            "RevokedSecurityGroupRules": [
                rule | {"ReferencedGroupId": rule.get("ReferencedGroupInfo", {}).get("GroupId")}
                for rule in revoked
            ],
        }

    return revoke


def _by_id(rules: list[Record], rule_id: str) -> Record:
    of_group = {rule["SecurityGroupRuleId"]: rule for rule in rules}
    return existing(of_group, rule_id, "InvalidSecurityGroupRuleId.NotFound", "security group rule")


def _modify_security_group_rules(request: Request) -> Result:
    rules = _rules_of(_group(request["GroupId"]))
    for update in request.get("SecurityGroupRules") or []:
        rule = _by_id(rules, update["SecurityGroupRuleId"])
        changed = dict(update["SecurityGroupRule"])
        if "ReferencedGroupId" in changed:
            changed["ReferencedGroupInfo"] = _referenced(changed.pop("ReferencedGroupId"))
        kept = (
            rule
            if not changed.keys() & _TARGETS.keys()
            else {name: value for name, value in rule.items() if name not in _TARGETS}
        )
        changed = _with_ports_that_count(kept | changed)
        rule.clear()
        rule.update(changed)
    return {"Return": True}
