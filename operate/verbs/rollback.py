"""`rollback`: a service back to an earlier version, through the stack's configuration.

The version is set where it is configured, and `pulumi up` deploys it: a version that somebody set in ECS
alone would be undone by the next update, without a word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from rich.console import RenderableType
from rich.text import Text

from operate.app import Session, verb
from operate.configured_services import configured_versions
from operate.errors import SETTLED, OperateError
from operate.pulumi_cli import set_text, settings_of, up_command
from operate.verbs.versions import versions_of

if TYPE_CHECKING:
    from settings import Settings


@dataclass(frozen=True, kw_only=True)
class RolledBack:
    """What was set, and what is left to do."""

    service: str
    key: str
    version: str
    digest: str
    next: str

    @property
    def exit_code(self) -> int:
        return SETTLED

    def human(self) -> RenderableType:
        return Text(
            f"{self.key} is {self.version} ({self.digest[:19]}) in the stack's file. Deploy it: {self.next}"
        )


@verb()
@click.argument("service")
@click.argument("version")
def rollback(session: Session, service: str, version: str) -> RolledBack:
    """Set SERVICE back to VERSION in the stack's configuration; the next update deploys it.

    VERSION must lie in the image repository (`versions` lists them). Nothing that runs is touched.
    """
    chosen = session.stack.service(service)
    known = versions_of(session, chosen)
    fitting = [each for each in known.versions if each.tag == known.prefix + version]
    if not fitting:
        there = ", ".join(each.tag.removeprefix(known.prefix) for each in known.versions[:10])
        raise OperateError(
            f"{known.repository} has no version {version!r} of {chosen.name}.",
            f"Choose one of: {there}." if there else "It has none: docs/images.md says how to deploy one.",
        )
    settings = settings_of(session.stack.name, session.stack.folder)
    if settings.images.source != "registry":
        raise OperateError(
            f"Stack {session.stack.name} takes its images from the source {settings.images.source!r}, which "
            f"makes version {version} anew from what lies here now.",
            "Set images: {source: registry} for the rollback: it takes the version that the repository has.",
        )
    key = _key(settings, chosen.name)
    session.about_to(f"set {key} to {version} in the stack's file")
    set_text(session.stack.name, key, version, session.stack.folder)
    return RolledBack(
        service=chosen.name,
        key=key,
        version=version,
        digest=fitting[0].digest,
        next=up_command(session.stack.name),
    )


def _key(settings: Settings, service: str) -> str:
    """Where the service's own version stands in the stack's file."""
    known = configured_versions(settings)
    if service not in known:
        raise OperateError(
            f"The stack's file has no service {service}.", "Set its image's version where its program has it."
        )
    return known[service][0]
