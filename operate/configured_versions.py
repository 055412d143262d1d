"""Which key of a stack's file says the version of a service, and how one is set there.

Owns these keys. Doesn't own which version that should be, nor its deployment.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from components.names import PROJECT, Names
from operate.pulumi_cli import pulumi

if TYPE_CHECKING:
    from settings import Settings


def configured_versions(settings: Settings) -> dict[str, tuple[str, str | None]]:
    """By each service's name, the key of its own version, and that version; None where it has the stack's."""
    names = Names(environment=settings.environment)
    return {
        names.web_api.service: (f"{PROJECT}:web_api.version", settings.web_api.version),
        **{
            names.scheduler(each.name).service: (f"{PROJECT}:schedulers[{index}].version", each.version)
            for index, each in enumerate(settings.schedulers)
        },
    }


def set_version(stack: str, key: str, version: str, folder: Path) -> None:
    """Writes a version into the stack's file, as a text: 1.10 is no number."""
    pulumi(["config", "set", "--stack", stack, "--path", key, version, "--type", "string"], folder)
