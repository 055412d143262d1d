"""Security group rules that have an id of their own.

Their other end is a range of IPv4 or a group of the same account; the rest is refused by name.
Source of what replaces: vpc_security_group_ingress_rule.go of
https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/ec2
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ..modelled import Ask
from ..resource import Answer, Inputs, Outputs, State, facts, names
from .ec2.common import Ec2
from .ec2.permissions import ALL, protocol_name
from .ec2.security_groups import NO_GROUP, same_protocol

_SOURCES: Final = ("cidrIpv4", "referencedSecurityGroupId")
# A rule to be made is told by its sources, a rule to be changed by its members.
_MADE: Final = "IpPermissions"
_CHANGED: Final = "SecurityGroupRules.SecurityGroupRule"


class _Rule(Ec2):
    kind = "security-group-rule"
    read_by = (Ask("DescribeSecurityGroupRules", "SecurityGroupRules"),)
    changed_by = (Ask("ModifySecurityGroupRules", whole=True),)
    named = facts(
        {
            "id": "SecurityGroupRules.SecurityGroupRuleId|SecurityGroupRuleIds|SecurityGroupRuleId",
            "arn": "SecurityGroupRuleArn",
            "securityGroupId": "GroupId",
            **{
                name: f"{_MADE}.{name}|{_CHANGED}.{name}|{name}"
                for name in ("fromPort", "ipProtocol", "toPort")
            },
            **{name: f"{_CHANGED}.{name}|{name}" for name in ("cidrIpv4", "description")},
            "referencedSecurityGroupId": f"{_CHANGED}.ReferencedGroupId|ReferencedGroupInfo.GroupId",
            "ranges": f"{_MADE}.IpRanges",
            "groups": f"{_MADE}.UserIdGroupPairs",
        }
    )
    replacing = names("securityGroupId")
    lacking = names("cidrIpv6 prefixListId")
    exclusive = (_SOURCES,)
    same = facts(ipProtocol=same_protocol)
    missing = NO_GROUP | {"InvalidPermission.NotFound", "InvalidSecurityGroupRuleId.NotFound"}

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        if not any(name in inputs for name in _SOURCES):
            yield "cidrIpv4", f"one of {', '.join(f'`{name}`' for name in _SOURCES)} must be given"

    def shaped(self, inputs: Inputs) -> Inputs:
        text = {"description": inputs["description"]} if inputs.get("description") else {}
        block, group = inputs.get("cidrIpv4"), inputs.get("referencedSecurityGroupId")
        return {
            **inputs,
            "ipProtocol": protocol_name(inputs["ipProtocol"]),
            "ranges": [{"cidrIp": block, **text}] if block else [],
            "groups": [{"groupId": group, **text}] if group else [],
        }

    def told(self, outputs: Outputs, found: Answer, state: State) -> Outputs | None:
        protocol = protocol_name(found["IpProtocol"])
        # EC2 says -1 where all ports are meant; the argument says nothing.
        everywhere = protocol == ALL and found.get("FromPort") in (None, -1)
        return {
            **{name: value or None for name, value in outputs.items()},
            "fromPort": None if everywhere else found.get("FromPort"),
            "ipProtocol": protocol,
            "securityGroupRuleId": found["SecurityGroupRuleId"],
            "toPort": None if everywhere else found.get("ToPort"),
        }


class SecurityGroupIngressRule(_Rule):
    token = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    made_by = Ask("AuthorizeSecurityGroupIngress", "SecurityGroupRules")
    deleted_by = Ask("RevokeSecurityGroupIngress", only=("securityGroupId",))


class SecurityGroupEgressRule(_Rule):
    token = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
    made_by = Ask("AuthorizeSecurityGroupEgress", "SecurityGroupRules")
    deleted_by = Ask("RevokeSecurityGroupEgress", only=("securityGroupId",))
