"""Makes a component's arguments of what a program in another language has given.

Owns the way from plain dictionaries to the argument classes. What each value may be is for these classes to
say; here is refused only what they can't be made of. All mistakes are told at once, each under its property.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pulumi

from components.validation import InvalidArgumentError
from pulumi_package.fields import Field, Shape, camel_case, fields_of, shape_of, translated

_NOTHING = object()
_KINDS: Mapping[type, str] = {str: "a text", int: "a whole number", bool: "true or false"}


def arguments_of(
    arguments: type[Any], given: Mapping[str, Any], names: frozenset[str]
) -> tuple[Any, list[str]]:
    """An instance of `arguments`, or the mistakes for which there is none.

    `names` are those of all fields, which a message gives as the program knows them.
    """
    mistakes: list[str] = []
    made = _made(arguments, given, "", mistakes)
    return made, [translated(mistake, names) for mistake in mistakes]


def _made(arguments: type[Any], given: Mapping[str, Any], path: str, mistakes: list[str]) -> Any:
    before = len(mistakes)
    fields = {field.key: field for field in fields_of(arguments)}
    for key in sorted(given.keys() - fields.keys()):
        mistakes.append(f"{_below(path, key)}: there is no such argument; there are {', '.join(fields)}.")
    values = {
        field.name: _given(field, given.get(key), _below(path, key), mistakes)
        for key, field in fields.items()
    }
    if len(mistakes) > before:
        return None
    try:
        return arguments(**{name: value for name, value in values.items() if value is not _NOTHING})
    except InvalidArgumentError as error:
        mistakes += [_told(each, path, fields) for each in error.mistakes]
        return None


def _told(mistake: InvalidArgumentError, path: str, fields: Collection[str]) -> str:
    """A broken rule under its property: a group's own name may stand before that, a map's key behind it."""
    parts = mistake.field.split(".")
    own = next((index for index, part in enumerate(parts) if camel_case(part) in fields), 0)
    at = ".".join([*filter(None, [path]), *parts[own:]])
    return f"{at} is {mistake.value!r}, but {mistake.rule}. {mistake.fix}"


def _given(field: Field, value: Any, path: str, mistakes: list[str]) -> Any:
    if value is not None:
        return _value(field.shape, value, path, mistakes)
    if field.required:
        mistakes.append(f"{path}: it is missing, and there is no default.")
    return _NOTHING


def _value(shape: Shape, value: Any, path: str, mistakes: list[str]) -> Any:
    inner, origin = shape.inner, typing.get_origin(shape.inner)
    if isinstance(value, pulumi.Output):
        if not shape.wired:
            mistakes.append(f"{path}: it decides what is made: a plain value, no output and no secret.")
    elif origin is Sequence:
        element = shape_of(typing.get_args(inner)[0])
        if isinstance(value, list):
            return [_value(element, each, f"{path}[{index}]", mistakes) for index, each in enumerate(value)]
        mistakes.append(f"{path}: it takes a list.")
    elif origin is Mapping or dataclasses.is_dataclass(inner):
        if not isinstance(value, Mapping):
            mistakes.append(f"{path}: it takes an object with named members.")
        elif origin is Mapping:
            element = shape_of(typing.get_args(inner)[1])
            return {key: _value(element, each, _below(path, key), mistakes) for key, each in value.items()}
        else:
            return _made(inner, value, path, mistakes)
    elif inner is not object:
        return _simple(str if origin is typing.Literal else inner, value, path, mistakes)
    return value


def _simple(kind: type, value: Any, path: str, mistakes: list[str]) -> Any:
    # Every number of another language arrives as a float.
    if kind is int and isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not kind:
        mistakes.append(f"{path}: it takes {_KINDS[kind]}.")
    return value


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
