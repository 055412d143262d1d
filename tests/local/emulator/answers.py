"""Holds an answer of the emulated AWS against the service's own model, as strictly as Go's clients do.

boto3 takes a text where the model has a number; the SDK for Go, in which the real provider is written, ends
with a deserialization error. So what the wire carries is judged, and not what boto3 made of it. Only JSON has
types to judge; of an answer in XML the required members are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.model import OperationModel, Shape

_TYPES: Mapping[str, tuple[type, ...]] = {
    "blob": (str,),
    "boolean": (bool,),
    "double": (int, float),
    "float": (int, float),
    "integer": (int,),
    "list": (list,),
    "long": (int,),
    "map": (dict,),
    "string": (str,),
    "structure": (dict,),
}


def wrong(operation: OperationModel, answer: Mapping[str, Any], parsed: Mapping[str, Any]) -> list[str]:
    """What in an answer isn't as the model has it, a line each; nothing for an error."""
    shape = operation.output_shape
    if shape is None or answer["status_code"] >= 300:
        return []
    if operation.service_model.metadata["protocol"] == "json":
        return list(_wrong(shape, json.loads(answer["body"] or b"{}"), operation.name))
    # What stands in a header, as Route 53's Location, isn't the answer's body.
    required = [
        each for each in shape.required_members if "location" not in shape.members[each].serialization
    ]
    return [f"{operation.name}.{name} is missing" for name in required if name not in parsed]


def _wrong(shape: Any, value: Any, path: str) -> Iterator[str]:
    if value is None:
        return
    fits = isinstance(value, _types(shape)) and (shape.type_name == "boolean" or not isinstance(value, bool))
    if not fits:
        yield f"{path} is {value!r}, and the model has a {shape.type_name}"
    elif shape.type_name == "structure":
        yield from (f"{path}.{name} is missing" for name in shape.required_members if name not in value)
        for name, member in shape.members.items():
            yield from _wrong(member, value.get(member.serialization.get("name", name)), f"{path}.{name}")
    elif shape.type_name == "list":
        for each in value:
            yield from _wrong(shape.member, each, f"{path}[]")
    elif shape.type_name == "map":
        for each in value.values():
            yield from _wrong(shape.value, each, f"{path}{{}}")


def _types(shape: Shape) -> tuple[type, ...]:
    if shape.type_name == "timestamp":
        text = shape.serialization.get("timestampFormat") in ("iso8601", "rfc822")
        return (str,) if text else (int, float)
    return _TYPES[shape.type_name]
