"""WAF: the association of a web ACL with a load balancer.

Web ACLs themselves aren't served: their statements nest without end, and the program only names one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..resource import Call, Inputs, Resource, State
from .calls import retried, unless_absent

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
        del state
        acl_arn, _, resource_arn = resource_id.partition(",")
        answer = unless_absent(
            lambda: call.client("wafv2").get_web_acl_for_resource(ResourceArn=resource_arn), _ABSENT
        )
        there = (answer or {}).get("WebACL", {}).get("ARN")
        return {"resourceArn": resource_arn, "webAclArn": there} if there == acl_arn else None

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        del call, resource_id, old, new, changed
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        del resource_id
        unless_absent(
            lambda: call.client("wafv2").disassociate_web_acl(ResourceArn=state["resourceArn"]), _ABSENT
        )


RESOURCES: tuple[Resource, ...] = (WebAclAssociation(),)
