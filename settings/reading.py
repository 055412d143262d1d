"""Reads the stack's configuration as the engine hands it over; the only reader of it.

Everything below `read_settings` is pure: a mapping goes in, `Settings` or a `SettingsError` comes out,
and nothing has been created by then. Doesn't own what a setting is, or how a mistake is worded.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env, get_config_secret_keys_env
from pydantic import ValidationError

from components.validation import HIDDEN, InvalidArgumentError
from settings.messages import SettingsError, describe, line
from settings.running_stack import refuse_another_environment
from settings.sections import Settings
from settings.stack_file import StackFile, read_stack_file
from settings.values import PROJECT


def read_settings() -> Settings:
    """The settings of the stack that is being deployed.

    Raises `SettingsError`, which the engine shows as it is.
    """
    values = {
        key.removeprefix(f"{PROJECT}:"): value
        for key, value in {**get_config_env(), **CONFIG.get()}.items()
        if key.startswith(f"{PROJECT}:")
    }
    secret_keys = {key.removeprefix(f"{PROJECT}:") for key in get_config_secret_keys_env()}
    stack = pulumi.get_stack()
    settings = parse_settings(
        stack,
        values,
        secret_keys,
        file=read_stack_file(Path(pulumi.get_root_directory() or "."), PROJECT, stack),
        region=pulumi.Config("aws").get("region")
        or os.environ.get("AWS_REGION")
        or os.environ.get("AWS_DEFAULT_REGION"),
        now=datetime.now(UTC),
    )
    full_name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack}"
    refuse_another_environment(full_name, settings.environment)
    return settings


def parse_settings(
    stack: str,
    values: Mapping[str, str],
    secret_keys: Collection[str] = (),
    *,
    file: StackFile | None = None,
    region: str | None = None,
    now: datetime | None = None,
) -> Settings:
    """`Settings` from the texts of a stack's configuration, as the engine hands them over.

    Structured values are JSON. The environment is the stack's name unless it is given. `file` is what the
    stack's file says, which is named where a value stands in it; `region` the one that is deployed to; `now`
    the time by which no pause may be over, of which nothing is asked without it.
    Raises `SettingsError` naming file, key, value, rule and fix; values of `secret_keys` are hidden.
    """

    def origin(key: str) -> str:
        return f"{file.name}: " if file is not None and file.says(key, values.get(key)) else ""

    unread = list(_unreadable(values, secret_keys, file))
    lines = [line(origin, each.field.split("."), each.value, each.rule, each.fix) for each in unread]
    if region is not None:
        lines += _foreign_partition(region)
    told = {each.field.split(".")[0] for each in unread}
    read = {key: _decode(key, text) for key, text in values.items() if key not in told}
    named = bool(read.get("environment"))
    if not named:
        read["environment"] = stack
    try:
        settings = Settings.model_validate(read, context={"region": region, "now": now})
    except ValidationError as error:
        for details in error.errors():
            key = details["loc"][0] if details["loc"] else None
            if key == "environment" and not named:
                lines.append(_nameless(stack, str(details["ctx"]["error"].rule)))
            elif key not in told:
                lines += describe(origin, details, secret_keys)
    else:
        if not lines:
            return settings
    # Two sections may find the same mistake, each for itself.
    raise SettingsError("\n".join(dict.fromkeys(lines)))


def _foreign_partition(region: str) -> Iterator[str]:
    """Refuses a region whose services answer under other names than amazonaws.com.

    Source: https://docs.amazonaws.cn/en_us/aws/latest/userguide/endpoints-Beijing.html
    """
    if region.startswith(("cn-", "us-iso", "eu-iso")):
        yield (
            f"aws:region is {region!r}, but images, endpoints and principals have names in amazonaws.com "
            "here, which that partition has not. Choose a region of the partitions aws or aws-us-gov."
        )


def _unreadable(
    values: Mapping[str, str], secret_keys: Collection[str], file: StackFile | None
) -> Iterator[InvalidArgumentError]:
    """What can't be read for what it was meant to be; the rules of the setting itself come after it."""
    for key, text in values.items():
        if key in secret_keys:
            for path in [key] if file is None else file.secrets(key):
                yield InvalidArgumentError(
                    path,
                    HIDDEN,
                    "a setting stands readable in the state and in AWS, so none is a secret",
                    "Keep it in Secrets Manager and name it under secrets; write what is none in plain text.",
                )
        elif key in Settings.model_fields and text[:1] in ("{", "["):
            try:
                json.loads(text)
            except (ValueError, RecursionError):
                yield InvalidArgumentError(
                    key,
                    HIDDEN,
                    "an object or a list is written as YAML or JSON, and this is neither",
                    f"Write it below {key}, a line for each key.",
                )
        elif file is not None and (written := file.changed(key, text)) is not None:
            yield InvalidArgumentError(
                key, text, f"the file says {written}, which YAML reads as that number", "Put it in quotes."
            )
        elif (
            file is not None
            and key == "version"
            and re.fullmatch(r"(0|[1-9]\d*)\.\d*[1-9]", text)
            and not file.says(key, text)
        ):
            yield InvalidArgumentError(
                key,
                text,
                f"{text}0 without quotes arrives as {text} too, and {file.name} doesn't tell which it was",
                f"Set it there, with: pulumi config set version {text}",
            )


def _decode(key: str, text: str) -> Any:
    """Objects and lists arrive as JSON; everything else is a text that stands for itself."""
    return json.loads(text) if key in Settings.model_fields and text[:1] in ("{", "[") else text


def _nameless(stack: str, rule: str) -> str:
    """The mistake of a stack whose name can't be its environment's, which no file says."""
    name = re.sub(r"[^a-z0-9]", "", stack.lower()).lstrip("0123456789")[:16] or "staging"
    return (
        f"{PROJECT}:environment is missing, but the stack's name {stack!r} can't stand in for it: {rule}. "
        f"Set it with: pulumi config set environment {name}"
    )
