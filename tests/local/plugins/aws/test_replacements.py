"""Which changes replace a resource, held against recordings of the real provider and the SDK's arguments."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pulumi._types import input_type_py_to_pulumi_names

from local.plugins.aws import registry
from local.plugins.aws.resource import Resource
from local.plugins.aws.schema import sdk_module
from tests.local.plugins.aws.plugin import MENDED_SINCE, served

RECORDED: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "golden" / "aws-resources.json").read_text(encoding="utf-8")
)

# What a changed value of each argument looks like where the answer depends on it.
CHANGED = {"instanceTenancy": "dedicated"}


def arguments(key: str) -> set[str]:
    """The Pulumi names of a type's arguments, as the SDK declares them."""
    module_and_file, class_name = key.split(":")
    module, file = module_and_file.split("/")
    name = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", file).lower()
    resource = sdk_module(f"pulumi_aws.{module}", name)
    # Where a nested type of another resource took the name, the SDK calls the resource's own `InitArgs`.
    names = input_type_py_to_pulumi_names(
        getattr(resource, f"{class_name}InitArgs", None) or getattr(resource, f"{class_name}Args")
    )
    return set(names.values())


@pytest.mark.parametrize("token", sorted(RECORDED))
def test_every_recorded_argument_replaces_or_updates_as_the_real_provider_said(token: str) -> None:
    recorded = {
        argument: answer
        for argument, answer in RECORDED[token]["replaces"].items()
        if answer in {"replace", "update"} and (token, argument) not in MENDED_SINCE
    }
    answers = {}
    for argument in recorded:
        examples = [example["inputs"] for example in RECORDED[token]["examples"]]
        old = next((inputs for inputs in examples if argument in inputs), examples[0])
        new = {**old, argument: CHANGED.get(argument, old.get(argument))}
        answers[argument] = ("update", "replace")[registry.resource(token).replaced_by(argument, old, new)]
    assert answers == recorded


@pytest.mark.parametrize("kind", served(), ids=lambda kind: kind.token)
def test_only_arguments_that_the_sdk_has_replace(kind: Resource) -> None:
    assert kind.replacing <= arguments(kind.token.removeprefix("aws:"))


def test_dedicated_tenancy_is_loosened_in_place_and_never_tightened() -> None:
    vpc, argument = registry.resource("aws:ec2/vpc:Vpc"), "instanceTenancy"
    dedicated, shared = {argument: "dedicated"}, {argument: "default"}
    assert not vpc.replaced_by(argument, dedicated, shared)
    assert vpc.replaced_by(argument, shared, dedicated)
