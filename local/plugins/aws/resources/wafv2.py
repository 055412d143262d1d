"""WAF: web ACLs, what they log, and their association with a load balancer.

An ACL's rules go to AWS and come back by one spelling for all: WAF's members are Pulumi's with a capital.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from ..naming import AutoName
from ..resource import Call, Inputs, Resource, State, name_of, tag_list, tag_map
from .calls import change_tags, given, retried, touched, unless_absent
from .spelling import camel, pascal

_ABSENT: Final = "WAFNonexistentItemException"


class WebAclAssociation(Resource):
    """Its id joins the ACL's and the resource's ARNs by a comma."""

    token = "aws:wafv2/webAclAssociation:WebAclAssociation"

    def create(self, call: Call, inputs: Inputs) -> str:
        retried(
            call,
            "the web ACL and the resource are known to WAF",
            lambda: call.client("wafv2").associate_web_acl(
                WebACLArn=inputs["webAclArn"], ResourceArn=inputs["resourceArn"]
            ),
            "WAFUnavailableEntityException",
        )
        return f"{inputs['webAclArn']},{inputs['resourceArn']}"

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        acl_arn, _, resource_arn = resource_id.partition(",")
        answer = unless_absent(
            lambda: call.client("wafv2").get_web_acl_for_resource(ResourceArn=resource_arn), _ABSENT
        )
        there = (answer or {}).get("WebACL", {}).get("ARN")
        return {"resourceArn": resource_arn, "webAclArn": there} if there == acl_arn else None

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        unless_absent(
            lambda: call.client("wafv2").disassociate_web_acl(ResourceArn=state["resourceArn"]), _ABSENT
        )


_WAF_NAMES: Final = MappingProxyType({"cloudwatchMetricsEnabled": "CloudWatchMetricsEnabled"})
_PULUMI_NAMES: Final = MappingProxyType({waf: pulumi for pulumi, waf in _WAF_NAMES.items()})


def to_waf(value: Any) -> Any:
    """A block of arguments as WAF's request has it, without what isn't set."""
    return pascal(value, _WAF_NAMES)


def from_waf(value: Any) -> Any:
    """A block of WAF's answer by Pulumi's names."""
    return camel(value, _PULUMI_NAMES)


def same_rules(old: Any, new: Any) -> bool:
    """Whether two lists of rules say the same, in any order; an empty block (`count: {}`) says something."""
    return _by_priority(old) == _by_priority(new)


def _by_priority(rules: Any) -> list[Any]:
    return sorted(to_waf(list(rules or [])), key=lambda rule: int(rule["Priority"]))


class WebAcl(Resource):
    """An ACL of the scope REGIONAL or CLOUDFRONT; every change of it names the lock token of the last one."""

    token = "aws:wafv2/webAcl:WebAcl"
    auto_name = AutoName(max_length=128)
    exclusive = (("name", "namePrefix"), ("rules", "ruleJson"))
    same = MappingProxyType({"rules": same_rules})
    missing = frozenset({_ABSENT})
    when_absent = MappingProxyType({"ruleJson": ""})

    def check(self, inputs: Inputs) -> list[tuple[str, str]]:
        """Refuses arguments that are never read back here, rather than to forget them."""
        return [
            (name, f"the aws stand-in doesn't serve `{name}` of a web ACL; use the real aws plugin")
            for name in ("ruleJson", "associationConfig", "captchaConfig", "challengeConfig", "tokenDomains")
            if inputs.get(name)
        ]

    def create(self, call: Call, inputs: Inputs) -> str:
        summary = call.client("wafv2").create_web_acl(
            Name=name_of(inputs),
            Scope=inputs["scope"],
            **self._request(inputs),
            **({"Tags": tag_list(inputs["tags"])} if inputs.get("tags") else {}),
        )["Summary"]
        return str(summary["Id"])

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        found = self._find(call, resource_id, state)
        if found is None:
            return None
        acl = found["WebACL"]
        tags = call.client("wafv2").list_tags_for_resource(ResourceARN=acl["ARN"])["TagInfoForResource"]
        return {
            "arn": acl["ARN"],
            "capacity": int(acl.get("Capacity") or 0),
            "defaultAction": from_waf(acl["DefaultAction"]),
            "description": acl.get("Description", ""),
            "lockToken": found["LockToken"],
            "name": acl["Name"],
            "namePrefix": state.get("namePrefix", ""),
            "rules": sorted(from_waf(acl.get("Rules", [])), key=lambda rule: int(rule["priority"])),
            "scope": state.get("scope") or "REGIONAL",
            "tagsAll": tag_map(tags.get("TagList")),
            "visibilityConfig": from_waf(acl["VisibilityConfig"]),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        wafv2 = call.client("wafv2")
        if touched(changed, "defaultAction", "description", "rules", "visibilityConfig"):
            found = self._find(call, resource_id, new) or {}
            wafv2.update_web_acl(
                Name=found["WebACL"]["Name"],
                Id=resource_id,
                Scope=new["scope"],
                LockToken=found["LockToken"],
                **self._request(new),
            )
        change_tags(wafv2, old["arn"], old, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        found = self._find(call, resource_id, state)
        if found is not None:
            call.client("wafv2").delete_web_acl(
                Name=state["name"], Id=resource_id, Scope=state["scope"], LockToken=found["LockToken"]
            )

    @staticmethod
    def _request(inputs: Inputs) -> dict[str, Any]:
        return {
            "DefaultAction": to_waf(inputs["defaultAction"]),
            "Rules": to_waf(list(inputs.get("rules") or [])),
            "VisibilityConfig": to_waf(inputs["visibilityConfig"]),
            **given(inputs, Description="description"),
        }

    @staticmethod
    def _find(call: Call, resource_id: str, state: State) -> dict[str, Any] | None:
        # An import names the ACL by its id, its name and its scope, joined by slashes.
        acl_id, _, rest = resource_id.partition("/")
        name, _, scope = rest.partition("/")
        return unless_absent(
            lambda: dict(
                call.client("wafv2").get_web_acl(
                    Id=acl_id,
                    Name=name or state.get("name") or acl_id,
                    Scope=scope or state.get("scope") or "REGIONAL",
                )
            ),
            _ABSENT,
        )


class WebAclLoggingConfiguration(Resource):
    """What an ACL logs, and where; its id is the ACL's ARN."""

    token = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
    missing = frozenset({_ABSENT})

    def create(self, call: Call, inputs: Inputs) -> str:
        self._put(call, inputs)
        return str(inputs["resourceArn"])

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        found = call.client("wafv2").get_logging_configuration(ResourceArn=resource_id)
        logging = found["LoggingConfiguration"]
        return {
            "logDestinationConfigs": logging["LogDestinationConfigs"],
            "loggingFilter": from_waf(logging["LoggingFilter"]) if logging.get("LoggingFilter") else None,
            "redactedFields": from_waf(logging.get("RedactedFields") or []) or None,
            "resourceArn": logging["ResourceArn"],
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        self._put(call, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        unless_absent(
            lambda: call.client("wafv2").delete_logging_configuration(ResourceArn=resource_id), _ABSENT
        )

    @staticmethod
    def _put(call: Call, inputs: Inputs) -> None:
        call.client("wafv2").put_logging_configuration(
            LoggingConfiguration={
                "ResourceArn": inputs["resourceArn"],
                "LogDestinationConfigs": list(inputs["logDestinationConfigs"]),
                **({"LoggingFilter": to_waf(inputs["loggingFilter"])} if inputs.get("loggingFilter") else {}),
                **(
                    {"RedactedFields": to_waf(list(inputs["redactedFields"]))}
                    if inputs.get("redactedFields")
                    else {}
                ),
            }
        )


RESOURCES: tuple[Resource, ...] = (WebAcl(), WebAclAssociation(), WebAclLoggingConfiguration())
