"""A scheduler's work stands in a program once.

Owns copies: a second container, and a second service, for the same work. Deliberately not what starts a task
without a service of its own (`scheduler_launchers`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import Severity

from ..containers import (
    container_name,
    ends_before_another_starts,
    image_of,
    is_agent,
    ports,
    read_containers,
    work_of,
)
from ..neighbours import EcsView, ecs_view
from ..recognition import family_of, standing_of
from ..resources import Resource, Stack
from ..rule import FILEFLOW, Catalogue, Finding, Framework, Settings

catalogue: Final = Catalogue()

_GUIDE: Final = Framework(FILEFLOW, "중복 실행 방지")


@catalogue.service(
    name="scheduler-one-container",
    description="a scheduler's task runs its work once",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation=(
        "Keep one container of the image and command; a sidecar has an image or a command of its own. A "
        "container that ends before the scheduler starts (dependsOn with SUCCESS or COMPLETE) is none."
    ),
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definitions.html",
    tags=("scheduler", "ecs"),
    scheduler=True,
)
def one_container(service: Resource, tasks: Sequence[Resource], settings: Settings) -> Iterator[Finding]:
    """Two containers of one image and command are two schedulers, though the service counts one task."""
    if not standing_of(service, settings.recognition, tasks).is_scheduler:
        return
    for task in tasks:
        containers = read_containers(task).containers
        running = [
            (container, image)
            for container in containers
            if (image := image_of(container)) is not None
            and not is_agent(container)
            and not ends_before_another_starts(container, containers)
        ]
        for index, (container, image) in enumerate(running):
            other = next(
                (
                    earlier
                    for earlier, earlier_image in running[:index]
                    if image.same_as(earlier_image) and work_of(earlier) == work_of(container)
                ),
                None,
            )
            if other is not None:
                name = container_name(container)
                yield Finding(
                    f"containers {container_name(other)} and {name} run one image and command",
                    f"take container {name} away",
                )


@catalogue.stack(
    name="scheduler-one-service",
    description="a scheduler has one service, whatever its name, family, cluster, zone, region or provider",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation=(
        "Keep one service for each scheduler. Two different schedulers differ in their image, their command "
        "or a variable that chooses the work; a second one per zone, cluster or region runs everything twice."
    ),
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_services.html",
    tags=("scheduler", "ecs"),
    scheduler=True,
)
def one_service(stack: Stack, settings: Settings) -> Iterator[Finding]:
    """By the task definition, and by what runs in it: image, command and what else chooses the work."""
    view = ecs_view(stack, settings.recognition)
    families: dict[str, Resource] = {}
    works: dict[object, Resource] = {}
    for service in view.declared:
        problem = (
            _same_name(service, families)
            or _same_family(service, families, view)
            or _same_work(service, works, view)
        )
        if problem:
            yield Finding(problem, "take one of the two services away", service)


def _same_name(service: Resource, seen: dict[str, Resource]) -> str | None:
    name = service["name"]
    other = seen.setdefault(f"name {name.text()}", service) if name.text() else service
    return None if other is service else f"its name {name.shown()} is also that of {other.name}"


def _same_family(service: Resource, seen: dict[str, Resource], view: EcsView) -> str | None:
    found = {task["family"].text() or task.urn_text: task["family"] for task in view.tasks_of(service)}
    text = service["taskDefinition"].text()
    if text and not found:
        found = {family_of(text): service["taskDefinition"]}
    for family, value in sorted(found.items()):
        other = seen.setdefault(family, service)
        if other is not service:
            return f"its family {value.shown_part(family)} already has the service {other.name}"
    return None


def _same_work(service: Resource, seen: dict[object, Resource], view: EcsView) -> str | None:
    problem: str | None = None
    for task in view.tasks_of(service):
        containers = read_containers(task).containers
        for container in containers:
            image = image_of(container)
            if (
                image is None
                or is_agent(container)
                or container["essential"].boolean() is False
                or ends_before_another_starts(container, containers)
            ):
                continue
            work = work_of(container)
            # One image may hold several programs that the port alone tells apart; a copy keeps port or name.
            marks = (container["name"].text(), frozenset(ports(container)))
            names = [name for name in (image.digest, f":{image.unversioned}" if image.tag else "") if name]
            for key in ((image.repository, name, work, mark) for name in names for mark in marks):
                other = seen.setdefault(key, service)
                if other is not service and problem is None:
                    name = container_name(container)
                    problem = f"its container {name} runs the image and command of {other.name}"
    return problem
