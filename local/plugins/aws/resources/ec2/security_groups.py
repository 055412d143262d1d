"""Security groups: with their rules inside, the default group of a VPC, and the old rule resource.

A group that is made here starts without rules: the real provider takes away the rule that AWS gives every new
group, the one that lets everything out. The rule resources of release 6 and later are in the module `vpc`.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from ...documents import Same
from ...naming import AutoName
from ...resource import Call, Inputs, Resource, State, name_of, tag_map
from ...session import AwsError
from ..calls import one, retried, unless_absent
from . import permissions
from .permissions import Permission
from .tags import tag_specifications, update_tags

NO_GROUP: Final = ("InvalidGroup.NotFound", "InvalidGroupId.Malformed", "InvalidSecurityGroupID.NotFound")
NO_RULE: Final = ("InvalidPermission.NotFound", "InvalidSecurityGroupRuleId.NotFound")
_DIRECTIONS: Final = ("ingress", "egress")
_RULE_SETS: Final = frozenset(
    f"{direction}{member}"
    for direction in _DIRECTIONS
    for member in ("", ".cidrBlocks", ".ipv6CidrBlocks", ".prefixListIds", ".securityGroups")
)


def same_protocol(left: Any, right: Any) -> bool:
    """Whether two spellings name one protocol (`tcp` and `6`)."""
    return permissions.protocol_name(left) == permissions.protocol_name(right)


_SAME_PROTOCOL: Final[Mapping[str, Same]] = {
    f"{direction}.protocol": same_protocol for direction in _DIRECTIONS
}


def find_group(ec2: Any, group_id: str) -> dict[str, Any] | None:
    """The group as DescribeSecurityGroups has it."""
    return one(
        unless_absent(lambda: ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"], *NO_GROUP)
    )


def _in_aws(group: Mapping[str, Any], direction: str) -> list[Permission]:
    return permissions.of_aws(
        group.get("IpPermissions" if direction == "ingress" else "IpPermissionsEgress", [])
    )


def _authorize(ec2: Any, group_id: str, direction: str, wanted: list[Permission]) -> None:
    if wanted:
        ask = getattr(ec2, f"authorize_security_group_{direction}")
        unless_absent(
            lambda: ask(GroupId=group_id, IpPermissions=permissions.to_aws(wanted)),
            "InvalidPermission.Duplicate",
        )


def _revoke(ec2: Any, group_id: str, direction: str, unwanted: list[Permission]) -> None:
    if unwanted:
        ask = getattr(ec2, f"revoke_security_group_{direction}")
        unless_absent(lambda: ask(GroupId=group_id, IpPermissions=permissions.to_aws(unwanted)), NO_RULE[0])


def _make_rules(ec2: Any, group_id: str, inputs: Inputs) -> None:
    """Makes the rules of each direction that is given those of the inputs, and leaves the other alone."""
    group = find_group(ec2, group_id) or {}
    for direction in _DIRECTIONS:
        if inputs.get(direction) is None:
            continue
        wanted = permissions.of_arguments(inputs[direction], group_id)
        there = _in_aws(group, direction)
        _revoke(ec2, group_id, direction, [p for p in there if p not in wanted])
        _authorize(ec2, group_id, direction, [p for p in wanted if p not in there])


def _outputs(call: Call, group: Mapping[str, Any], state: State) -> dict[str, Any]:
    group_id = str(group["GroupId"])
    return {
        "arn": call.arn("ec2", f"security-group/{group_id}"),
        "description": group["Description"],
        **{
            direction: permissions.to_arguments(_in_aws(group, direction), group_id, state.get(direction))
            for direction in _DIRECTIONS
        },
        "name": group["GroupName"],
        "namePrefix": state.get("namePrefix") or "",
        "ownerId": group["OwnerId"],
        "tagsAll": tag_map(group.get("Tags")),
        "vpcId": group.get("VpcId", ""),
    }


class SecurityGroup(Resource):
    token = "aws:ec2/securityGroup:SecurityGroup"
    auto_name = AutoName()
    defaults: ClassVar = {"description": "Managed by Pulumi", "revokeRulesOnDelete": False}
    exclusive = (("name", "namePrefix"),)
    sets = _RULE_SETS
    same: ClassVar = _SAME_PROTOCOL
    kept = frozenset({"revokeRulesOnDelete"})

    def create(self, call: Call, inputs: Inputs) -> str:
        ec2 = call.client("ec2")
        vpc_id = {"VpcId": inputs["vpcId"]} if inputs.get("vpcId") else {}
        group_id = str(
            ec2.create_security_group(
                GroupName=name_of(inputs),
                Description=inputs["description"],
                **vpc_id,
                **tag_specifications("security-group", inputs),
            )["GroupId"]
        )
        call.wait_until(f"security group {group_id} is there", lambda: bool(find_group(ec2, group_id)), 300)
        group = find_group(ec2, group_id) or {}
        _revoke(ec2, group_id, "egress", _in_aws(group, "egress"))
        _make_rules(ec2, group_id, inputs)
        return group_id

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        group = find_group(call.client("ec2"), resource_id)
        return None if group is None else _outputs(call, group, state)

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        ec2 = call.client("ec2")
        _make_rules(ec2, resource_id, new)
        update_tags(ec2, resource_id, old, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        ec2 = call.client("ec2")
        group = find_group(ec2, resource_id)
        if group is None:
            return
        if state.get("revokeRulesOnDelete"):
            for direction in _DIRECTIONS:
                _revoke(ec2, resource_id, direction, _in_aws(group, direction))
        # A stopping task's network interface, and rules of other groups, hold it for a while.
        retried(
            call,
            f"security group {resource_id} is free",
            lambda: unless_absent(lambda: ec2.delete_security_group(GroupId=resource_id), *NO_GROUP),
            "DependencyViolation",
            "InvalidGroup.InUse",
            default_timeout_seconds=900,
        )


class DefaultSecurityGroup(Resource):
    """The group that every VPC has. It is adopted, emptied of rules, and left as it is when let go."""

    token = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
    sets = _RULE_SETS
    same: ClassVar = _SAME_PROTOCOL
    kept = frozenset({"revokeRulesOnDelete"})

    def create(self, call: Call, inputs: Inputs) -> str:
        ec2 = call.client("ec2")
        filters = [{"Name": "group-name", "Values": ["default"]}]
        if inputs.get("vpcId"):
            filters.append({"Name": "vpc-id", "Values": [inputs["vpcId"]]})
        group = one(ec2.describe_security_groups(Filters=filters)["SecurityGroups"])
        if group is None:
            raise AwsError(f"no default security group in {inputs.get('vpcId') or 'the default VPC'}")
        group_id = str(group["GroupId"])
        _make_rules(ec2, group_id, {direction: inputs.get(direction) or [] for direction in _DIRECTIONS})
        update_tags(ec2, group_id, {"tagsAll": tag_map(group.get("Tags"))}, inputs)
        return group_id

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        group = find_group(call.client("ec2"), resource_id)
        return None if group is None else _outputs(call, group, state)

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        ec2 = call.client("ec2")
        _make_rules(ec2, resource_id, {direction: new.get(direction) or [] for direction in _DIRECTIONS})
        update_tags(ec2, resource_id, old, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        """Nothing: AWS doesn't delete it."""


class SecurityGroupRule(Resource):
    """A rule in the old form, with any number of sources.

    An import names `GROUP_TYPE_PROTOCOL_FROM_TO_SOURCE`, more sources each after another underscore.
    """

    token = "aws:ec2/securityGroupRule:SecurityGroupRule"
    delete_before_replace = True
    sets = frozenset({"cidrBlocks", "ipv6CidrBlocks", "prefixListIds"})
    same: ClassVar = {"protocol": same_protocol}

    def create(self, call: Call, inputs: Inputs) -> str:
        _authorize(call.client("ec2"), inputs["securityGroupId"], inputs["type"], self._permissions(inputs))
        return self._id(inputs)

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        rule = state if state.get("securityGroupId") else self._imported(resource_id)
        if rule is None:
            return None
        group_id = str(rule["securityGroupId"])
        group = find_group(call.client("ec2"), group_id)
        if group is None:
            return None
        there = _in_aws(group, str(rule["type"]))
        wanted = self._permissions(rule)
        kept = [p for p in wanted if any(self._key(p) == self._key(other) for other in there)]
        if not kept:
            return None
        texts = {self._key(p): p.description for p in there}
        return {
            "cidrBlocks": [p.source for p in kept if p.kind == "cidrBlocks"],
            "description": texts[self._key(kept[0])],
            "ipv6CidrBlocks": [p.source for p in kept if p.kind == "ipv6CidrBlocks"],
            "prefixListIds": [p.source for p in kept if p.kind == "prefixListIds"],
            "protocol": kept[0].protocol,
            "securityGroupId": group_id,
            "securityGroupRuleId": state.get("securityGroupRuleId") or "",
            "self": bool(rule.get("self")),
            "sourceSecurityGroupId": rule.get("sourceSecurityGroupId")
            or (group_id if rule.get("self") else ""),
            "type": rule["type"],
            "id": self._id(rule),
            "fromPort": rule["fromPort"],
            "toPort": rule["toPort"],
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        ask = getattr(call.client("ec2"), f"update_security_group_rule_descriptions_{new['type']}")
        ask(GroupId=new["securityGroupId"], IpPermissions=permissions.to_aws(self._permissions(new)))
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        ec2 = call.client("ec2")
        if find_group(ec2, state["securityGroupId"]) is not None:
            _revoke(ec2, state["securityGroupId"], state["type"], self._permissions(state))

    @staticmethod
    def _permissions(rule: Inputs) -> list[Permission]:
        group_id = str(rule["securityGroupId"])
        source = rule.get("sourceSecurityGroupId")
        groups = [source] if source and source != group_id else []
        own = rule.get("self") or source == group_id
        return permissions.of_arguments([{**rule, "securityGroups": groups, "self": own}], group_id)

    @staticmethod
    def _key(permission: Permission) -> tuple[Any, ...]:
        return (
            permission.protocol,
            permission.from_port,
            permission.to_port,
            permission.kind,
            permission.source,
        )

    def _id(self, rule: Inputs) -> str:
        parts = [
            rule["securityGroupId"],
            rule["type"],
            *(str(self._key(p)) for p in sorted(self._permissions(rule))),
        ]
        return f"sgrule-{zlib.crc32('-'.join(map(str, parts)).encode())}"

    @staticmethod
    def _imported(resource_id: str) -> dict[str, Any] | None:
        parts = resource_id.split("_")
        if len(parts) < 6:
            return None
        rule: dict[str, Any] = dict(
            zip(("securityGroupId", "type", "protocol", "fromPort", "toPort"), parts, strict=False)
        )
        for source in parts[5:]:
            if source == "self":
                rule["self"] = True
            elif source.startswith("sg-") or "/sg-" in source:
                rule["sourceSecurityGroupId"] = source
            elif source.startswith("pl-"):
                rule.setdefault("prefixListIds", []).append(source)
            else:
                kind = "ipv6CidrBlocks" if ":" in source else "cidrBlocks"
                rule.setdefault(kind, []).append(source)
        if rule["protocol"] == "all":
            rule["protocol"] = permissions.ALL
        return {**rule, "fromPort": int(rule["fromPort"]), "toPort": int(rule["toPort"])}
