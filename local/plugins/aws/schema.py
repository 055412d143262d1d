"""What arguments and outputs a type or a function has, derived from the installed pulumi_aws SDK.

Owns the derivation (from the SDK's annotations) and its cache, one small JSON file per type. What the SDK
can't tell (defaults, which changes replace, which lists are sets) belongs to the resources.

An output that the SDK doesn't type as optional is one that AWS fills in when the argument is left out; its
`computed` is true. The engine's real provider keeps the old value of such an argument when it is removed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import importlib
import inspect
import json
import os
import re
import sys
import tempfile
import threading
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any, Final, Union

from . import VERSION

_SCALARS: Final[Mapping[Any, str]] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
}


@dataclass(frozen=True)
class Type:
    """`kind` is string, boolean, integer, number, any, json (text or an object), list, map, object."""

    kind: str
    element: Type | None = None
    properties: Mapping[str, Property] | None = None


_NOTHING: Final[Mapping[str, Any]] = {
    "string": "",
    "integer": 0,
    "number": 0,
    "boolean": False,
    "list": [],
    "map": {},
}


def nothing(kind: Type) -> Any:
    """What a kind of value is when there is none, as the real provider's states have it."""
    return _NOTHING.get(kind.kind)


@dataclass(frozen=True)
class Property:
    type: Type
    required: bool = False
    computed: bool = False


@dataclass(frozen=True)
class Schema:
    """Arguments and outputs by their Pulumi names (camelCase)."""

    inputs: Mapping[str, Property]
    outputs: Mapping[str, Property]


class UnknownTypeError(Exception):
    """The SDK has no such type or function."""


def of_resource(token: str) -> Schema:
    """The schema of a resource type such as `aws:ecs/service:Service`."""
    return _cached(token, "resource")


def of_function(token: str) -> Schema:
    """Arguments and results of a function such as `aws:ec2/getVpc:getVpc`."""
    return _cached(token, "function")


_deriving = threading.Lock()
"""One derivation at a time: `_open_objects` is about the one under way."""


@functools.cache
def _cached(token: str, kind: str) -> Schema:
    path = _cache_directory() / (re.sub(r"[^A-Za-z0-9]+", "-", token) + ".json")
    try:
        schema: Schema = json.loads(path.read_text(), object_hook=_part)
    except (OSError, ValueError):
        # Absent, unreadable or damaged: the SDK is the source, the file only saves the import.
        with _deriving:
            schema = _derive_resource(token) if kind == "resource" else _derive_function(token)
        _store(path, schema)
    return schema


def _cache_directory() -> Path:
    if own := os.environ.get("FILEFLOW_CACHE_DIR"):
        root = Path(own)
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fileflow-ecs"
    derivation = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    return root / f"aws-schema-{VERSION}-{derivation}"


def _store(path: Path, schema: Schema) -> None:
    # A read-only or full cache costs time, nothing else.
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".tmp", delete=False) as file:
            json.dump(schema, file, default=vars, separators=(",", ":"))
        Path(file.name).replace(path)


# --- derivation --------------------


def _module_and_name(token: str) -> tuple[ModuleType, str]:
    match = re.fullmatch(r"aws:(?P<module>[a-z0-9]+)/(?P<file>[A-Za-z0-9]+):(?P<name>[A-Za-z0-9]+)", token)
    if match is None:
        raise UnknownTypeError(token)
    module, file, name = match["module"], match["file"], match["name"]
    package = "pulumi_aws" if module == "index" else f"pulumi_aws.{module}"
    folder = Path(importlib.import_module("pulumi_aws").__file__ or "").parent
    if module != "index":
        folder /= module
    stems = {stem.stem.replace("_", ""): stem.stem for stem in folder.glob("*.py")}
    stem = stems.get(file.lower())
    if stem is None:
        raise UnknownTypeError(token)
    return sdk_module(package, stem), name


def sdk_module(package: str, stem: str) -> ModuleType:
    """A module of the SDK, by its package and its file's name without the ending.

    The package is loaded first. The SDK does that at the first look inside, and a package that is
    loaded while one of its modules still is lacks that module's names for good.
    """
    _ = importlib.import_module(package)._utilities
    return importlib.import_module(f"{package}.{stem}")


def _derive_resource(token: str) -> Schema:
    module, name = _module_and_name(token)
    resource = getattr(module, name, None)
    # A nested type of another resource may have taken the name; the SDK then calls the arguments InitArgs.
    arguments = getattr(module, f"{name}InitArgs", None) or getattr(module, f"{name}Args", None)
    if resource is None or arguments is None:
        raise UnknownTypeError(token)
    return Schema(inputs=_inputs_of(arguments), outputs=_outputs_of(resource))


def _derive_function(token: str) -> Schema:
    module, name = _module_and_name(token)
    function = getattr(module, re.sub(r"(?<=[a-z0-9])([A-Z])", lambda m: "_" + m[1].lower(), name), None)
    result = getattr(module, f"{name[0].upper()}{name[1:]}Result", None)
    if function is None or result is None:
        raise UnknownTypeError(token)
    parameters = inspect.signature(function).parameters
    hints = typing.get_type_hints(function, vars(module), _names_of(module))
    pulumi_names = re.findall(r"__args__\['(\w+)'\] = (\w+)", inspect.getsource(function))
    inputs = {
        pulumi_name: Property(
            type=_type(hints[parameter], _inputs_of),
            required=parameters[parameter].default is inspect.Parameter.empty,
        )
        for pulumi_name, parameter in pulumi_names
    }
    return Schema(inputs=inputs, outputs=_outputs_of(result))


def _names_of(module: ModuleType) -> dict[str, Any]:
    """What the SDK's forward references name besides the module's own names."""
    # pulumi.Input[X] holds the forward reference "Output[T]" whatever X is.
    names: dict[str, Any] = {"Output": importlib.import_module("pulumi").Output, "T": Any}
    package = module.__name__.rpartition(".")[0]
    with contextlib.suppress(ModuleNotFoundError):  # modules without nested outputs have none
        names["outputs"] = sdk_module(package, "outputs")
    return names


def _getters(cls: type) -> Iterator[tuple[str, Any]]:
    """Pulumi name and annotated type of each property, in the SDK's order."""
    module = sys.modules[cls.__module__]
    for attribute, member in vars(cls).items():
        if not isinstance(member, property) or member.fget is None:
            continue
        hints = typing.get_type_hints(member.fget, vars(module), _names_of(module))
        yield getattr(member.fget, "_pulumi_name", attribute), hints["return"]


def _inputs_of(cls: type) -> dict[str, Property]:
    return {
        name: Property(type=_type(hint, _inputs_of), required=not _is_optional(hint))
        for name, hint in _getters(cls)
    }


def _outputs_of(cls: type) -> dict[str, Property]:
    properties = {}
    for name, hint in _getters(cls):
        unwrapped = hint
        if "Output" in str(typing.get_origin(hint)):
            (unwrapped,) = typing.get_args(hint)
        properties[name] = Property(type=_type(unwrapped, _outputs_of), computed=not _is_optional(unwrapped))
    return properties


def _is_optional(hint: Any) -> bool:
    return _is_union(hint) and type(None) in typing.get_args(hint)


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (Union, UnionType)


def _alternatives(hint: Any) -> list[Any]:
    """The plain alternatives of a hint, without None, Awaitable[...] and Output[...]."""
    if not _is_union(hint):
        return [hint]
    plain = []
    for alternative in typing.get_args(hint):
        origin = str(typing.get_origin(alternative))
        if alternative is type(None) or "Awaitable" in origin or "Output" in origin:
            continue
        plain.extend(_alternatives(alternative))
    return plain


def _type(hint: Any, members: Any) -> Type:
    alternatives = [
        a
        for a in _alternatives(hint)
        if not (inspect.isclass(a) and (issubclass(a, Enum) or a.__name__.endswith("ArgsDict")))
    ]
    if str in alternatives and any(_is_object(a) for a in alternatives):
        return Type("json")
    first = alternatives[0] if alternatives else str
    if first in _SCALARS:
        return Type(_SCALARS[first])
    origin, arguments = typing.get_origin(first), typing.get_args(first)
    if origin is not None and "Sequence" in str(origin):
        return Type("list", element=_type(arguments[0], members))
    if origin is not None and "Mapping" in str(origin):
        return Type("map", element=_type(arguments[1], members))
    if _is_object(first):
        return _object(first, members)
    return Type("any")


def _is_object(hint: Any) -> bool:
    return inspect.isclass(hint) and hint.__module__.startswith("pulumi_aws.") and not issubclass(hint, Enum)


_open_objects: set[type] = set()


def _object(cls: type, members: Any) -> Type:
    # A type that holds itself (a WAF statement does, endlessly) is checked down to its own recurrence.
    if cls in _open_objects:
        return Type("any")
    _open_objects.add(cls)
    try:
        return Type("object", properties=members(cls))
    finally:
        _open_objects.discard(cls)


# --- JSON --------------------

_BY_FIELDS: Final = {
    frozenset(each.name for each in dataclasses.fields(kind)): kind for kind in (Type, Property, Schema)
}


def _part(written: dict[str, Any]) -> Any:
    """What `vars` wrote, by its fields; an object of properties has their names."""
    named = any(isinstance(each, Property) for each in written.values())
    kind = None if named else _BY_FIELDS.get(frozenset(written))
    return kind(**written) if kind else written
