"""Checks arguments against what the installed `pulumi_docker` SDK says that a type takes."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

from pulumi import _types

from local.plugins.common.values import UNKNOWN

Failure = tuple[str, str]
"""The property's path, and what is wrong with it."""


def failures(args_class: type, values: Mapping[str, Any], path: str = "") -> Iterator[Failure]:
    """Yield unknown names, missing ones and values of another type; unknown values pass."""
    known = _types.input_type_types(args_class)
    names = _types.input_type_py_to_pulumi_names(args_class)
    parameters = inspect.signature(args_class).parameters
    for python_name, name in names.items():
        parameter = parameters.get(python_name)
        is_required = parameter is not None and parameter.default is inspect.Parameter.empty
        if is_required and values.get(name) is None:
            yield f"{path}{name}", "is missing; it has no default"
    for name, value in values.items():
        if name not in known:
            yield f"{path}{name}", f"is not an argument here; these are: {', '.join(sorted(known))}"
        elif value is not None:
            yield from _type_failures(known[name], value, f"{path}{name}")


def _type_failures(expected: Any, value: Any, path: str) -> Iterator[Failure]:
    if value is UNKNOWN:
        return
    origin = typing.get_origin(expected)
    if isinstance(origin, type):
        yield from _collection_failures(origin, value, path)
    elif isinstance(expected, type) and issubclass(expected, Enum):
        allowed = [member.value for member in expected]
        if value not in allowed:
            yield path, f'is "{value}", but must be {" or ".join(allowed)}'
    elif isinstance(expected, type) and _types.is_input_type(expected):
        if isinstance(value, Mapping):
            yield from failures(expected, value, f"{path}.")
        else:
            yield path, f"is {_kind(value)}, but must be an object"
    elif expected is bool and not isinstance(value, bool):
        yield path, f"is {_kind(value)}, but must be true or false"
    elif expected is str and not isinstance(value, str):
        yield path, f"is {_kind(value)}, but must be a string"


def _collection_failures(expected: type, value: Any, path: str) -> Iterator[Failure]:
    """Check a map or a list; all that the SDK has are of strings."""
    if issubclass(expected, Mapping):
        if isinstance(value, Mapping):
            for key, entry in value.items():
                yield from _type_failures(str, entry, f"{path}.{key}")
        else:
            yield path, f"is {_kind(value)}, but must be a map of strings"
    elif issubclass(expected, Sequence):
        if isinstance(value, list):
            for index, entry in enumerate(value):
                yield from _type_failures(str, entry, f"{path}[{index}]")
        else:
            yield path, f"is {_kind(value)}, but must be a list of strings"


def _kind(value: Any) -> str:
    """Name a value's kind, never the value: it may be a secret."""
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "a list" if isinstance(value, list) else "an object"
