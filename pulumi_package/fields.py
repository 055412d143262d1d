"""What the components' own argument classes say of themselves: fields, types, defaults and docstrings.

Owns that reading, so that nothing is said a second time for other languages. The SDK's own analyser
(`pulumi.provider.experimental`) can't read these classes: it takes no postponed annotation, no `Literal` and
no union. Doesn't own the schema's form (`schema`), nor a value (`arguments`).
Source: https://github.com/pulumi/pulumi/issues/18526
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import sys
import types
import typing
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import pulumi


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A field's type without its wrappings: `inner` is a class, a `Literal`, a sequence or a mapping."""

    inner: Any
    wired: bool
    """Whether an output of another resource may stand there."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field of an arguments class, or an output of a component."""

    name: str
    shape: Shape
    required: bool
    description: str

    @property
    def key(self) -> str:
        """The name in other languages' programs."""
        return camel_case(self.name)


def fields_of(arguments: type[Any]) -> tuple[Field, ...]:
    """The fields of an arguments class, inherited ones included."""
    annotations, descriptions = _annotations(arguments), descriptions_of(arguments)
    return tuple(
        Field(
            name=each.name,
            shape=shape_of(annotations[each.name]),
            required=each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING,
            description=descriptions.get(each.name, ""),
        )
        for each in dataclasses.fields(arguments)
    )


def outputs_of(component: type[pulumi.ComponentResource]) -> tuple[Field, ...]:
    """The outputs that a component declares."""
    descriptions = descriptions_of(component)
    return tuple(
        Field(
            name=name,
            shape=shape_of(annotation),
            required=type(None) not in typing.get_args(annotation),
            description=descriptions.get(name, ""),
        )
        for name, annotation in _annotations(component).items()
        if any(
            typing.get_origin(each) is pulumi.Output for each in (annotation, *typing.get_args(annotation))
        )
    )


def shape_of(annotation: Any) -> Shape:
    """Takes `Input`, `Output` and `None` off a type. Raises TypeError for a union of anything else."""
    if typing.get_origin(annotation) is pulumi.Output:
        return Shape(inner=typing.get_args(annotation)[0], wired=True)
    members = [annotation]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        members = [each for each in typing.get_args(annotation) if each is not type(None)]
    wired = any(_wraps(each) for each in members)
    inner = [each for each in members if not _wraps(each)] or [shape_of(each).inner for each in members]
    if len(inner) != 1:
        raise TypeError(f"{annotation} is a union, which a package's schema can't say")
    # What may be anything may be an output too.
    return Shape(inner=inner[0], wired=wired or inner[0] is object)


def _wraps(member: Any) -> bool:
    """Whether it is a member of `pulumi.Input[T]` beside T itself, or an output."""
    return isinstance(member, typing.ForwardRef) or typing.get_origin(member) in (Awaitable, pulumi.Output)


def reached_from(arguments: type[Any]) -> Iterator[type[Any]]:
    """The arguments class and every group that it takes, each once."""
    seen: list[type[Any]] = [arguments]
    for each in seen:
        yield each
        for field in fields_of(each):
            for inner in _leaves(field.shape.inner):
                if dataclasses.is_dataclass(inner) and inner not in seen:
                    seen.append(typing.cast("type[Any]", inner))


def _leaves(inner: Any) -> Iterator[Any]:
    if typing.get_origin(inner) in (None, typing.Literal):
        yield inner
        return
    for each in typing.get_args(inner):
        yield from _leaves(shape_of(each).inner)


def camel_case(name: str) -> str:
    """`memory_mib` as `memoryMib`."""
    first, *others = name.split("_")
    return first + "".join(each.capitalize() for each in others)


def translated(text: str, names: frozenset[str]) -> str:
    """A text of ours in which each of the fields `names` is called as the reader's program calls it."""
    return re.sub(
        r"\b[a-z]+(?:_[a-z]+)+\b", lambda found: camel_case(found[0]) if found[0] in names else found[0], text
    )


def _annotations(described: type[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in _own_classes(described):
        found |= inspect.get_annotations(each, eval_str=True)
    return found


def descriptions_of(described: type[Any]) -> dict[str, str]:
    """The docstrings below a class's fields, inherited ones included."""
    found: dict[str, str] = {}
    for each in _own_classes(described):
        found |= _docstrings(each.__module__).get(each.__name__, {})
    return found


def _own_classes(described: type[Any]) -> list[type[Any]]:
    """The class after those of this repository that it inherits from."""
    return [each for each in reversed(described.__mro__) if each.__module__.startswith("components.")]


@cache
def _docstrings(module: str) -> dict[str, dict[str, str]]:
    """The docstrings below the fields of a module's classes, which only its source has."""
    found: dict[str, dict[str, str]] = {}
    for statement in ast.parse(inspect.getsource(sys.modules[module])).body:
        if isinstance(statement, ast.ClassDef):
            for field, below in pairwise(statement.body):
                text = below.value if isinstance(below, ast.Expr) else None
                if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Constant):
                    of_class = found.setdefault(statement.name, {})
                    of_class[ast.unparse(field.target)] = inspect.cleandoc(str(text.value))
    return found
