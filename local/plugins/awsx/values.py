"""Small tools of the components: arguments under the SDK's names, values that may be outputs, merged tags."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import _types


class ComponentError(Exception):
    """Arguments that the component refuses; the message names field, value, rule and fix.

    Not a ValueError: the SDK wraps these in words of its own on the way out of an output.
    """


@dataclass(frozen=True)
class Constructed:
    """A component as the engine hears of it: its URN and its outputs under Pulumi's names."""

    urn: pulumi.Output[str]
    outputs: Mapping[str, Any]


Component = Callable[[str, Mapping[str, Any], pulumi.ResourceOptions], Awaitable[Constructed]]


def aws_arguments(args_type: type, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Rename inputs to the keyword arguments of a `pulumi_aws` class, and drop what that class doesn't take.

    The real provider spreads a component's arguments over its children's in the same way.
    """
    python_names = {
        pulumi_name: name for name, pulumi_name in _types.input_type_py_to_pulumi_names(args_type).items()
    }
    return {
        python_names[key]: value for key, value in inputs.items() if key in python_names and value is not None
    }


def merge_maps(*maps: Any) -> Any:
    """Merge maps, later ones over earlier ones; None counts as empty.

    A map that is an output as a whole stays alone: the real provider then loses the others, `Name` tags too.
    """
    given = [entry for entry in maps if entry is not None]
    outputs = [entry for entry in given if isinstance(entry, pulumi.Output)]
    return outputs[-1] if outputs else {key: value for entry in given for key, value in entry.items()}


def plain(field: str, value: Any) -> Any:
    """Return an argument that decides which resources exist, and so can't be an output."""
    if isinstance(value, pulumi.Output):
        raise ComponentError(
            f"{field} decides which resources exist; give it as a plain value, not as an output"
        )
    return value


def only(where: str, inputs: Mapping[str, Any], known: Sequence[str]) -> None:
    """Refuse arguments that the stand-in would ignore."""
    foreign = sorted(key for key, value in inputs.items() if value is not None and key not in known)
    if foreign:
        raise ComponentError(
            f"the local stand-in for awsx doesn't know {', '.join(foreign)} of {where}, only "
            f"{', '.join(sorted(known))}; leave it out or install the real awsx plugin"
        )
