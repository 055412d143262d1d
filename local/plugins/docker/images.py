"""What the resources ask of images, wherever these are: what `paper_images` and `engine_images` implement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from local.plugins.docker.names import ImageName

Say = Callable[[str], None]
"""Shows one line of progress."""


@dataclass(frozen=True)
class Build:
    """How to build an image. `dockerfile` is relative to the working folder, not to the context."""

    context: str
    dockerfile: str
    platform: str
    args: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    network: str = ""


class Images(Protocol):
    """Images by name. Every method raises ImageError with one message for a person."""

    def build(self, name: ImageName, build: Build, say: Say) -> str:
        """Build an image under a name and return its id (`sha256:…`)."""

    def find(self, name: ImageName) -> str | None:
        """Return the id of the image that has the name here, or None."""

    def tag(self, source: ImageName, target: ImageName) -> str:
        """Give an image that is here another name and return its id."""

    def push(self, name: ImageName, say: Say) -> str:
        """Put an image that is here into its registry and return its digest there."""
