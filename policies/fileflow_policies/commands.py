"""What a command of the program does to ECS, as far as its text shows.

Owns finding the calls that start or scale tasks, by the AWS CLI, an SDK or a template's deployment, in one
pass over the words. Deliberately not here: whether the tasks are a scheduler's.
"""

from __future__ import annotations

import re
from typing import Final

from .resources import Resource
from .values import Value

COMMAND_TYPES: Final = ("command:local:Command", "command:remote:Command")
_PLACES: Final = ("create", "update", "delete", "stdin", "interpreter", "environment")

_WORD: Final = re.compile(r"[A-Za-z0-9_][\w.:/@+-]*|--[\w-]+")
_STARTS: Final = frozenset(
    {
        *("run-task", "start-task", "create-service", "create-task-set", "update-task-set"),
        *("run_task", "start_task", "create_service", "create_task_set"),
        *("runtask", "starttask", "createservice", "createtaskset"),
        *("new-ecstask", "start-ecstask", "new-ecsservice", "new-ecstaskset"),  # PowerShell's names
    }
)
_CHANGES: Final = frozenset({"update-service", "update_service", "updateservice", "update-ecsservice"})
_SCALES: Final = frozenset(
    {
        *("register-scalable-target", "put-scheduled-action", "put-scaling-policy"),
        *("register_scalable_target", "put_scheduled_action", "put_scaling_policy"),
        *("registerscalabletarget", "putscheduledaction", "putscalingpolicy"),
        *("add-aasscalabletarget", "set-aasscheduledaction", "set-aasscalingpolicy"),
    }
)
_COUNTS: Final = ("--desired-count", "desiredcount", "desired_count")
_TEMPLATES: Final = frozenset({"deploy", "create-stack", "update-stack", "create-change-set"})
_SDK_ENDINGS: Final = ("command", "input", "request", "async")


def texts_of(command: Resource) -> list[Value]:
    """Every text by which a command can run something."""
    return [command[name] for name in _PLACES if not command[name].missing]


def words_of(value: Value) -> list[str]:
    return [word for text in value.texts_within() for word in _WORD.findall(text)]


def call_in(words: list[str]) -> str | None:
    """The first word that starts or scales ECS tasks; None where there is none."""
    lower = [word.lower() for word in words]
    known = set(lower)
    counts = any(part in word for word in known for part in _COUNTS)
    for word, folded in zip(words, lower, strict=True):
        name = folded.rsplit(".", 1)[-1]
        for ending in _SDK_ENDINGS:
            name = name.removesuffix(ending)
        if name in _STARTS and ("ecs" in known or any("ecs" in each for each in known)):
            return word
        if name in _CHANGES and counts:
            return word
        if name in _SCALES and (
            "ecs" in known or any("ecs:" in each or "service/" in each for each in known)
        ):
            return word
    return None


def template_deployment_in(words: list[str]) -> str | None:
    """Whether a command deploys a CloudFormation template that seems to hold ECS services."""
    lower = [word.lower() for word in words]
    if "cloudformation" not in lower and "sam" not in lower:
        return None
    if not _TEMPLATES.intersection(lower):
        return None
    for word, folded in zip(words, lower, strict=True):
        if "desiredcount" in folded or re.search(r"(?:^|[^a-z])ecs(?:$|[^a-z])", folded):
            return word
    return None
