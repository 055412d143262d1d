"""Which types and functions there are: one module per AWS service under `resources` and `invokes`.

A module is imported when the first of its types is used, so that a preview loads only what its program names.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from typing import Any, Final

from .resource import Function, Resource

# Older names of the same service in the SDK.
_SAME_SERVICE: Final[Mapping[str, str]] = {
    "alb": "lb",
    "applicationloadbalancing": "lb",
    "elasticloadbalancingv2": "lb",
}


class UnsupportedError(Exception):
    """The stand-in doesn't serve this type or function."""


def resource(token: str) -> Resource:
    """The type of a token such as `aws:ecs/service:Service`."""
    found = _members("resources", token).get(_canonical(token))
    if not isinstance(found, Resource):
        raise UnsupportedError(
            f"the aws stand-in has no resource type {token};"
            " use the real aws plugin (7.x), remove the resource, or add the type (CONTRIBUTING.md says how)"
        )
    return found


def function(token: str) -> Function:
    """The function of a token such as `aws:ec2/getVpc:getVpc`."""
    found = _members("invokes", token).get(_canonical(token))
    if not isinstance(found, Function):
        raise UnsupportedError(
            f"the aws stand-in has no function {token}; use the real aws plugin (7.x), or remove the call"
        )
    return found


def _service(token: str) -> str:
    return token.partition(":")[2].partition("/")[0]


def _canonical(token: str) -> str:
    service = _service(token)
    return token.replace(f":{service}/", f":{_SAME_SERVICE.get(service, service)}/", 1)


@functools.cache
def _members(kind: str, token: str) -> Mapping[str, Any]:
    service = _service(_canonical(token))
    if not service.isidentifier():
        return {}
    name = f"{__package__}.{kind}.{service}"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name:
            return {}
        raise
    members = module.RESOURCES if kind == "resources" else module.FUNCTIONS
    return {member.token: member for member in members}
