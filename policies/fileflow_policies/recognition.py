"""Which role an ECS service plays, and by which evidence.

A scheduler is recognised by any single piece of evidence: the component it sits in, its role tag, its name,
its task family, its port, its command or image, or the pack's configuration. Removing one piece leaves the
others; and because every service must declare a role (rule `ecs-service-role`), removing all of them is
refused too.

Owns the evidence and nothing else: what a scheduler must then look like is the rules' business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Final

from .containers import container_name, ports, read_containers
from .resources import SCHEDULER_COMPONENT, Resource
from .values import Value

ROLE_TAG: Final = "fileflow:role"
SPOT_OPT_IN_TAG: Final = "fileflow:spot-opt-in"
SCHEDULER: Final = "scheduler"
WEB_API: Final = "web-api"

DEFAULT_ROLES: Final = (SCHEDULER, WEB_API, "worker")
DEFAULT_SCHEDULER_NAMES: Final = ("scheduler", "scheduler[-_/]*", "*[-_/]scheduler", "*[-_/]scheduler[-_/]*")
DEFAULT_SCHEDULER_PORTS: Final = (9091, 9092)
DEFAULT_SCHEDULER_COMMANDS: Final = ("*bootstrap-scheduler*", "*fileflow-scheduler*", "*scheduler.jar*")

_FAMILY_OF_ARN = re.compile(r"(?:^|:task-definition/)(?P<family>[A-Za-z0-9_-]+)(?::\d+)?$")


@dataclass(frozen=True)
class Recognition:
    """By what a scheduler is recognised. Patterns are shell globs, compared in lower case."""

    roles: Sequence[str] = DEFAULT_ROLES
    scheduler_names: Sequence[str] = DEFAULT_SCHEDULER_NAMES
    scheduler_ports: Sequence[int] = DEFAULT_SCHEDULER_PORTS
    scheduler_commands: Sequence[str] = DEFAULT_SCHEDULER_COMMANDS
    scheduler_components: Sequence[str] = (SCHEDULER_COMPONENT,)
    _memo: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)

    def names_scheduler(self, name: str) -> bool:
        """Whether a service, family, container or image of this name is a scheduler's by its name alone."""
        known = self._memo.get(name)
        if known is None:
            known = _matches(name, self.scheduler_names)
            if len(self._memo) < 10_000:
                self._memo[name] = known
        return known

    @cached_property
    def ports(self) -> frozenset[int]:
        return frozenset(self.scheduler_ports)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    lower = name.lower()
    return any(fnmatchcase(lower, pattern.lower()) for pattern in patterns)


def family_of(task_definition: str) -> str:
    """The family in a task definition's ARN, in `family:revision`, or in a bare family."""
    match = _FAMILY_OF_ARN.search(task_definition)
    return match["family"] if match else task_definition


def service_evidence(resource: Resource, recognition: Recognition) -> tuple[str, ...]:
    """Why an ECS service (or task set, or component) is a scheduler, as far as it shows by itself; empty when
    it isn't.
    """
    known: tuple[str, ...] | None = resource.memo.get("service evidence")
    if known is None:
        known = tuple(_service_evidence(resource, recognition))
        resource.memo["service evidence"] = known
    return known


def _service_evidence(resource: Resource, recognition: Recognition) -> Iterable[str]:
    yield from component_and_role_evidence(resource, recognition)
    name = resource["name"]
    yield from _name_evidence(
        "name", resource["serviceName"] if name.missing else name, resource, recognition
    )
    task_definition = resource["taskDefinition"].text()
    if task_definition and recognition.names_scheduler(family_of(task_definition)):
        yield "its task definition is of a scheduler's family"
    for attachment in resource["loadBalancers"].items():
        port = attachment["containerPort"].integer()
        container = attachment["containerName"].text()
        if port in recognition.ports or (container and recognition.names_scheduler(container)):
            yield "its load balancer names a scheduler's container or port"


def component_and_role_evidence(resource: Resource, recognition: Recognition) -> Iterable[str]:
    """Evidence that any resource can carry: the component around it and the role tag on it."""
    for component in recognition.scheduler_components:
        if resource.in_component(component):
            yield f"it is part of a {component}"
    role = resource.tag(ROLE_TAG).text()
    if role is not None and role.strip().lower() == SCHEDULER:
        yield f"its tag {ROLE_TAG} is {SCHEDULER}"


def task_evidence(resource: Resource, recognition: Recognition) -> tuple[str, ...]:
    """Why a task definition is a scheduler's; empty when it isn't, or when nothing of it can be read."""
    known: tuple[str, ...] | None = resource.memo.get("task evidence")
    if known is None:
        found = [
            *component_and_role_evidence(resource, recognition),
            *_name_evidence("family", resource["family"], resource, recognition),
        ]
        for container in read_containers(resource).containers:
            found.extend(_container_evidence(container, recognition))
        known = tuple(dict.fromkeys(found))
        resource.memo["task evidence"] = known
    return known


def _name_evidence(what: str, given: Value, resource: Resource, recognition: Recognition) -> Iterable[str]:
    text = given.text()
    if text and recognition.names_scheduler(text):
        yield f"its {what} {given.shown()} is a scheduler's"
    pulumi_name = resource.name or resource.urn.name
    if pulumi_name != text and recognition.names_scheduler(pulumi_name):
        yield f"its Pulumi name {pulumi_name} is a scheduler's"


def _container_evidence(container: Value, recognition: Recognition) -> Iterable[str]:
    name = container["name"].text()
    if name and recognition.names_scheduler(name):
        yield f"its container {container_name(container)} is named like a scheduler's"
    image = container["image"].text()
    if image:
        repository, tag = _image_parts(image)
        if recognition.names_scheduler(repository) or (tag and recognition.names_scheduler(tag)):
            yield f"container {container_name(container)} runs a scheduler's image"
    for port in ports(container):
        if port.integer() in recognition.ports:
            yield f"container {container_name(container)} listens on {port.integer()}, a scheduler's port"
    words = [
        word
        for key in ("entryPoint", "command")
        for item in container[key].items()
        if (word := item.text()) is not None
    ]
    if words and _matches(" ".join(words), recognition.scheduler_commands):
        yield f"container {container_name(container)} runs a scheduler's command"


def _image_parts(image: str) -> tuple[str, str]:
    """The repository without its registry, and the tag (empty when the image is named by digest alone)."""
    without_digest = image.partition("@")[0]
    head, slash, last = without_digest.rpartition("/")
    repository, _, tag = last.partition(":")
    first = head.partition("/")[0]
    path = head.partition("/")[2] if "." in first or ":" in first or first == "localhost" else head
    return (f"{path}/{repository}" if slash and path else repository), tag


def declared_role(resource: Resource) -> Value:
    """The role tag of a service, as it was given."""
    return resource.tag(ROLE_TAG)
