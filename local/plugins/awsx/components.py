"""Which components and functions the stand-in has, by type token; every other one is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local.plugins.awsx import (
    application_load_balancer,
    default_vpc,
    fargate_service,
    fargate_task_definition,
    repository,
    vpc,
)
from local.plugins.awsx.values import Component, ComponentError

COMPONENTS: Mapping[str, Component] = {
    module.TYPE: module.construct
    for module in (
        application_load_balancer,
        default_vpc,
        fargate_service,
        fargate_task_definition,
        repository,
        vpc,
    )
}
FUNCTIONS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "awsx:ec2:getDefaultVpc": default_vpc.get_default_vpc,
}


def component(type_token: str) -> Component:
    """Return the component of a type; raises ComponentError naming it when the stand-in lacks it."""
    if type_token not in COMPONENTS:
        raise ComponentError(_unknown("type", type_token, COMPONENTS))
    return COMPONENTS[type_token]


def function(token: str) -> Callable[[], dict[str, Any]]:
    """Return the function of a token; raises ComponentError naming it when the stand-in lacks it."""
    if token not in FUNCTIONS:
        raise ComponentError(_unknown("function", token, FUNCTIONS))
    return FUNCTIONS[token]


def _unknown(kind: str, token: str, known: Mapping[str, Any]) -> str:
    return (
        f"the local stand-in for awsx doesn't have the {kind} {token}, only {', '.join(sorted(known))}; "
        "use one of these or install the real awsx plugin"
    )
