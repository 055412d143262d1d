"""`versions`: which versions of a service lie in the repository, and which of them runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import click
from rich.console import RenderableType

from operate.app import Session, verb
from operate.errors import SETTLED, OperateError
from operate.observation import observe
from operate.result import uncut
from operate.stack import Service


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version in the repository."""

    tag: str
    digest: str
    pushed_at: datetime
    runs: bool


@dataclass(frozen=True, kw_only=True)
class Versions:
    """A service's versions, the newest first."""

    service: str
    repository: str
    prefix: str
    """What this service's tags begin with."""
    versions: Sequence[Version]

    @property
    def exit_code(self) -> int:
        return SETTLED

    def human(self) -> RenderableType:
        table = uncut("tag", "pushed", "digest", "", title=f"{self.service} in {self.repository}")
        for each in self.versions:
            table.add_row(
                each.tag,
                f"{each.pushed_at:%Y-%m-%d %H:%M}",
                each.digest[:19],
                "runs" if each.runs else "",
                style="green" if each.runs else None,
            )
        return table


@verb()
@click.argument("service")
def versions(session: Session, service: str) -> Versions:
    """List the versions of SERVICE in the image repository."""
    return versions_of(session, session.stack.service(service))


def versions_of(session: Session, chosen: Service) -> Versions:
    """The versions of a service that lie in its repository.

    Raises OperateError where its image comes from a registry other than ECR.
    """
    seen = observe(session.aws, chosen)
    repository, _, digest = (seen.image or "").partition("@")
    registry, _, name = repository.partition("/")
    if ".dkr.ecr." not in registry:
        raise OperateError(
            f"{chosen.name} runs {seen.image}, which isn't in ECR.", "Ask that registry for its versions."
        )
    pages = (
        session.aws.client("ecr")
        .get_paginator("describe_images")
        .paginate(
            registryId=registry.partition(".")[0],
            repositoryName=name.partition(":")[0],
            filter={"tagStatus": "TAGGED"},
        )
    )
    details = [each for page in pages for each in page["imageDetails"]]
    prefix = _prefix([tag for each in details if each["imageDigest"] == digest for tag in each["imageTags"]])
    found = [
        Version(
            tag=tag,
            digest=each["imageDigest"],
            pushed_at=each["imagePushedAt"],
            runs=each["imageDigest"] == digest,
        )
        for each in details
        for tag in each.get("imageTags", [])
        if tag.startswith(prefix) and not tag.endswith("latest")
    ]
    return Versions(
        service=chosen.name,
        repository=name.partition(":")[0],
        prefix=prefix,
        versions=sorted(found, key=lambda version: version.pushed_at, reverse=True),
    )


def _prefix(tags: Sequence[str]) -> str:
    """What this service's tags begin with, by its moving tag (`download-scheduler-latest`)."""
    moving = next((tag for tag in tags if tag.endswith("-latest")), None)
    if moving is not None:
        return moving.removesuffix("latest")
    # The web API's moving tag is `latest` alone: its versions begin alike up to the first digit.
    version = next((tag for tag in tags if not tag.endswith("latest")), "")
    return re.split(r"(?=\d)", version, maxsplit=1)[0]
