"""Security group rules that have an id of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..resource import Call, Inputs, Resource, State, tag_map
from .calls import one, unless_absent
from .ec2.permissions import ALL, protocol_name
from .ec2.security_groups import NO_GROUP, NO_RULE, same_protocol
from .ec2.tags import tag_specifications, update_tags

_SOURCES = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")


class _Rule(Resource):
    direction: ClassVar[str]
    exclusive = (_SOURCES,)
    same: ClassVar = {"ipProtocol": same_protocol}

    def check(self, inputs: Inputs) -> list[tuple[str, str]]:
        if not any(name in inputs for name in _SOURCES):
            return [("cidrIpv4", f"one of {', '.join(f'`{name}`' for name in _SOURCES)} must be given")]
        return []

    def create(self, call: Call, inputs: Inputs) -> str:
        ask = getattr(call.client("ec2"), f"authorize_security_group_{self.direction}")
        answer = ask(
            GroupId=inputs["securityGroupId"],
            IpPermissions=[self._permission(inputs)],
            **tag_specifications("security-group-rule", inputs),
        )
        return str(answer["SecurityGroupRules"][0]["SecurityGroupRuleId"])

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        rule = self._find(call, resource_id)
        if rule is None:
            return None
        protocol = protocol_name(rule["IpProtocol"])
        # EC2 says -1 where all ports are meant; the argument says nothing.
        open_ports = protocol == ALL and rule.get("FromPort") in (None, -1)
        group = rule.get("ReferencedGroupInfo", {})
        referenced = group.get("GroupId")
        if referenced and "/" in str(state.get("referencedSecurityGroupId") or ""):
            referenced = f"{group.get('UserId')}/{referenced}"
        return {
            "arn": rule.get("SecurityGroupRuleArn") or call.arn("ec2", f"security-group-rule/{resource_id}"),
            "cidrIpv4": rule.get("CidrIpv4"),
            "cidrIpv6": rule.get("CidrIpv6"),
            "description": rule.get("Description") or None,
            "fromPort": None if open_ports else rule.get("FromPort"),
            "ipProtocol": protocol,
            "prefixListId": rule.get("PrefixListId"),
            "referencedSecurityGroupId": referenced,
            "securityGroupId": rule["GroupId"],
            "securityGroupRuleId": resource_id,
            "tagsAll": tag_map(rule.get("Tags")),
            "toPort": None if open_ports else rule.get("ToPort"),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        ec2 = call.client("ec2")
        if not changed or changed - {"tags"}:
            ec2.modify_security_group_rules(
                GroupId=new["securityGroupId"],
                SecurityGroupRules=[
                    {"SecurityGroupRuleId": resource_id, "SecurityGroupRule": self._request(new)}
                ],
            )
        update_tags(ec2, resource_id, old, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        ask = getattr(call.client("ec2"), f"revoke_security_group_{self.direction}")
        unless_absent(
            lambda: ask(GroupId=state["securityGroupId"], SecurityGroupRuleIds=[resource_id]),
            *NO_RULE,
            *NO_GROUP,
        )

    def _find(self, call: Call, resource_id: str) -> dict[str, Any] | None:
        rule = one(
            unless_absent(
                lambda: call.client("ec2").describe_security_group_rules(SecurityGroupRuleIds=[resource_id])[
                    "SecurityGroupRules"
                ],
                *NO_RULE,
            )
        )
        return rule if rule and rule.get("IsEgress", False) == (self.direction == "egress") else None

    @staticmethod
    def _ports(inputs: Inputs) -> dict[str, int]:
        return {
            parameter: int(inputs[name])
            for parameter, name in (("FromPort", "fromPort"), ("ToPort", "toPort"))
            if inputs.get(name) is not None
        }

    def _permission(self, inputs: Inputs) -> dict[str, Any]:
        """The rule as authorizing takes it."""
        text = {"Description": inputs["description"]} if inputs.get("description") else {}
        permission: dict[str, Any] = {
            "IpProtocol": protocol_name(inputs["ipProtocol"]),
            **self._ports(inputs),
        }
        if inputs.get("cidrIpv4"):
            permission["IpRanges"] = [{"CidrIp": inputs["cidrIpv4"], **text}]
        if inputs.get("cidrIpv6"):
            permission["Ipv6Ranges"] = [{"CidrIpv6": inputs["cidrIpv6"], **text}]
        if inputs.get("prefixListId"):
            permission["PrefixListIds"] = [{"PrefixListId": inputs["prefixListId"], **text}]
        if inputs.get("referencedSecurityGroupId"):
            account, _, group = str(inputs["referencedSecurityGroupId"]).rpartition("/")
            user = {"UserId": account} if account else {}
            permission["UserIdGroupPairs"] = [{"GroupId": group, **user, **text}]
        return permission

    def _request(self, inputs: Inputs) -> dict[str, Any]:
        """The rule as modifying takes it."""
        request: dict[str, Any] = {"IpProtocol": protocol_name(inputs["ipProtocol"]), **self._ports(inputs)}
        for parameter, name in (
            ("CidrIpv4", "cidrIpv4"),
            ("CidrIpv6", "cidrIpv6"),
            ("PrefixListId", "prefixListId"),
            ("ReferencedGroupId", "referencedSecurityGroupId"),
            ("Description", "description"),
        ):
            if inputs.get(name):
                request[parameter] = (
                    str(inputs[name]).rpartition("/")[2] if "Group" in parameter else inputs[name]
                )
        return request


class SecurityGroupIngressRule(_Rule):
    token = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    direction = "ingress"


class SecurityGroupEgressRule(_Rule):
    token = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
    direction = "egress"


RESOURCES: tuple[Resource, ...] = (SecurityGroupEgressRule(), SecurityGroupIngressRule())
