"""What a resource type is to the plugin: the operations, what they are given, what checks of types share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from local.plugins.common.values import UNKNOWN, Path
from local.plugins.docker.emulated_ecr import EmulatedEcr
from local.plugins.docker.images import Images, Say
from local.plugins.docker.names import ImageError, ImageName

Inputs = dict[str, Any]
Outputs = dict[str, Any]
Failure = tuple[str, str]
"""The property's path, and what is wrong with it."""


@dataclass(frozen=True)
class Difference:
    """What changed: `add`, `delete` or `update` by property, and which of these replace the resource."""

    kinds: Mapping[str, str]
    replaces: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Call:
    """What an operation works with. `say` shows passing progress, `tell` a line that stays."""

    images: Images
    ecr: EmulatedEcr
    say: Say
    tell: Say


class Resource(Protocol):
    """A resource type. Errors are ImageError, one message for a person. Deleting one deletes no image."""

    token: str
    secrets: frozenset[Path]
    """What is kept secret of inputs and outputs."""

    def check(self, inputs: Inputs) -> tuple[Inputs, Sequence[Failure]]:
        """Return the inputs with what follows from them, and what is wrong with them. Some may be unknown."""

    def diff(self, old: Inputs, new: Inputs) -> Difference:
        """Compare old inputs with new ones."""

    def create(self, inputs: Inputs, call: Call) -> tuple[str, Outputs]:
        """Make it, or make it anew in an update; return its id and outputs."""

    def read(self, state: Outputs, call: Call) -> Outputs | None:
        """Return the outputs as they are now, or None when it's gone."""


def changes(old: Inputs, new: Inputs) -> dict[str, str]:
    """Return the kind of change of each property that differs."""
    kinds = {}
    for key in sorted({*old, *new}):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        kinds[key] = "add" if before is None else "delete" if after is None else "update"
    return kinds


def lacking(inputs: Mapping[str, Any], served: Sequence[str], path: str = "") -> Iterator[Failure]:
    """Yield the arguments that the stand-in would ignore; false, as the SDK fills in, asks for nothing."""
    for name in sorted(name for name, value in inputs.items() if value and name not in served):
        known = ", ".join(sorted(served))
        yield (
            f"{path}{name}",
            f"isn't known to the local stand-in, only {known}; leave it out or install docker's real plugin",
        )


def misnamed(inputs: Inputs, *paths: str) -> Iterator[Failure]:
    """Yield what is wrong with the image names at the paths that are known."""
    for path in paths:
        if inputs[path] is UNKNOWN:
            continue
        try:
            ImageName.parse(inputs[path])
        except ImageError as error:
            yield path, str(error)


def found_or_fail(image_id: str | None, name: ImageName) -> str:
    """Return the id of an image that must be here; raises ImageError with the way to get it."""
    if image_id is None:
        raise ImageError(
            f"there is no image {name} in the Docker engine; build it first "
            "(a Spring Boot module: ./gradlew :PATH:bootBuildImage), or correct its name"
        )
    return image_id
