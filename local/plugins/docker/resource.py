"""What a resource type is to the plugin: the operations, and what they are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from local.plugins.common.values import Path
from local.plugins.docker.arguments import Failure
from local.plugins.docker.images import Images, Say
from local.plugins.docker.names import Credentials, ImageError, ImageName

Inputs = dict[str, Any]
Outputs = dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """What changed: `add`, `delete` or `update` by property, and which of these replace the resource."""

    kinds: Mapping[str, str]
    replaces: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Call:
    """What an operation works with. `say` shows passing progress, `tell` a line that stays."""

    images_of: Callable[[ImageName], Images]
    credentials_of: Callable[[str], Credentials | None]
    say: Say
    tell: Say

    def images(self, name: ImageName) -> Images:
        """Return where this image lives."""
        return self.images_of(name)


class Resource(Protocol):
    """A resource type. Errors are ImageError, one message for a person."""

    token: str
    secret_inputs: frozenset[Path]
    secret_outputs: frozenset[Path]

    def check(self, inputs: Inputs, call: Call) -> tuple[Inputs, Sequence[Failure]]:
        """Return the inputs with their defaults, and what is wrong with them. Some may be unknown."""

    def diff(self, old: Inputs, new: Inputs) -> Difference:
        """Compare old inputs with new ones."""

    def preview(self, inputs: Inputs, call: Call) -> Outputs:
        """Return what is known of the outputs before anything is made; what is left out is unknown."""

    def create(self, inputs: Inputs, call: Call) -> tuple[str, Outputs]:
        """Make it; return its id and outputs."""

    def read(
        self, resource_id: str, inputs: Inputs, state: Outputs, call: Call
    ) -> tuple[Inputs, Outputs] | None:
        """Return inputs and outputs as they are now, or None when it's gone. Without a state, import it."""

    def update(self, inputs: Inputs, state: Outputs, call: Call) -> Outputs:
        """Change it in place; return its outputs."""

    def delete(self, state: Outputs, call: Call) -> None:
        """Make it go away."""


def changes(old: Inputs, new: Inputs) -> dict[str, str]:
    """Return the kind of change of each property that differs."""
    kinds = {}
    for key in sorted({*old, *new}):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        kinds[key] = "add" if before is None else "delete" if after is None else "update"
    return kinds


def found_or_fail(image_id: str | None, name: ImageName) -> str:
    """Return the id of an image that must be here; raises ImageError with the way to get it."""
    if image_id is None:
        raise ImageError(
            f"there is no image {name} in the Docker engine; build it first "
            "(a Spring Boot module: ./gradlew :PATH:bootBuildImage), or correct its name"
        )
    return image_id
