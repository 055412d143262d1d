"""Security groups, with their rules inside, and the default group of a VPC.

A group that is made here starts without rules: the real provider takes away the rule that AWS gives every new
group, the one that lets everything out. Rules that are resources of their own are in the module `vpc`; their
old form, `SecurityGroupRule`, is deliberately not here.
Sources of what replaces and of the defaults: vpc_security_group.go and vpc_default_security_group.go of
https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/ec2
"""

from __future__ import annotations

from typing import Any, Final

from ...modelled import Ask
from ...naming import AutoName
from ...resource import Answer, Call, Inputs, Names, Outputs, State, facts, names, pairs, tag_map
from ...session import AwsError
from ..calls import one
from . import permissions
from .common import Ec2

NO_GROUP: Final = names("InvalidGroup.NotFound InvalidGroupId.Malformed InvalidSecurityGroupID.NotFound")
_WAYS: Final = {"ingress": "IpPermissions", "egress": "IpPermissionsEgress"}
_SOURCES: Final = ("cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "securityGroups")


def same_protocol(left: Any, right: Any) -> bool:
    """Whether two spellings name one protocol (`tcp` and `6`)."""
    return permissions.protocol_name(left) == permissions.protocol_name(right)


class _Group(Ec2):
    kind = "security-group"
    read_by = (Ask("DescribeSecurityGroups", "SecurityGroups"),)
    deleted_by = Ask("DeleteSecurityGroup")
    noun = "Group"
    named = pairs("vpcId=VpcId|Filters.vpc-id")
    lacking = names("revokeRulesOnDelete")
    by_hand = Ec2.by_hand | {*_WAYS}
    sets = frozenset({*_WAYS, *(f"{way}.{source}" for way in _WAYS for source in _SOURCES)})
    same = facts({f"{way}.protocol": same_protocol for way in _WAYS})
    kept = names("namePrefix revokeRulesOnDelete")
    missing = NO_GROUP

    def told(self, outputs: Outputs, found: Answer, state: State) -> Outputs:
        rules = {
            way: permissions.to_arguments(
                permissions.of_aws(found.get(member, ())), found["GroupId"], state.get(way)
            )
            for way, member in _WAYS.items()
        }
        return {**outputs, **rules}

    def update(self, call: Call, resource_id: str, old: State, new: Inputs, changed: Names) -> str | None:
        self._make_rules(call, resource_id, new)
        return super().update(call, resource_id, old, new, changed)

    def _make_rules(self, call: Call, group_id: str, inputs: Inputs) -> None:
        """Makes the rules of each way that is given those of the inputs, and leaves the other alone."""
        group = self._first_answer(call, group_id, {})
        for way, member in _WAYS.items():
            if inputs.get(way) is None:
                continue
            wanted = permissions.of_arguments(inputs[way], group_id)
            there = permissions.of_aws(group.get(member, ()))
            for verb, changed in (
                ("Revoke", [each for each in there if each not in wanted]),
                ("Authorize", [each for each in wanted if each not in there]),
            ):
                if changed:
                    request = {"GroupId": group_id, "IpPermissions": permissions.to_aws(changed)}
                    self._send(call, f"{verb}SecurityGroup{way.capitalize()}", request)


class SecurityGroup(_Group):
    token = "aws:ec2/securityGroup:SecurityGroup"
    made_by = Ask("CreateSecurityGroup")
    replacing = names("description name vpcId")
    auto_name = AutoName()
    defaults = facts(description="Managed by Pulumi", revokeRulesOnDelete=False)
    # A stopping task's network interface, and rules of other groups, hold it for a while.
    passing = names("DependencyViolation InvalidGroup.InUse")
    passing_timeout_seconds = 900

    def create(self, call: Call, inputs: Inputs) -> str:
        group_id = super().create(call, inputs)
        self._make_rules(call, group_id, {**inputs, "egress": inputs.get("egress") or []})
        return group_id


class DefaultSecurityGroup(_Group):
    """The group that every VPC has. It is adopted, emptied of rules, and left as it is when let go."""

    token = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
    made_by = Ask(
        "DescribeSecurityGroups",
        "SecurityGroups",
        {"Filters": [{"Name": "group-name", "Values": ["default"]}]},
    )
    replacing = names("vpcId")

    def create(self, call: Call, inputs: Inputs) -> str:
        vpc = {"vpcId": inputs["vpcId"]} if inputs.get("vpcId") else {}
        group = one(self._ask(call, self.made_by, vpc)["SecurityGroups"])
        if group is None:
            raise AwsError(f"no default security group in {inputs.get('vpcId') or 'the default VPC'}")
        group_id = str(group["GroupId"])
        found = {"id": group_id, "tagsAll": tag_map(group.get("Tags"))}
        self.update(call, group_id, found, inputs, frozenset())
        return group_id

    def update(self, call: Call, resource_id: str, old: State, new: Inputs, changed: Names) -> str | None:
        rules = {way: new.get(way) or [] for way in _WAYS}
        return super().update(call, resource_id, old, {**new, **rules}, changed)

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        """Nothing: AWS doesn't delete it."""
