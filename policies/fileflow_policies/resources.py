"""What a rule is told of a resource: type, URN, properties, options, and in a stack its neighbours.

Owns the parsing of URNs, tags and property paths. Deliberately not here: the one form of a resource
(`normal`), what role a service plays (`standing`) and what its containers say (`containers`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from .normal import canonical_type, normal
from .values import State, Value

ECS_SERVICE: Final = "aws:ecs/service:Service"
ECS_TASK_DEFINITION: Final = "aws:ecs/taskDefinition:TaskDefinition"
ECS_EXPRESS: Final = "aws:ecs/expressGatewayService:ExpressGatewayService"
ECS_TASK_SET: Final = "aws:ecs/taskSet:TaskSet"
ECS_CLUSTER: Final = "aws:ecs/cluster:Cluster"
ECS_CLUSTER_CAPACITY_PROVIDERS: Final = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
SCHEDULER_COMPONENT: Final = "fileflow:ecs:SchedulerService"

# Their types are judged only by what they hold, which `normal` finds out.
BY_CONTENT: Final = frozenset({"aws:cloudcontrol/resource:Resource", "aws-native:index:ExtensionResource"})


@dataclass(frozen=True, slots=True)
class Urn:
    """The parts of a Pulumi URN. A malformed one gives empty parts rather than an error."""

    text: str
    stack: str
    project: str
    types: tuple[str, ...]
    name: str

    @classmethod
    def parse(cls, text: str) -> Urn:
        parts = text.split("::", 3)
        if len(parts) != 4 or not parts[0].startswith("urn:pulumi:"):
            return cls(text, "", "", (), text.rsplit("::", 1)[-1])
        return cls(text, parts[0].removeprefix("urn:pulumi:"), parts[1], tuple(parts[2].split("$")), parts[3])


@dataclass(frozen=True, eq=False)
class Resource:
    """A resource as the engine shows it to a policy: its inputs for a resource rule, its outputs for a stack
    rule.
    """

    type: str
    urn_text: str
    name: str
    properties: Any
    ignore_changes: tuple[str, ...] = ()
    delete_before_replace: bool | None = None
    protect: bool = False
    parent_urn: str | None = None
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    provider_region: str = ""
    registered: Mapping[str, Resource] = field(default_factory=dict, repr=False)
    """The task definitions, by family, that were registered before this resource."""
    memo: dict[str, Any] = field(default_factory=dict, repr=False)
    """What rules worked out about this resource, so that the next rule needn't again."""

    @cached_property
    def _normal(self) -> tuple[str, Any]:
        return normal(self.type, self.properties if self.properties is not None else {})

    @property
    def canonical_type(self) -> str:
        """The type's token as pulumi-aws has it, whichever provider makes the resource."""
        return self._normal[0]

    @property
    def by_aws_provider(self) -> bool:
        """Whether pulumi-aws makes the resource, rather than another provider for the same thing."""
        return self.type.startswith("aws:") and canonical_type(self.type) == self.canonical_type

    @cached_property
    def urn(self) -> Urn:
        return Urn.parse(self.urn_text)

    @cached_property
    def props(self) -> Value:
        return Value.of(self._normal[1])

    @property
    def region(self) -> str:
        """The region in which the resource is made, as far as the resource or its provider says; else
        empty.
        """
        return self["region"].text() or self.provider_region

    def __getitem__(self, key: str) -> Value:
        return self.props[key]

    @cached_property
    def label(self) -> str:
        """How messages name the resource: its Pulumi name, and its type."""
        return f"{self.name or self.urn.name} ({self.type})"

    @cached_property
    def tags(self) -> Value:
        """The tags, with those that the provider adds by default."""
        own, every = self["tags"], self["tagsAll"]
        if own.known and isinstance(own.raw, list):
            own = _tags_of_list(own)
        if every.is_object and (own.missing or own.is_object):
            return Value(State.KNOWN, {**every.raw, **(own.raw or {})}, "tags", own.secret or every.secret)
        return own

    def tag(self, key: str) -> Value:
        return self.tags[key]

    def ignored_roots(self, tags: Sequence[str]) -> frozenset[str]:
        """First steps of the property paths under `ignore_changes`, folded so that spelling hides nothing.

        A path to one tag counts only where the tag is one of `tags`; tagsAll, tags with the provider's own,
        only where the first of `tags` isn't among the resource's own.
        """
        copied = any(key == tags[0] for key, _ in self["tags"].entries())
        roots: set[str] = set()
        for path in self.ignore_changes:
            root = folded(path_root(path))
            child = path_root(_ROOT.sub("", path, count=1).removeprefix("."))
            if root == "tagsall" and copied:
                continue
            if root not in ("tags", "tagsall") or child in ("", "*", *tags):
                roots.add(root)
        return frozenset(roots)

    def in_component(self, token: str) -> bool:
        """Whether the resource is, or sits at any depth in, a component of this type."""
        return token in self.urn.types or self.type == token


def _tags_of_list(tags: Value) -> Value:
    """Tags in CloudFormation's form, a list of keys and values, as a mapping; unknown when one of them can't
    be read.
    """
    result: dict[str, Any] = {}
    for tag in tags.items():
        key, value = tag["key"].text(), tag["value"]
        if key is None:
            return Value(State.UNKNOWN, None, tags.path, tags.secret)
        result[key] = value.raw if value.known else None
    return Value(State.KNOWN, result, tags.path, tags.secret)


_ROOT = re.compile(r"""^\s*(?:\[\s*["']?(?P<quoted>[^"'\]]*)["']?\s*\]|(?P<plain>[^.\[\s]+))""")


def path_root(path: str) -> str:
    """The first step of a property path: `a` of `a.b`, `a[0].b`, `["a"].b`."""
    match = _ROOT.match(path)
    if match is None:
        return path.strip()
    return match["quoted"] if match["quoted"] is not None else match["plain"]


def folded(name: str) -> str:
    """A property name without case and underscores: `desired_count` and `desiredCount` are one."""
    return name.replace("_", "").lower()


@dataclass(frozen=True, eq=False)
class Stack:
    """All resources of a stack, with the look-ups that stack rules share, each built once."""

    resources: Sequence[Resource]
    memo: dict[str, Any] = field(default_factory=dict, repr=False)
    """What stack rules worked out about the whole stack, so that the next rule needn't again."""

    @cached_property
    def by_urn(self) -> Mapping[str, Resource]:
        return {resource.urn_text: resource for resource in self.resources}

    @cached_property
    def by_type(self) -> Mapping[str, Sequence[Resource]]:
        result: dict[str, list[Resource]] = {}
        for resource in sorted(self.resources, key=lambda each: each.urn_text):
            result.setdefault(resource.canonical_type, []).append(resource)
        return result

    def of(self, *types: str) -> list[Resource]:
        """The resources of these types, by URN: the engine sends them in another order each time."""
        return [resource for token in types for resource in self.by_type.get(token, ())]

    def referenced(self, resource: Resource, *properties: str) -> list[Resource]:
        """The resources of this stack whose outputs went into one of these properties, as far as Pulumi
        recorded it.
        """
        urns = dict.fromkeys(
            urn for name in properties for urn in resource.property_dependencies.get(name, ())
        )
        return [self.by_urn[urn] for urn in urns if urn in self.by_urn]
