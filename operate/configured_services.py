"""Where a stack's file has each service, and the version of each.

Owns these keys. Doesn't own what is set there, nor its deployment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.names import PROJECT, Names

if TYPE_CHECKING:
    from settings import Settings
    from settings.services import ServiceSettings


def configured_services(settings: Settings) -> dict[str, tuple[str, ServiceSettings]]:
    """By each service's name, its key, and what the file says of it."""
    names = Names(environment=settings.environment)
    return {
        names.web_api.service: (f"{PROJECT}:web_api", settings.web_api),
        **{
            names.scheduler(each.name).service: (f"{PROJECT}:schedulers[{index}]", each)
            for index, each in enumerate(settings.schedulers)
        },
    }


def configured_versions(settings: Settings) -> dict[str, tuple[str, str | None]]:
    """By each service's name, the key of its own version, and that version; None where it has the stack's."""
    return {
        service: (f"{key}.version", said.version)
        for service, (key, said) in configured_services(settings).items()
    }
