"""Which components the stand-in has, by type token; every other one is refused by name."""

from __future__ import annotations

from collections.abc import Mapping

from local.plugins.awsx import repository, vpc
from local.plugins.awsx.values import Component, ComponentError

COMPONENTS: Mapping[str, Component] = {module.TYPE: module.construct for module in (repository, vpc)}


def component(type_token: str) -> Component:
    """Return the component of a type; raises ComponentError naming it when the stand-in lacks it."""
    if type_token not in COMPONENTS:
        raise ComponentError(
            f"the local stand-in for awsx doesn't have the type {type_token}, only "
            f"{', '.join(sorted(COMPONENTS))}; use one of these or install the real awsx plugin"
        )
    return COMPONENTS[type_token]
