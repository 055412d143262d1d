"""What a task definition says of its containers.

`containerDefinitions` is one JSON string, so a single unknown value inside hides all of it, and a policy sees
nothing but "unknown". This module owns turning it into `Value`s and saying when it can't be read; what is
allowed in it belongs to the rules.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from .resources import Resource
from .values import State, Value


@dataclass(frozen=True, slots=True)
class Containers:
    """The containers of a task definition, or the reason why nothing is known of them."""

    containers: tuple[Value, ...]
    problem: str | None = None


def read_containers(task_definition: Resource) -> Containers:
    """Reads `containerDefinitions`, whether given as JSON or, by other providers, as a list of objects."""
    known: Containers | None = task_definition.memo.get("containers")
    if known is None:
        known = _read(task_definition["containerDefinitions"])
        task_definition.memo["containers"] = known
    return known


def _read(value: Value) -> Containers:
    if not value.known:
        return Containers((), f"containerDefinitions is {value.shown()}")
    text = value.text()
    if text is not None:
        try:
            value = Value.of(json.loads(text), "containerDefinitions", value.secret)
        except (ValueError, RecursionError):
            return Containers((), "containerDefinitions is not JSON")
    if not value.known or not isinstance(value.raw, list) or not value.raw:
        return Containers((), "containerDefinitions is not a list of containers")
    containers = tuple(value.items())
    for container in containers:
        if not container.is_object:
            return Containers((), f"{container.path} is not a container definition")
    return Containers(containers)


def container_name(container: Value) -> str:
    """A name for messages, also when the definition gives none."""
    name = container["name"]
    return name.shown() if name.text() else f"container {container.path.rpartition('[')[2].rstrip(']')}"


def ports(container: Value) -> list[Value]:
    """Every port the container listens on, as the task exposes it."""
    result = []
    for mapping in container["portMappings"].items():
        port = mapping["containerPort"]
        result.append(port if not port.missing else Value(State.UNREADABLE, None, port.path))
    return result
