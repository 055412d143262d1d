"""Which ECS services of a stack run which task definitions, and which of them are schedulers.

For stack rules: an unknown reference (a task definition's ARN at preview) is resolved by the dependencies
that Pulumi recorded for the property, so a rule needn't know the value to know what it points at.

Owns these look-ups, each worked out once per stack and in linear time. Deliberately not here: what is
allowed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from .containers import Image, image_of, is_agent, read_containers, work_of
from .recognition import Recognition, Standing, family_of, standing_of
from .resources import ECS_CLUSTER, ECS_SERVICE, ECS_TASK_DEFINITION, Resource, Stack
from .values import Value


@dataclass(frozen=True, eq=False)
class EcsView:
    """A stack seen as ECS services, their task definitions and clusters."""

    stack: Stack
    recognition: Recognition
    _tasks: dict[str, list[Resource]] = field(default_factory=dict)

    @cached_property
    def services(self) -> Sequence[Resource]:
        return self.stack.of(ECS_SERVICE)

    @cached_property
    def tasks_by_family(self) -> Mapping[str, Sequence[Resource]]:
        result: dict[str, list[Resource]] = {}
        for task in self.stack.of(ECS_TASK_DEFINITION):
            family = task["family"].text()
            if family is not None:
                result.setdefault(family, []).append(task)
        return result

    def tasks_of(self, resource: Resource, *properties: str) -> list[Resource]:
        """The task definitions of this stack that one of the properties names or depends on."""
        names = properties or ("taskDefinition",)
        key = f"{resource.urn_text} {names}"
        known = self._tasks.get(key)
        if known is None:
            referenced = [
                other
                for other in self.stack.referenced(resource, *names)
                if other.canonical_type == ECS_TASK_DEFINITION
            ]
            for name in names:
                text = resource[name].text()
                if text:
                    referenced.extend(self.tasks_by_family.get(family_of(text), ()))
            known = list({task.urn_text: task for task in referenced}.values())
            self._tasks[key] = known
        return known

    def standing(self, service: Resource) -> Standing:
        return standing_of(service, self.recognition, self.tasks_of(service))

    @cached_property
    def schedulers(self) -> Sequence[Resource]:
        """The services that are schedulers: declared, or by strong evidence."""
        return [service for service in self.services if self.standing(service).runs_scheduler]

    @cached_property
    def declared(self) -> Sequence[Resource]:
        return [service for service in self.services if self.standing(service).is_scheduler]

    @cached_property
    def _urns(self) -> frozenset[str]:
        return frozenset(service.urn_text for service in self.schedulers)

    def is_scheduler(self, resource: Resource) -> bool:
        return resource.urn_text in self._urns

    @cached_property
    def scheduler_names(self) -> frozenset[str]:
        """The ECS names of the stack's schedulers, as far as they are known."""
        names = (service["name"].text() for service in self.schedulers)
        return frozenset(name for name in names if name)

    @cached_property
    def other_names(self) -> frozenset[str]:
        """The names and families of what is declared as something else."""
        found: set[str] = set()
        for service in self.services:
            if not self.is_scheduler(service) and self.standing(service).role is not None:
                found.add(service["name"].text() or "")
                found.update(task["family"].text() or "" for task in self.tasks_of(service))
        return frozenset(found - {""})

    @cached_property
    def scheduler_families(self) -> frozenset[str]:
        """The families of the task definitions that the stack's schedulers run."""
        found: set[str] = set()
        for service in self.schedulers:
            found.update(task["family"].text() or "" for task in self.tasks_of(service))
            text = service["taskDefinition"].text()
            if text:
                found.add(family_of(text))
        return frozenset(found - {""})

    @cached_property
    def scheduler_ports(self) -> Mapping[int, Resource]:
        """The ports of the schedulers' containers, with the scheduler."""
        result: dict[int, Resource] = {}
        for service in self.schedulers:
            for task in self.tasks_of(service):
                for container in read_containers(task).containers:
                    for mapping in container["portMappings"].items():
                        port = mapping["containerPort"].integer()
                        if port is not None:
                            result.setdefault(port, service)
        return result

    @cached_property
    def works(self) -> Sequence[tuple[Resource, Value, Image, tuple[object, ...]]]:
        """Every container that does a service's work: service, container, image and work.

        A vendor's agent does the same beside any of them.
        """
        return [
            (service, container, image, work_of(container))
            for service in self.services
            for task in self.tasks_of(service)
            for container in read_containers(task).containers
            if container["essential"].boolean() is not False
            and (image := image_of(container)) is not None
            and not is_agent(container)
        ]

    def clusters_of(self, resource: Resource, name: str = "cluster") -> list[Resource]:
        """The clusters of this stack that a property names or depends on."""
        found = [
            other for other in self.stack.referenced(resource, name) if other.canonical_type == ECS_CLUSTER
        ]
        text = resource[name].text()
        if text:
            wanted = text.rsplit("/", 1)[-1]
            found.extend(c for c in self.stack.of(ECS_CLUSTER) if c["name"].text() == wanted)
        return list({cluster.urn_text: cluster for cluster in found}.values())

    def cluster_name(self, service: Resource) -> str | None:
        """The name of the cluster that a service runs in; None while nobody knows it."""
        value = service["cluster"]
        if value.missing:
            return "default"
        names = {cluster["name"].text() for cluster in self.clusters_of(service)}
        if len(names) == 1:
            return names.pop()
        text = value.text()
        return text.rsplit("/", 1)[-1] if text else None


_VIEW: Final = "ecs view"


def ecs_view(stack: Stack, recognition: Recognition) -> EcsView:
    """The view of this stack, made by the first rule that asks."""
    view: EcsView | None = stack.memo.get(_VIEW)
    if view is None:
        view = EcsView(stack, recognition)
        stack.memo[_VIEW] = view
    return view
