"""Which ECS services of a stack belong to which task definitions, and which of them are schedulers.

For stack rules: an unknown reference (a task definition's ARN at preview) is resolved by the dependencies
that Pulumi recorded for the property, so a rule needn't know the value to know what it points at.

Owns these look-ups, each worked out once per stack and in linear time. Deliberately not here: what is
allowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from .recognition import Recognition, family_of, service_evidence, task_evidence
from .resources import ECS_CLUSTER, SERVICE_TYPES, TASK_DEFINITION_TYPES, Resource, Stack
from .values import Value


@dataclass(frozen=True, eq=False)
class EcsView:
    """A stack seen as ECS services, their task definitions and clusters."""

    stack: Stack
    recognition: Recognition
    _tasks: dict[str, list[Resource]] = field(default_factory=dict)

    @cached_property
    def services(self) -> Sequence[Resource]:
        return self.stack.of(*SERVICE_TYPES)

    @cached_property
    def tasks_by_family(self) -> Mapping[str, Sequence[Resource]]:
        result: dict[str, list[Resource]] = {}
        for task in self.stack.of(*TASK_DEFINITION_TYPES):
            family = task["family"].text()
            if family is not None:
                result.setdefault(family, []).append(task)
        return result

    def tasks_of(self, resource: Resource, *properties: str) -> list[Resource]:
        """The task definitions of this stack that one of the properties names or depends on."""
        key = f"{resource.urn_text} {properties}"
        known = self._tasks.get(key)
        if known is None:
            referenced = [
                other
                for other in self.stack.referenced(resource, *properties)
                if other.canonical_type in TASK_DEFINITION_TYPES
            ]
            for name in properties:
                text = resource[name].text()
                if text:
                    referenced.extend(self.tasks_by_family.get(family_of(text), ()))
            known = list({task.urn_text: task for task in referenced}.values())
            self._tasks[key] = known
        return known

    @cached_property
    def schedulers(self) -> Mapping[str, Sequence[str]]:
        """The services that are schedulers, by URN, with the evidence, that of their task definitions
        included.
        """
        result: dict[str, Sequence[str]] = {}
        for service in self.services:
            found = list(service_evidence(service, self.recognition))
            for task in self.tasks_of(service, "taskDefinition"):
                found.extend(task_evidence(task, self.recognition))
            if found:
                result[service.urn_text] = tuple(dict.fromkeys(found))
        return result

    @cached_property
    def scheduler_services(self) -> Sequence[Resource]:
        return [service for service in self.services if service.urn_text in self.schedulers]

    @cached_property
    def scheduler_names(self) -> frozenset[str]:
        """The ECS names of the stack's schedulers, as far as they are known."""
        names = (service_name(service).text() for service in self.scheduler_services)
        return frozenset(name for name in names if name)

    def is_scheduler(self, resource: Resource) -> bool:
        return resource.urn_text in self.schedulers

    def is_scheduler_task(self, resource: Resource) -> bool:
        return bool(task_evidence(resource, self.recognition))

    @cached_property
    def scheduler_families(self) -> frozenset[str]:
        """The families of the task definitions that the stack's schedulers run, and of those that look like
        it.
        """
        tasks = [
            task for service in self.scheduler_services for task in self.tasks_of(service, "taskDefinition")
        ]
        tasks.extend(task for task in self.stack.of(*TASK_DEFINITION_TYPES) if self.is_scheduler_task(task))
        return frozenset(family for task in tasks if (family := task["family"].text()))

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


_VIEW: Final = "ecs view"


def ecs_view(stack: Stack, recognition: Recognition) -> EcsView:
    """The view of this stack, made by the first rule that asks."""
    view: EcsView | None = stack.memo.get(_VIEW)
    if view is None:
        view = EcsView(stack, recognition)
        stack.memo[_VIEW] = view
    return view


def service_name(service: Resource) -> Value:
    """The name of the service in ECS, as either provider calls it."""
    name = service["name"]
    return service["serviceName"] if name.missing else name


def texts_within(value: Value) -> Iterator[str]:
    """Every known text in a value, at any depth."""
    if value.is_object:
        for _, member in value.entries():
            yield from texts_within(member)
    elif value.known and isinstance(value.raw, list):
        for element in value.items():
            yield from texts_within(element)
    elif (text := value.text()) is not None:
        yield text
