"""Which Pulumi CLI fits this project.

Owns: the pinned version and the rule for a CLI that is already installed. The SDK in requirements.txt is
the pin: engine and SDK are released together.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from local.errors import LocalError

_PIN = re.compile(r"^pulumi==(\d+\.\d+\.\d+)\b", re.MULTILINE)
_VERSION = re.compile(r"^v?(\d+)\.(\d+)\.(\d+)(?:[-+].*)?$")


class Version(NamedTuple):
    """A release of the Pulumi CLI."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Version | None:
        """Read what `pulumi version` prints; None when it is something else."""
        match = _VERSION.match(text.strip())
        return cls(*(int(part) for part in match.groups())) if match else None

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


def pinned(root: Path) -> Version:
    """Return the version that requirements.txt pins the SDK to."""
    requirements = root / "requirements.txt"
    match = _PIN.search(requirements.read_text())
    version = Version.parse(match.group(1)) if match else None
    if version is None:
        raise LocalError(
            f"{requirements} has no line `pulumi==MAJOR.MINOR.PATCH`, which decides the engine's version.",
            "pin the Pulumi SDK there.",
        )
    return version


def fits(found: Version, wanted: Version) -> bool:
    """Say whether an installed CLI may run this project.

    Same major version, and not an older minor one: an engine serves older SDKs, not newer ones. Patches don't
    change the protocol.
    """
    return found.major == wanted.major and found.minor >= wanted.minor
