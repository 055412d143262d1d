"""Ways by which something other than a service starts, scales or changes ECS tasks.

EventBridge targets, schedules (also universal ones, which call any API), pipes, state machines and task sets
say it each in their own place; this module reads them all into one shape. What is allowed is the rules'
business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .containers import container_of
from .json_text import read
from .resources import ECS_TASK_SET, Resource
from .values import State, Value

EVENT_TARGET: Final = "aws:cloudwatch/eventTarget:EventTarget"
EVENT_RULE: Final = "aws:cloudwatch/eventRule:EventRule"
SCHEDULE: Final = "aws:scheduler/schedule:Schedule"
PIPE: Final = "aws:pipes/pipe:Pipe"
STATE_MACHINE: Final = "aws:sfn/stateMachine:StateMachine"
LAUNCHER_TYPES: Final = (EVENT_TARGET, EVENT_RULE, SCHEDULE, PIPE, STATE_MACHINE, ECS_TASK_SET)

# The APIs that start or scale tasks, as state machines and universal targets name them.
_CALL: Final = re.compile(
    r":(?:aws-sdk:)?(?P<service>ecs|applicationautoscaling):(?P<action>[A-Za-z]+)", re.IGNORECASE
)
_STARTING: Final = frozenset({"runtask", "starttask", "createservice", "createtaskset"})
_CHANGING: Final = frozenset(
    {"updateservice", "registerscalabletarget", "putscalingpolicy", "putscheduledaction"}
)
_WALK_LIMIT: Final = 20_000


@dataclass(frozen=True, slots=True)
class Launch:
    """One start or change of tasks: what it is about, and what the containers are started with."""

    subject: Value
    """The task definition, the service or the scalable target that it names."""

    overrides: tuple[Value, ...] = ()
    computed: bool = False
    """Whether the name is worked out when it runs, as by `TaskDefinition.$`."""


def launches(resource: Resource) -> Iterator[Launch]:
    """Every launch in a resource of one of `LAUNCHER_TYPES`."""
    kind = resource.canonical_type
    if kind == EVENT_TARGET:
        transformed = resource["inputTransformer"]["inputTemplate"]
        for block in resource["ecsTarget"].items():
            yield Launch(
                block["taskDefinitionArn"],
                (*_overrides(read(resource["input"])), *_overrides(read(transformed))),
            )
    elif kind == EVENT_RULE:
        for target in resource["targets"].items():
            for block in target["ecsParameters"].items():
                yield Launch(block["taskDefinitionArn"], _overrides(read(target["input"])))
    elif kind == SCHEDULE:
        target = resource["target"]
        for block in target["ecsParameters"].items():
            yield Launch(block["taskDefinitionArn"], _overrides(read(target["input"])))
        yield from _call(target["arn"].text() or "", read(target["input"]))
    elif kind == PIPE:
        for block in resource["targetParameters"]["ecsTaskParameters"].items():
            yield Launch(block["taskDefinitionArn"], _overrides(block["overrides"]))
    elif kind == ECS_TASK_SET:
        yield Launch(resource["taskDefinition"])
        yield Launch(resource["service"])
    elif kind == STATE_MACHINE:
        yield from _states(read(resource["definition"]))


def _states(definition: Value) -> Iterator[Launch]:
    """Every task of a state machine that calls ECS or its scaling, at any depth."""
    waiting = [definition]
    for _ in range(_WALK_LIMIT):
        if not waiting:
            return
        value = waiting.pop()
        if value.is_object:
            called = value["Resource"].text()
            if called is not None:
                arguments = value["Arguments"] if value["Parameters"].missing else value["Parameters"]
                yield from _call(called, arguments)
            waiting.extend(member for _, member in value.entries())
        elif value.known and isinstance(value.raw, list):
            waiting.extend(value.items())


def _call(called: str, arguments: Value) -> Iterator[Launch]:
    match = _CALL.search(called)
    if match is None:
        return
    action = match["action"].lower()
    if action not in _STARTING and action not in _CHANGING:
        return
    overrides = _overrides(_member(arguments, "overrides"))
    keys = ("taskdefinition", "service", "resourceid") if action != "updateservice" else ("service",)
    if action == "updateservice" and _member(arguments, "desiredcount").missing:
        return  # another deployment of the same count
    found = False
    for key in keys:
        plain, computed = _member(arguments, key), _member(arguments, f"{key}.$")
        if not plain.missing:
            found = True
            yield Launch(plain, overrides, (plain.text() or "").lstrip().startswith(("{%", "${")))
        if not computed.missing:
            found = True
            yield Launch(computed, overrides, True)
    if not found:
        yield Launch(Value(State.UNKNOWN, None, arguments.path or "input", arguments.secret), overrides, True)


def _member(value: Value, name: str) -> Value:
    """A member by its name in any case, as the APIs' JSON takes it."""
    for key, member in value.entries():
        if key.lower() == name:
            return member
    return Value(State.MISSING, None, name)


def _overrides(value: Value) -> tuple[Value, ...]:
    """What containers are started with instead: containerOverrides of a RunTask call."""
    return tuple(
        container_of(item) for item in _member(value, "containeroverrides").items() if item.is_object
    )
