"""WAF: a resource without a web ACL has none, which isn't an error.

Owns that one answer. Deliberately inspects no request.
"""

from __future__ import annotations

from typing import Any

from ministack.services import waf

from local.emulator.completions.patching import Request, Response, wrap


def install() -> None:
    """Completes the association of web ACLs."""
    wrap(waf, "_get_web_acl_for_resource", _get_web_acl_for_resource)


def _get_web_acl_for_resource(original: Any) -> Any:
    def get(request: Request) -> Response:
        if not waf._associations.get(request.get("ResourceArn", "")):
            none: Response = waf.json_response({})
            return none
        response: Response = original(request)
        return response

    return get
