"""Lets a resource wait for others through a value that it takes, where `depends_on` can't say it.

Owns that one output. Doesn't own who waits for whom, which stands where the value is made.
"""

from __future__ import annotations

from typing import Any, TypeVar

import pulumi

_Value = TypeVar("_Value")


def once(value: pulumi.Input[_Value], *awaited: pulumi.Input[Any]) -> pulumi.Output[_Value]:
    """`value`, known only when each of `awaited` is: what takes it is made after those, and goes before."""

    def first(known: list[Any]) -> _Value:
        found: _Value = known[0]
        return found

    return pulumi.Output.all(value, *awaited).apply(first)
