"""The kinds of values that settings have, with the check of each: versions, ports, variables, tags, ARNs.

Pure. Doesn't own a section; see `sections` and `services`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    ValidationInfo,
    with_config,
)

from components.aws_rules import check_tags
from components.flow_logs import FlowLogs
from components.network import ExistingVpc, NewVpc
from components.options import (
    ContainerHealthCheck,
    TaskSize,
    WritablePath,
)
from components.pause import Pause
from components.validation import (
    InvalidArgumentError,
    all_mistakes,
    check_environment,
    check_pattern,
    check_port,
    check_range,
    check_secret_reference,
    check_variable_names,
    refuse,
)
from components.web_options import (
    Autoscaling,
    Capacity,
    ScheduledScaling,
    TargetHealthCheck,
)

PROJECT = "fileflow"


@all_mistakes
def _environment(value: str) -> str:
    check_pattern(
        "environment",
        value,
        # Without a dash: scheduler a of environment b-c would meet scheduler a-b of environment c.
        r"[a-z][a-z0-9]{0,15}",
        "an environment's name has up to 16 lower-case letters and digits, a letter first",
        "Rename it, for example staging.",
    )
    return value


@all_mistakes
def _version(value: str) -> str:
    check_pattern(
        "version",
        value,
        r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}",
        "a version becomes an image's tag: 1 to 100 letters, digits, '_', '.' and '-'",
        "Set it with: pulumi config set version 1.4.0",
    )
    if value.endswith("latest"):
        refuse(
            "version",
            value,
            "tags that end in latest move, and a version never does",
            "Name a version, for example 1.4.0.",
        )
    return value


def _scheduler_name(value: str) -> str:
    check_pattern(
        "name",
        value,
        r"[a-z][a-z0-9-]{0,30}",
        "a scheduler's name has up to 31 lower-case letters, digits and '-', a letter first",
        "Rename it, for example download.",
    )
    return value


def _port(value: int) -> int:
    check_port("port", value)
    return value


def _stop_timeout(value: int) -> int:
    check_range("stop_timeout_seconds", value, 2, 120, "Fargate's stop timeout")
    return value


@all_mistakes
def _secrets(value: dict[str, str]) -> dict[str, str]:
    check_variable_names("secrets", value)
    for name, reference in value.items():
        check_secret_reference(f"secrets.{name}", reference)
    return value


@all_mistakes
def _plain_environment(value: dict[str, str]) -> dict[str, str]:
    check_environment("environment", value)
    return value


@all_mistakes
def _tags(value: dict[str, str]) -> dict[str, str]:
    check_tags("tags", {**own_tags("example"), **value})
    return value


def own_tags(environment: str) -> dict[str, str]:
    """What every resource of a stack is tagged with, besides its file's tags."""
    return {"Project": PROJECT, "Environment": environment}


def _in_this_region(value: str, info: ValidationInfo) -> str:
    """What a service only takes from its own region; where that isn't known, AWS is asked."""
    parts = value.split(":")
    region = (info.context or {}).get("region")
    if region and len(parts) > 5 and parts[0] == "arn" and parts[3] not in ("", region):
        raise InvalidArgumentError(
            info.field_name or "arn",
            value,
            f"it lies in {parts[3]}, and the stack in {region}",
            f"Name one of {region}.",
        )
    return value


def _action(value: str) -> str:
    check_pattern(
        "actions",
        value,
        r"[a-z0-9-]+:[A-Za-z0-9*?]+",
        "an action is a service and a name, with '*' for a part of the name",
        "Write for example s3:GetObject.",
    )
    return value


def _resource(value: str) -> str:
    check_pattern(
        "resources",
        value,
        r"\*|arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-*]*:(\d{12}|aws|\*)?:\S+",
        "a resource is an ARN, or '*' where AWS lets nobody narrow an action",
        "Write for example arn:aws:s3:::files/*.",
    )
    return value


Action = Annotated[str, AfterValidator(_action)]
Resource = Annotated[str, AfterValidator(_resource)]
RegionalArn = Annotated[str, AfterValidator(_in_this_region)]
Version = Annotated[str, AfterValidator(_version)]
Port = Annotated[int, AfterValidator(_port)]
StopTimeout = Annotated[int, AfterValidator(_stop_timeout)]
Environment = Annotated[str, AfterValidator(_environment)]
SchedulerName = Annotated[str, AfterValidator(_scheduler_name)]
Variables = Annotated[dict[str, str], AfterValidator(_plain_environment)]
Secrets = Annotated[dict[str, str], AfterValidator(_secrets)]
Tags = Annotated[dict[str, str], AfterValidator(_tags)]


for _group in (
    TaskSize,
    ContainerHealthCheck,
    WritablePath,
    NewVpc,
    FlowLogs,
    ExistingVpc,
    Autoscaling,
    ScheduledScaling,
    Capacity,
    TargetHealthCheck,
    Pause,
):
    # The components' own groups are read from YAML as they are; a misspelled key must not be dropped.
    with_config(ConfigDict(extra="forbid"))(_group)


class Section(BaseModel):
    """A part of the configuration; a key that it doesn't know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)
