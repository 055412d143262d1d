"""The package's schema, from which the Pulumi CLI makes a library for each language.

Owns the schema's form. Doesn't own a word of it: names, types and descriptions are the components' own.
Source: https://www.pulumi.com/docs/iac/guides/building-extending/packages/schema/
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from pulumi_package.fields import Field, fields_of, outputs_of, reached_from, shape_of, translated

PACKAGE = "fileflow"
Components = Mapping[str, tuple[type[pulumi.ComponentResource], type[Any]]]
"""The components of a package by their names, each with the class of its arguments."""

_SIMPLE = {str: "string", int: "integer", bool: "boolean"}
_LANGUAGES = ("nodejs", "python", "csharp", "java", "go")


def schema_of(components: Components, version: str) -> dict[str, Any]:
    """The schema of a package of these components."""
    names = names_of(components)
    types: dict[str, Any] = {}
    for _, arguments in components.values():
        for group in reached_from(arguments):
            if group is not arguments:
                fields = fields_of(group)
                types[_token(group.__name__)] = {
                    "type": "object",
                    "description": translated(inspect.getdoc(group) or "", names),
                    "properties": _properties(fields, group, names),
                    **_required("required", fields),
                }
                types |= _choices(fields, group)
    return {
        "name": PACKAGE,
        "displayName": "FileFlow on ECS",
        "version": version,
        "description": "A web API and schedulers that run exactly once, on Amazon ECS Fargate.",
        "license": "Apache-2.0",
        "language": {language: {"respectSchemaVersion": True} for language in _LANGUAGES},
        "types": dict(sorted(types.items())),
        "resources": {
            _token(name): _resource(component, arguments, names)
            for name, (component, arguments) in components.items()
        },
    }


def names_of(components: Components) -> frozenset[str]:
    """The names of all fields, as the components have them."""
    return frozenset(
        field.name
        for component, arguments in components.values()
        for fields in (outputs_of(component), *(fields_of(each) for each in reached_from(arguments)))
        for field in fields
    )


def _resource(
    component: type[pulumi.ComponentResource], arguments: type[Any], names: frozenset[str]
) -> dict[str, Any]:
    outputs, inputs = outputs_of(component), fields_of(arguments)
    return {
        "isComponent": True,
        "description": translated(f"{inspect.getdoc(component)}\n\n{inspect.getdoc(arguments)}", names),
        "properties": _properties(outputs, component, names),
        **_required("required", outputs),
        "inputProperties": _properties(inputs, arguments, names),
        **_required("requiredInputs", inputs),
    }


def _token(name: str) -> str:
    return f"{PACKAGE}:index:{name}"


def _required(key: str, fields: Sequence[Field]) -> dict[str, list[str]]:
    required = sorted(field.key for field in fields if field.required)
    return {key: required} if required else {}


def _properties(fields: Sequence[Field], owner: type[Any], names: frozenset[str]) -> dict[str, Any]:
    return {
        field.key: {
            **_type(field.shape.inner, _choice_name(owner, field)),
            **({} if field.shape.wired else {"plain": True}),
            **({"description": translated(field.description, names)} if field.description else {}),
        }
        for field in fields
    }


def _type(inner: Any, choice: str) -> dict[str, Any]:
    origin, arguments = typing.get_origin(inner), typing.get_args(inner)
    if inner in _SIMPLE:
        return {"type": _SIMPLE[inner]}
    if inner is object:
        return {"$ref": "pulumi.json#/Any"}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _element(arguments[1])}
    if origin is Sequence:
        return {"type": "array", "items": _element(arguments[0])}
    return {"$ref": f"#/types/{_token(choice if origin is typing.Literal else inner.__name__)}"}


def _element(annotation: Any) -> dict[str, Any]:
    shape = shape_of(annotation)
    return {**_type(shape.inner, ""), **({} if shape.wired else {"plain": True})}


def _choices(fields: Sequence[Field], owner: type[Any]) -> dict[str, Any]:
    """A type for each field that takes one of a few texts."""
    return {
        _token(_choice_name(owner, field)): {
            "type": "string",
            "enum": [{"value": each} for each in typing.get_args(field.shape.inner)],
        }
        for field in fields
        if typing.get_origin(field.shape.inner) is typing.Literal
    }


def _choice_name(owner: type[Any], field: Field) -> str:
    return owner.__name__ + field.name.title().replace("_", "")
