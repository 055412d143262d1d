"""Which types and functions there are: one module per AWS service under `resources` and `invokes`.

A module is imported when the first of its types is used, so that a preview loads only what its program names.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping
from types import ModuleType
from typing import Final

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
    known = _canonical(token)
    found = types_of(_service(known)).get(known)
    if found is None:
        raise UnsupportedError(
            f"the aws stand-in has no resource type {token};"
            " use the real aws plugin (7.x), remove the resource, or add the type (CONTRIBUTING.md says how)"
        )
    return found


def function(token: str) -> Function:
    """The function of a token such as `aws:ec2/getVpc:getVpc`."""
    known = _canonical(token)
    module = _module("invokes", _service(known))
    functions = [member for member in vars(module).values() if isinstance(member, Function)] if module else []
    found = next((each for each in functions if each.token == known), None)
    if found is None:
        raise UnsupportedError(
            f"the aws stand-in has no function {token}; use the real aws plugin (7.x), or remove the call"
        )
    return found


def _service(token: str) -> str:
    return token.partition(":")[2].partition("/")[0]


def _canonical(token: str) -> str:
    service = _service(token)
    return token.replace(f":{service}/", f":{_SAME_SERVICE.get(service, service)}/", 1)


def _module(kind: str, service: str) -> ModuleType | None:
    if not service.isidentifier():
        return None
    name = f"{__package__}.{kind}.{service}"
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name:
            return None
        raise


@functools.cache
def types_of(service: str) -> Mapping[str, Resource]:
    """The types of a service: each class with a token in its module, or in a module of its package."""
    whole = _module("resources", service)
    if whole is None:
        return {}
    parts = pkgutil.iter_modules(getattr(whole, "__path__", ()), f"{whole.__name__}.")
    modules = [whole, *(importlib.import_module(part.name) for part in parts)]
    members = [member for module in modules for member in vars(module).values() if isinstance(member, type)]
    types = [member for member in members if issubclass(member, Resource) and "token" in vars(member)]
    return {each.token: each() for each in types}
