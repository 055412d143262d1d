"""The stand-in, held against what the real provider made of the same arguments.

The recordings are of release 5.100 of the Terraform provider. Where release 6, which pulumi-aws 7 wraps,
answers otherwise, the SDK's types decide, and this file says so.
"""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from local.plugins.aws import schema
from tests.local.plugins.aws.plugin import MENDED_SINCE, Plugin

RECORDED: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "golden" / "aws-resources.json").read_text(encoding="utf-8")
)
EXAMPLES = [
    pytest.param(token, example, id=f"{token.partition(':')[2]}-{index}")
    for token, recorded in sorted(RECORDED.items())
    for index, example in enumerate(recorded["examples"])
]

LEFT_TO_AWS_SINCE_RELEASE_6 = {"aws:ecs/service:Service": {"availabilityZoneRebalancing"}}
"""Arguments that release 5 defaulted and for which AWS decides now: the SDK's output isn't optional."""

CONTAINERS = json.dumps([{"name": "web", "image": "repo@sha256:0"}])
"""The recording left the container definitions out: they held a secret."""

GENERATED = re.compile(r"-[0-9a-f]{7}$")


def given(example: Any) -> dict[str, Any]:
    """The program's own arguments: the recorded inputs without what Check filled in, and without secrets."""
    return {
        name: value
        for name, value in without_defaults(example["inputs"]).items()
        if name not in example["defaulted"] and value is not None
    }


def without_defaults(value: Any) -> Any:
    """A recorded structure without the parts that Check filled in."""
    if isinstance(value, dict):
        filled = {"__defaults", *value.get("__defaults", ())}
        return {name: without_defaults(member) for name, member in value.items() if name not in filled}
    return [without_defaults(member) for member in value] if isinstance(value, list) else value


def with_containers(token: str, properties: dict[str, Any]) -> dict[str, Any]:
    return (
        {**properties, "containerDefinitions": CONTAINERS}
        if token.endswith(":TaskDefinition")
        else properties
    )


@pytest.mark.parametrize(("token", "example"), EXAMPLES)
def test_check_fills_in_what_the_real_provider_fills_in(
    shared_plugin: Plugin, token: str, example: Any
) -> None:
    recorded = with_containers(token, without_markers(example["inputs"]))
    name = GENERATED.sub("", str(recorded.get("name") or recorded.get("targetId") or "thing"))
    checked = shared_plugin.check(token, with_containers(token, given(example)), name=name)
    assert checked.failures == {}
    left_out = LEFT_TO_AWS_SINCE_RELEASE_6.get(token, set()) & set(example["defaulted"])
    assert checked.inputs.pop("__defaults") == sorted(set(example["defaulted"]) - left_out)
    if "region" in schema.of_resource(token).inputs:
        assert checked.inputs.pop("region") == "ap-northeast-2"
    expected = {a: v for a, v in recorded.items() if v is not None and a not in left_out}
    assert {a: as_recorded(v, expected.get(a)) for a, v in checked.inputs.items()} == {
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
    inputs = {name: value for name, value in example["inputs"].items() if name in outputs}
    return with_containers(token, {**example["outputs"], **without_markers(inputs)})


def without_markers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_markers(member) for name, member in value.items() if name != "__defaults"}
    return [without_markers(member) for member in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("token", "example"), EXAMPLES)
def test_the_recorded_resource_and_its_own_arguments_show_no_difference(
    shared_plugin: Plugin, token: str, example: Any
) -> None:
    inputs = with_containers(token, without_markers(example["inputs"]))
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
    first = next(name for name in value if name != "__defaults")
    return {**value, first: changed(value[first])}


REPLACES = [
    pytest.param(token, argument, answer, id=f"{token.partition(':')[2]}-{argument}")
    for token, recorded in sorted(RECORDED.items())
    for argument, answer in recorded["replaces"].items()
    if answer in ("update", "replace") and (token, argument) not in MENDED_SINCE
]


@pytest.mark.parametrize(("token", "argument", "answer"), REPLACES)
def test_a_changed_argument_replaces_exactly_where_the_real_provider_replaces(
    shared_plugin: Plugin, token: str, argument: str, answer: str
) -> None:
    example = next(e for e in RECORDED[token]["examples"] if argument in e["inputs"])
    old = with_containers(token, without_markers(example["inputs"]))
    new = copy.deepcopy(old)
    new[argument] = "dedicated" if argument == "instanceTenancy" else changed(old[argument])
    found = shared_plugin.diff(token, state_of(token, example), old, new)
    assert {path.split(".")[0].split("[")[0] for path in found.changes} == {argument}
    assert found.replaces == ([argument] if answer == "replace" else [])
