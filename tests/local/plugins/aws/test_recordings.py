"""The stand-in, held against what the real provider made of the same arguments.

The recordings are of release 5.100 of the Terraform provider. Where release 6, which pulumi-aws 7 wraps,
answers otherwise, the SDK's types decide, and this file says so.
"""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest

from local.plugins.aws import registry, schema
from tests.golden.recordings import recorded
from tests.local.plugins.aws.plugin import Plugin

RECORDED: dict[str, Any] = recorded("aws-resources")
EXAMPLES = [
    pytest.param(token, example, id=f"{token.partition(':')[2]}-{index}")
    for token, of_type in RECORDED.items()
    for index, example in enumerate(of_type["examples"])
]

LEFT_TO_AWS_SINCE_RELEASE_6 = {"aws:ecs/service:Service": {"availabilityZoneRebalancing"}}
"""Arguments that release 5 defaulted and for which AWS decides now: the SDK's output isn't optional."""

CHANGED_IN_PLACE_SINCE = {("aws:ecs/service:Service", "capacityProviderStrategies")}
"""What the provider that was recorded (Terraform's 5.100) replaced and its next version changes in place.

Source: https://github.com/hashicorp/terraform-provider-aws/pull/43533
"""

CONTAINERS = json.dumps([{"name": "web", "image": "repo@sha256:0"}])
"""The recording left the container definitions out: they held a secret."""

GENERATED = re.compile(r"-[0-9a-f]{7}$")


def with_containers(token: str, properties: dict[str, Any]) -> dict[str, Any]:
    return (
        {**properties, "containerDefinitions": CONTAINERS}
        if token.endswith(":TaskDefinition")
        else properties
    )


def checked(token: str, example: Any) -> dict[str, Any]:
    """What Check made of the program's own arguments."""
    return with_containers(token, filled_in(example["given"], example["filled in"]))


def filled_in(given: Any, defaults: Any) -> Any:
    """What was given with what Check filled in, at any depth."""
    if isinstance(given, dict):
        return {**given, **{name: filled_in(given.get(name), defaults[name]) for name in defaults}}
    if isinstance(given, list):
        return [filled_in(*pair) for pair in zip(given, defaults, strict=True)]
    return defaults


@pytest.mark.parametrize(("token", "example"), EXAMPLES)
def test_check_fills_in_what_the_real_provider_fills_in(
    shared_plugin: Plugin, token: str, example: Any
) -> None:
    expected = checked(token, example)
    name = GENERATED.sub("", str(expected.get("name") or expected.get("targetId") or "thing"))
    found = shared_plugin.check(token, with_containers(token, example["given"]), name=name)
    assert found.failures == {}
    for argument in LEFT_TO_AWS_SINCE_RELEASE_6.get(token, set()) & example["filled in"].keys():
        del expected[argument]
    defaulted = [each for each in example["filled in"] if each in expected and each not in example["given"]]
    assert found.inputs.pop("__defaults") == sorted(defaulted)
    if "region" in schema.of_resource(token).inputs:
        assert found.inputs.pop("region") == "ap-northeast-2"
    assert {a: as_recorded(v, expected.get(a)) for a, v in found.inputs.items()} == {
        a: as_recorded(v, v) for a, v in expected.items()
    }


def as_recorded(value: Any, recorded: Any) -> Any:
    """Comparable: a policy that was given as an object has become text, and names are generated."""
    if isinstance(recorded, dict) and isinstance(value, str):
        return json.loads(value)
    return GENERATED.sub("-GENERATED", value) if isinstance(value, str) else value


def state_of(token: str, example: Any) -> dict[str, Any]:
    """The state after creation on an AWS that returns what it was given: the recorded one has gaps."""
    outputs = schema.of_resource(token).outputs
    given = {name: value for name, value in checked(token, example).items() if name in outputs}
    return {**example["outputs"], **given}


@pytest.mark.parametrize(("token", "example"), EXAMPLES)
def test_the_recorded_resource_and_its_own_arguments_show_no_difference(
    shared_plugin: Plugin, token: str, example: Any
) -> None:
    inputs = checked(token, example)
    assert shared_plugin.diff(token, state_of(token, example), inputs, inputs).changes == {}


def changed(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return json.dumps({"changed": True}) if value.startswith("{") else f"{value}-changed"
    if isinstance(value, list):
        return [changed(value[0]), *value[1:]] if value else ["changed"]
    first = next(iter(value))
    return {**value, first: changed(value[first])}


CHANGES = [
    pytest.param(
        token, argument, argument in of_type["replaced by"], id=f"{token.partition(':')[2]}-{argument}"
    )
    for token, of_type in RECORDED.items()
    for argument in sorted({a for each in of_type["examples"] for a in (*each["given"], *each["filled in"])})
    if argument not in of_type.get("not changed", ()) and (token, argument) not in CHANGED_IN_PLACE_SINCE
]
"""Each argument of the examples was changed, and what didn't replace was updated."""


@pytest.mark.parametrize(("token", "argument", "replaces"), CHANGES)
def test_a_changed_argument_replaces_exactly_where_the_real_provider_replaces(
    shared_plugin: Plugin, token: str, argument: str, replaces: bool
) -> None:
    examples = RECORDED[token]["examples"]
    example = next(each for each in examples if argument in checked(token, each))
    old = checked(token, example)
    new = copy.deepcopy(old)
    new[argument] = "dedicated" if argument == "instanceTenancy" else changed(old[argument])
    found = shared_plugin.diff(token, state_of(token, example), old, new)
    assert {path.split(".")[0].split("[")[0] for path in found.changes} == {argument}
    assert found.replaces == ([argument] if replaces else [])


def test_dedicated_tenancy_is_loosened_in_place_and_never_tightened() -> None:
    vpc, argument = registry.resource("aws:ec2/vpc:Vpc"), "instanceTenancy"
    assert not vpc.replaced_by(argument, {argument: "default"})
    assert vpc.replaced_by(argument, {argument: "dedicated"})
