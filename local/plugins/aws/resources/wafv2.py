"""WAF: web ACLs, what they log, and their association with a load balancer.

Doesn't own rules given as one document, captchas and challenges, and what an ACL answers or hides.
Sources of what replaces: `ForceNew` in web_acl.go, web_acl_association.go and
web_acl_logging_configuration.go of
https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/wafv2
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..comparison import is_nothing
from ..modelled import Ask, Modelled
from ..naming import AutoName
from ..resource import Call, facts, names, pairs

_CHANGED: Final = ("defaultAction", "description", "rules", "visibilityConfig")


def same_rules(old: Any, new: Any) -> bool:
    """Whether two lists of rules say the same, in any order; an empty block (`count: {}`) says something."""
    return _by_priority(old) == _by_priority(new)


def _by_priority(rules: Any) -> list[Any]:
    return sorted((_said(rule) for rule in rules or ()), key=lambda rule: int(rule.get("priority", 0)))


def _said(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: _said(member)
            for name, member in value.items()
            if isinstance(member, Mapping) or not is_nothing(member)
        }
    return [_said(member) for member in value] if isinstance(value, list) else value


class WebAcl(Modelled):
    """An ACL of the scope REGIONAL or CLOUDFRONT; every change of it names the lock token of the last one."""

    token = "aws:wafv2/webAcl:WebAcl"
    key = "id/name/scope"
    identity = "id"
    made_by = Ask("CreateWebACL", "Summary")
    read_by = (Ask("GetWebACL"), Ask("GetWebACL", "WebACL"))
    changed_by = (Ask("UpdateWebACL", only=_CHANGED, whole=True),)
    deleted_by = Ask("DeleteWebACL")
    replacing = names("name scope")
    lacking = names("""associationConfig captchaConfig challengeConfig customResponseBodies
        dataProtectionConfig monetizationConfig namePrefix ruleJson tokenDomains""")
    auto_name = AutoName(max_length=128)
    same = facts(rules=same_rules)

    def _ask(self, call: Call, ask: Ask, arguments: Mapping[str, Any]) -> Any:
        if ask in (*self.changed_by, self.deleted_by):
            found = super()._ask(call, self.read_by[0], arguments)
            arguments = {**arguments, "lockToken": found["LockToken"]}
        return super()._ask(call, ask, arguments)


class WebAclAssociation(Modelled):
    token = "aws:wafv2/webAclAssociation:WebAclAssociation"
    key = "webAclArn,resourceArn"
    made_by = Ask("AssociateWebACL")
    read_by = (Ask("GetWebACLForResource", "WebACL", same=("webAclArn",)),)
    deleted_by = Ask("DisassociateWebACL")
    # What was made a moment ago isn't known everywhere yet.
    passing = names("WAFUnavailableEntityException")
    named = pairs("webAclArn=WebACLArn|ARN")
    replacing = names("resourceArn webAclArn")


class WebAclLoggingConfiguration(Modelled):
    """What an ACL logs, and where; its id is the ACL's ARN."""

    token = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
    key = "resourceArn"
    made_by = Ask("PutLoggingConfiguration", whole=True)
    read_by = (Ask("GetLoggingConfiguration", "LoggingConfiguration"),)
    deleted_by = Ask("DeleteLoggingConfiguration")
    within = "LoggingConfiguration"
    replacing = names("logDestinationConfigs resourceArn")
