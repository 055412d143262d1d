"""`promote`: what runs on one stack into the configuration of another, the same image by its digest.

Built once, tested once: the version is set where it is configured, once the other stack's repository has the
very image under it, and `pulumi up` deploys it. Copies no image: that is the registry's tools' work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from rich.console import Group, RenderableType
from rich.text import Text

from components.names import PROJECT, Names, ServiceNames
from operate.app import Session, verb
from operate.configured_services import configured_versions
from operate.errors import SETTLED, OperateError
from operate.observation import observe
from operate.pulumi_cli import set_text, settings_of, up_command
from operate.result import uncut
from operate.stack import Service, Stack, read_stack

if TYPE_CHECKING:
    from settings import Settings


@dataclass(frozen=True, kw_only=True)
class Release:
    """What one service runs on the first stack, and what the second one's repository has."""

    service: str
    version: str
    digest: str
    image: str
    """Where the first stack has it."""
    tag: str
    """Under which tag the second stack looks for it."""
    found_digest: str | None


@dataclass(frozen=True, kw_only=True)
class Promoted:
    """What was set, and what is left to do."""

    source: str
    target: str
    releases: Sequence[Release]
    set: Mapping[str, str]
    """The keys of the target's file that were set, with their versions."""
    next: str

    @property
    def exit_code(self) -> int:
        return SETTLED

    def human(self) -> RenderableType:
        table = uncut("service", "version", "digest", title=f"{self.source} to {self.target}")
        for each in self.releases:
            table.add_row(each.service, each.version, each.digest[:19])
        if not self.set:
            return Group(table, Text(f"Stack {self.target} says so already; nothing was set."))
        lines = [Text(f"{key} is {version} in the stack's file.") for key, version in self.set.items()]
        return Group(table, *lines, Text(f"Deploy it: {self.next}"))


@verb(stack="target", deployed=False)
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
def promote(session: Session, source: str, target: str) -> Promoted:
    """Set what runs on stack FROM in the configuration of stack TO; the next update of TO deploys it.

    Each image must lie in TO's repository under its version, with the digest that FROM runs; where one
    doesn't, the commands that copy it are said. Nothing that runs is touched.
    """
    origin = read_stack(source, session.stack.folder)
    theirs = settings_of(source, origin.folder)
    ours = settings_of(target, session.stack.folder)
    if ours.images.source != "registry":
        raise OperateError(
            f"Stack {target} takes its images from the source {ours.images.source!r}, which makes them anew.",
            "Set images: {source: registry} in its file: it takes the images that the repository has.",
        )
    repository = Names(environment=ours.environment).repository
    releases = [
        _release(session, origin, service, names, repository)
        for service, names in _in_both(origin, theirs, ours)
    ]
    _refuse_missing(releases, repository, target)
    wanted = keys(ours, {each.service: each.version for each in releases})
    if wanted:
        session.about_to(f"set {', '.join(f'{key} to {version}' for key, version in wanted.items())}")
    for key, version in wanted.items():
        set_text(target, key, version, session.stack.folder)
    return Promoted(
        source=source,
        target=target,
        releases=releases,
        set=wanted,
        next=up_command(target),
    )


def services_of(settings: Settings) -> dict[str, ServiceNames]:
    """The names of each service that a stack's file asks for, by the service's name."""
    names = Names(environment=settings.environment)
    found = [names.web_api, *(names.scheduler(each.name) for each in settings.schedulers)]
    return {each.service: each for each in found}


def _in_both(origin: Stack, theirs: Settings, ours: Settings) -> list[tuple[Service, ServiceNames]]:
    wanted = services_of(ours)
    found = [
        (service, names)
        for service in origin.services
        if (names := services_of(theirs).get(service.name)) is not None and service.name in wanted
    ]
    missing = sorted(wanted.keys() - {service.name for service, _ in found})
    if missing:
        raise OperateError(
            f"Stack {origin.name} runs no {', '.join(missing)}, which the other stack asks for.",
            "Deploy it there first, so that what is promoted has run.",
        )
    return found


def _release(
    session: Session, origin: Stack, service: Service, names: ServiceNames, repository: str
) -> Release:
    seen = observe(session.aws, service)
    _, _, digest = (seen.image or "").partition("@")
    prefix = names.image_tag_prefix
    versions = [tag.removeprefix(prefix) for tag in seen.versions if tag.startswith(prefix)]
    if not digest or not versions:
        raise OperateError(
            f"{service.name} on stack {origin.name} runs {seen.image}, which has no version in its "
            "repository.",
            "Deploy a version there: pulumi config set version …, then pulumi up",
        )
    version = versions[-1]
    return Release(
        service=service.name,
        version=version,
        digest=digest,
        image=str(seen.image),
        tag=prefix + version,
        found_digest=_digest(session.aws.client("ecr"), repository, prefix + version),
    )


def _digest(ecr: Any, repository: str, tag: str) -> str | None:
    try:
        found = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])["imageDetails"]
    except (ecr.exceptions.ImageNotFoundException, ecr.exceptions.RepositoryNotFoundException):
        return None
    return str(found[0]["imageDigest"])


def _refuse_missing(releases: Sequence[Release], repository: str, target: str) -> None:
    """One error for all images that aren't what runs on the first stack."""
    others = [each for each in releases if each.found_digest not in (None, each.digest)]
    if others:
        said = ", ".join(f"{each.tag} is {each.found_digest}, not {each.digest}" for each in others)
        raise OperateError(
            f"Repository {repository} has another image under the same version: {said}.",
            "A version's tag never moves: release under another version, and promote that.",
        )
    missing = [each for each in releases if each.found_digest is None]
    if missing:
        # It copies a single image as it is, with its digest.
        # https://docs.docker.com/reference/cli/docker/buildx/imagetools/create/
        copies = "; ".join(
            f"docker buildx imagetools create --prefer-index=false "
            f"--tag {each.image.partition('/')[0]}/{repository}:{each.tag} {each.image}"
            for each in missing
        )
        raise OperateError(
            f"Repository {repository} of stack {target} lacks {', '.join(each.tag for each in missing)}.",
            f"Copy them, digests and all: {copies}",
        )


def keys(settings: Settings, versions: Mapping[str, str]) -> dict[str, str]:
    """Which keys of a stack's file say these versions, where they say something else by now.

    A service with a version of its own keeps having one; the others share the stack's, as long as they agree.
    """
    own = configured_versions(settings)
    shared = f"{PROJECT}:version"
    agree = len({version for service, version in versions.items() if own[service][1] is None}) == 1
    wanted = {}
    for service, version in versions.items():
        key, its = own[service]
        said = its or settings.version
        if said != version:
            wanted[shared if its is None and agree else key] = version
    return wanted
