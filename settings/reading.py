"""Reads the stack's configuration as the engine hands it over; the only reader of it.

Everything below `read_settings` is pure: a mapping goes in, `Settings` or a `SettingsError` comes out,
and nothing has been created by then. Doesn't own what a setting is, or how a mistake is worded.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env, get_config_secret_keys_env
from pydantic import ValidationError

from components.validation import HIDDEN
from settings.messages import SettingsError, describe
from settings.sections import PROJECT, Settings


def read_settings() -> Settings:
    """The settings of the stack that is being deployed.

    Raises `SettingsError`, which the engine shows as it is.
    """
    values = {
        key.removeprefix(f"{PROJECT}:"): value
        for key, value in {**get_config_env(), **CONFIG.get()}.items()
        if key.startswith(f"{PROJECT}:")
    }
    check_partition(pulumi.get_stack(), pulumi.Config("aws").get("region"))
    secret_keys = {key.removeprefix(f"{PROJECT}:") for key in get_config_secret_keys_env()}
    return parse_settings(pulumi.get_stack(), values, secret_keys)


def check_partition(stack: str, region: str | None) -> None:
    """Refuses a region whose services answer under other names than amazonaws.com.

    Raises `SettingsError`.
    Source: https://docs.amazonaws.cn/en_us/aws/latest/userguide/endpoints-Beijing.html
    """
    if region is not None and region.startswith(("cn-", "us-iso", "eu-iso")):
        raise SettingsError(
            f"Pulumi.{stack}.yaml: aws:region is {region!r}, but images, endpoints and principals have names "
            "in amazonaws.com here, which that partition has not. Choose a region of the partitions aws or "
            "aws-us-gov."
        )


def parse_settings(stack: str, values: Mapping[str, str], secret_keys: Collection[str] = ()) -> Settings:
    """`Settings` from the texts of a stack's configuration, as the engine hands them over.

    Structured values are JSON. The environment is the stack's name unless it is given.
    Raises `SettingsError` naming file, key, value, rule and fix; values of `secret_keys` are hidden.
    """
    read = {key: _decode(stack, key, text) for key, text in values.items()}
    read["environment"] = read.get("environment") or stack
    try:
        return Settings.model_validate(read)
    except ValidationError as error:
        lines = [line for details in error.errors() for line in describe(stack, details, secret_keys)]
        # Two sections may find the same mistake, each for itself.
        raise SettingsError("\n".join(dict.fromkeys(lines))) from None


def _decode(stack: str, key: str, text: str) -> Any:
    """Objects and lists arrive as JSON; everything else is a text that stands for itself."""
    if key not in Settings.model_fields or text[:1] not in ("{", "["):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise SettingsError(
            f"Pulumi.{stack}.yaml: {PROJECT}:{key} is {HIDDEN!r}, but an object or a list is written as YAML "
            f"or JSON, and this is neither. Write it below {key}, a line for each key."
        ) from None
