"""The refusal of a value that only a look at what runs can judge, so as late as in the preview.

Owns its form, and when it is told. What is refused is decided where the look is. Values that can be judged
by themselves are `validation`'s.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

import pulumi
from pulumi.runtime import get_root_resource

from components.validation import InvalidArgumentError

Known = TypeVar("Known")
Judged = TypeVar("Judged")

_constructed: WeakKeyDictionary[pulumi.Resource, list[pulumi.ComponentResource]] = WeakKeyDictionary()
"""By the stack, of which each run of a program has one."""


def refused(field: str, value: object, rule: str, fix: str) -> pulumi.RunError:
    """The error to raise, in the words of `InvalidArgumentError`; the engine shows it without a traceback."""
    return pulumi.RunError(str(InvalidArgumentError(field, value, rule, fix)))


def refuse_after(component: pulumi.ComponentResource) -> None:
    """Has a refusal be told when `component` stands, which another package constructs, as awsx does."""
    stack = get_root_resource()
    if stack is not None:
        _constructed.setdefault(stack, []).append(component)


def told(judge: Callable[[Known], Judged | Awaitable[Judged]]) -> Callable[[Known], Awaitable[Judged]]:
    """`judge`, whose refusal is told when no component of another package is under way any more.

    A run that ends while one is shows that one's end too: "Resource monitor has terminated".
    """

    async def judged(known: Known) -> Judged:
        try:
            found = judge(known)
            return await found if inspect.isawaitable(found) else found
        except pulumi.RunError:
            stack = get_root_resource()
            components = [] if stack is None else _constructed.get(stack, [])
            await asyncio.gather(*(each.urn.future() for each in components), return_exceptions=True)
            raise

    return judged
