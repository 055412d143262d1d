"""WAF functions: web ACLs that exist already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..resource import Call, Function, Inputs


def _get_web_acl(call: Call, args: Inputs) -> Mapping[str, Any]:
    wafv2 = call.client("wafv2")
    marker: dict[str, str] = {}
    while True:
        page = wafv2.list_web_acls(Scope=args["scope"], **marker)
        for acl in page["WebACLs"]:
            if acl["Name"] == args.get("name"):
                return {
                    "arn": acl["ARN"],
                    "description": acl.get("Description", ""),
                    "id": acl["Id"],
                    "name": acl["Name"],
                    "scope": args["scope"],
                }
        if not page.get("NextMarker") or not page["WebACLs"]:
            raise LookupError(f"no web ACL of scope {args['scope']} is named {args.get('name')}")
        marker = {"NextMarker": page["NextMarker"]}


FUNCTIONS: tuple[Function, ...] = (
    Function("aws:wafv2/getWebAcl:getWebAcl", _get_web_acl, required=("name", "scope")),
)
