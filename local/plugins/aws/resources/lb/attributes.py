"""Attributes: load balancers, target groups and listeners keep most settings as pairs of text.

Owns which argument is which attribute, and the conversion of values. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Attribute:
    """An argument that is an attribute on AWS. `kinds`: the load balancer types or protocols that have it."""

    argument: str
    key: str
    kind: type = str
    kinds: frozenset[str] = frozenset()

    def applies(self, kind: str) -> bool:
        return not self.kinds or kind in self.kinds

    def to_python(self, text: str) -> Any:
        if self.kind is bool:
            return text == "true"
        if self.kind is int:
            return int(text) if text else 0
        return text


def text_of(value: Any) -> str:
    """A value as attributes spell it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def pairs(values: Mapping[str, Any]) -> list[dict[str, str]]:
    """The request form of attributes."""
    return [{"Key": key, "Value": text_of(value)} for key, value in sorted(values.items())]


def wanted(attributes: Iterable[Attribute], kind: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that the inputs set on something of this kind, by AWS's keys."""
    return {
        attribute.key: inputs[attribute.argument]
        for attribute in attributes
        if attribute.applies(kind) and inputs.get(attribute.argument) is not None
    }


def outputs(
    attributes: Iterable[Attribute], kind: str, there: Mapping[str, str], state: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments as AWS has them. One that this kind of thing doesn't have keeps its argument.

    AWS also answers attributes that can't be set on this kind, such as an application load balancer's
    cross-zone balancing: they are nobody's drift.
    """
    return {
        a.argument: a.to_python(there[a.key]) if a.applies(kind) and a.key in there else state.get(a.argument)
        for a in attributes
    }
