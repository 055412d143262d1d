"""Drives the pack's own analyser with requests recorded from a program under Pulumi mocks.

`record` runs a program and keeps what it registered, as the engine would send it to a policy pack: in preview
mode what only AWS can know is unknown; in update mode it is known. `Recording` can be changed (a property
set, dropped, unknown, secret; a resource added) before `analyse` gives it to the analyser and returns every
violation of the whole pack.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from fileflow_policies.analyzer import Analyzer
from fileflow_policies.pack import NAME, RULES, policies
from fileflow_policies.rule import Rule
from google.protobuf import json_format, struct_pb2
from pulumi.runtime import mocks, proto
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.rpc import UNKNOWN
from pulumi_policy import EnforcementLevel
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

PROJECT = "fileflow"


def unknown() -> str:
    """A value that only the update will know."""
    return UNKNOWN_STRING_VALUE


def secret(value: Any) -> dict[str, Any]:
    """A value that is a Pulumi secret, as the engine sends it."""
    return {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "value": value}


@dataclass
class Recorded:
    """One resource as a program registered it, and as the stack knows it afterwards."""

    type: str
    urn: str
    name: str
    inputs: dict[str, Any]
    computed: dict[str, Any] = field(default_factory=dict)
    parent: str = ""
    ignore_changes: list[str] = field(default_factory=list)
    delete_before_replace: bool | None = None
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    prepared: Any = None
    """The message that `stack_resource` gives, made beforehand for a resource that won't change."""

    def options(self) -> Any:
        return proto.AnalyzerResourceOptions(
            ignoreChanges=self.ignore_changes,
            deleteBeforeReplaceDefined=self.delete_before_replace is not None,
            deleteBeforeReplace=bool(self.delete_before_replace),
            parent=self.parent,
        )

    def analyze_request(self) -> Any:
        return proto.AnalyzeRequest(
            type=self.type,
            urn=self.urn,
            name=self.name,
            properties=_struct(self.inputs),
            options=self.options(),
        )

    def stack_resource(self) -> Any:
        if self.prepared is not None:
            return self.prepared
        result = proto.AnalyzerResource(
            type=self.type,
            urn=self.urn,
            name=self.name,
            properties=_struct({**self.computed, **self.inputs}),
            options=self.options(),
            parent=self.parent,
            dependencies=sorted({urn for urns in self.property_dependencies.values() for urn in urns}),
        )
        for name, urns in self.property_dependencies.items():
            result.propertyDependencies[name].urns.extend(urns)
        return result


@dataclass(frozen=True, order=True)
class Violation:
    """A violation, without its words, for comparing exact sets."""

    rule: str
    resource: str
    level: str = "mandatory"


@dataclass
class Report:
    """What the analyser answered."""

    violations: set[Violation]
    messages: list[str]

    def __str__(self) -> str:
        return "\n".join(sorted(self.messages))


class Recording:
    """The resources that a program registered, in order."""

    def __init__(self, resources: Sequence[Recorded], stack: str) -> None:
        self.resources = list(resources)
        self.stack = stack

    def copy(self) -> Recording:
        return Recording(copy.deepcopy(self.resources), self.stack)

    def __getitem__(self, name: str) -> Recorded:
        found = [resource for resource in self.resources if resource.name == name]
        if len(found) != 1:
            raise KeyError(f"{name}: {len(found)} resources have this name")
        return found[0]

    def add(
        self,
        type_: str,
        name: str,
        inputs: Mapping[str, Any],
        depends_on: Mapping[str, Sequence[str]] | None = None,
        parents: str = "",
    ) -> Recorded:
        """Adds a resource; `depends_on` names the resources that a property's value comes from."""
        recorded = Recorded(
            type=type_,
            urn=f"urn:pulumi:{self.stack}::{PROJECT}::{parents}{type_}::{name}",
            name=name,
            inputs=dict(inputs),
            property_dependencies={
                key: [self[other].urn for other in others] for key, others in (depends_on or {}).items()
            },
        )
        self.resources.append(recorded)
        return recorded

    def set(self, name: str, path: str, value: Any) -> None:
        """Sets a property by a path such as `loadBalancers.0.containerPort`."""
        target, last = self._walk(name, path)
        target[last] = value

    def drop(self, name: str, path: str) -> None:
        target, last = self._walk(name, path)
        del target[last]

    def _walk(self, name: str, path: str) -> tuple[Any, Any]:
        target: Any = self[name].inputs
        *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        for step in steps:
            if isinstance(target, dict) and step not in target:
                target[step] = {}
            target = target[step]
        return target, last


class _Monitor(mocks.MockMonitor):
    """Answers registrations like providers that give back what they were given, and records them."""

    def __init__(self, preview: bool, stack: str) -> None:
        super().__init__(_NoMocks())
        self.preview = preview
        self.stack = stack
        self.recorded: list[Recorded] = []

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """As the engine makes it: the types of all parents but the stack itself, then the resource's own."""
        parents = parent.split("::")[2].removeprefix("pulumi:pulumi:Stack") if parent else ""
        chain = f"{parents}${type_}" if parents else type_
        return f"urn:pulumi:{self.stack}::{PROJECT}::{chain}::{name}"

    def RegisterResource(self, request: Any) -> Any:
        urn = self.make_urn(request.parent, request.type, request.name)
        inputs = json_format.MessageToDict(request.object)
        if request.type == "pulumi:pulumi:Stack":
            return resource_pb2.RegisterResourceResponse(urn=urn)
        identifier = "" if self.preview else f"{request.name}-id"
        computed: dict[str, Any] = {}
        if request.custom:
            computed = {
                "id": UNKNOWN if self.preview else identifier,
                "arn": UNKNOWN if self.preview else _arn(request.type, request.name, inputs),
                "tagsAll": UNKNOWN if self.preview else inputs.get("tags", {}),
            }
            inputs.setdefault("name", f"{request.name}-1234567")
        self.recorded.append(
            Recorded(
                type=request.type,
                urn=urn,
                name=request.name,
                inputs=inputs,
                computed=computed,
                parent=request.parent,
                ignore_changes=list(request.ignoreChanges),
                delete_before_replace=request.deleteBeforeReplace
                if request.deleteBeforeReplaceDefined
                else None,
                property_dependencies={
                    key: sorted(value.urns)
                    for key, value in request.propertyDependencies.items()
                    if value.urns
                },
            )
        )
        known = {key: value for key, value in computed.items() if value != UNKNOWN}
        return resource_pb2.RegisterResourceResponse(
            urn=urn, id=identifier, object=_struct({**known, **inputs})
        )


def _arn(type_: str, name: str, inputs: Mapping[str, Any]) -> str:
    if type_ == "aws:ecs/taskDefinition:TaskDefinition":
        return task_definition_arn(inputs["family"])
    return f"arn:aws:test:::{type_}/{name}"


def task_definition_arn(family: str) -> str:
    """The ARN that ECS gives the first revision of a family."""
    return f"arn:aws:ecs:ap-northeast-2:646886795421:task-definition/{family}:1"


class _NoMocks(mocks.Mocks):
    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        raise NotImplementedError(args.typ)

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], None]:
        raise NotImplementedError(args.token)


def record(program: Callable[[], None], *, preview: bool, stack: str = "prod") -> Recording:
    """Runs a program under mocks and returns what it registered."""
    asyncio.set_event_loop(asyncio.new_event_loop())
    monitor = _Monitor(preview, stack)
    mocks.set_mocks(_NoMocks(), project=PROJECT, stack=stack, preview=preview, monitor=monitor)

    run = pulumi.runtime.test(program)  # type: ignore[no-untyped-call] # the SDK leaves it untyped
    run()
    return Recording(monitor.recorded, stack)


def analyzer(configuration: Mapping[str, Any] | None = None, rules: Sequence[Rule] = RULES) -> Analyzer:
    """The pack's analyser, configured as the engine would do it from a file of `--policy-pack-config`."""
    servicer = Analyzer(NAME, "0.0.1", policies(rules), EnforcementLevel.ADVISORY)
    if configuration is not None:
        configure(servicer, configuration)
    return servicer


class RefusedError(Exception):
    """The analyser refused a request, as it would end the operation in the engine."""


class _Context:
    """The part of a gRPC context by which a servicer refuses."""

    def abort(self, _code: Any, details: str) -> None:
        raise RefusedError(details)


def configure(servicer: Analyzer, configuration: Mapping[str, Any]) -> None:
    """Sends the configuration as the engine does: every rule, with its level, defaults and what was given."""
    levels = {level.value: servicer._map_enforcement_level(level) for level in EnforcementLevel}
    request = proto.ConfigureAnalyzerRequest()
    everything = configuration.get("all")
    for rule in RULES:
        part = request.policyConfig[rule.name]
        part.enforcementLevel = levels[everything if isinstance(everything, str) else rule.level.value]
    for name, given in configuration.items():
        settings = {"enforcementLevel": given} if isinstance(given, str) else dict(given)
        part = request.policyConfig[name]
        level = settings.pop("enforcementLevel", None)
        if level is not None:
            part.enforcementLevel = levels[level]
        part.properties.update(settings)
    servicer.Configure(request, _Context())


def analyse(
    recording: Recording, servicer: Analyzer | None = None, changed: Sequence[Recorded] | None = None
) -> Report:
    """All violations of the whole pack: of each resource as it is registered, then of the stack.

    With `changed`, only these are judged on their own, the others with the stack alone.
    """
    servicer = servicer or analyzer()
    violations: set[Violation] = set()
    messages: list[str] = []
    names = {resource.urn: resource.name for resource in recording.resources}
    levels = {
        servicer._map_enforcement_level(level): level.value
        for level in (EnforcementLevel.ADVISORY, EnforcementLevel.MANDATORY)
    }
    for resource in recording.resources if changed is None else changed:
        response = servicer.Analyze(resource.analyze_request(), _Context())
        for diagnostic in response.diagnostics:
            violations.add(
                Violation(diagnostic.policyName, resource.name, levels[diagnostic.enforcementLevel])
            )
            messages.append(diagnostic.message)
    request = proto.AnalyzeStackRequest(resources=[item.stack_resource() for item in recording.resources])
    for diagnostic in servicer.AnalyzeStack(request, _Context()).diagnostics:
        about = names.get(diagnostic.urn, "")
        violations.add(Violation(diagnostic.policyName, about, levels[diagnostic.enforcementLevel]))
        messages.append(diagnostic.message)
    return Report(violations, messages)


def _struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    result = struct_pb2.Struct()
    result.update(values)
    return result
