"""The stand-in does what the real awsx provider did for more arguments than the first recordings have.

The recordings' `about` says how they were made. Children, parents, inputs, explicit dependencies, the
component's outputs, what it asked the aws provider, and which arguments it refuses are compared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pulumi
import pytest

from tests.local.plugins.awsx.recording_engine import (
    CHECKOUT,
    AwsxPlugin,
    Recording,
    RecordingEngine,
    plain,
)

RECORDED: dict[str, Any] = json.loads((CHECKOUT / "tests/golden/awsx-more-children.json").read_text())
RANGES: dict[str, Any] = {
    "cidrBlock": "10.0.0.0/16",
    "subnetSpecs": [
        {"cidrBlocks": ["10.0.0.0/17"], "type": "Private"},
        {"cidrBlocks": ["10.0.128.0/18"], "type": "Public"},
    ],
    "subnetStrategy": "Auto",
}
"""What the real provider worked out itself in the recording of a VPC, and the stand-in has to be given."""


def component(case: Mapping[str, Any]) -> Callable[[], None]:
    """A program that asks for the case's component, whatever its type, by the arguments' wire names."""

    def program() -> None:
        pulumi.ComponentResource(case["type"], "FileFlow", case["inputs"], None, remote=True)

    return program


def shown(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs with JSON texts as values: the order of their keys says nothing."""
    return {
        key: json.loads(value) if key == "policy" and str(value)[:1] == "{" else value
        for key, value in inputs.items()
    }


def children(recording: Recording) -> list[dict[str, Any]]:
    """What was registered, in the recordings' form."""
    return [
        {
            "type": resource.type,
            "name": resource.name,
            "parent": resource.parent,
            "inputs": shown(resource.inputs),
            "dependsOn": sorted(urn.rpartition("$")[2] for urn in resource.request.dependencies),
        }
        for resource in recording.children()
    ]


@pytest.mark.parametrize("case", RECORDED["components"], ids=lambda case: case["case"])
def test_a_component_is_the_recorded_one(plugin: AwsxPlugin, case: dict[str, Any]) -> None:
    """With its children, its outputs and its questions."""
    asked, expected = case, case["state"]
    if case["type"] == "awsx:ec2:Vpc":
        asked = {**case, "inputs": {**case["inputs"], **RANGES}}
        expected = {**expected, "subnetLayout": RANGES["subnetSpecs"]}
    recording = RecordingEngine(plugin).run(component(asked))
    assert recording.error is None
    assert children(recording) == case["children"]
    assert plain(recording.constructed[f"{case['type']}::FileFlow"]) == expected
    assert sorted(([token, asked] for token, asked in recording.invokes), key=str) == case["invokes"]


@pytest.mark.parametrize("case", RECORDED["refused"], ids=lambda case: case["case"])
def test_what_the_real_provider_refuses_is_refused_in_one_message(
    plugin: AwsxPlugin, case: dict[str, Any]
) -> None:
    """A sentence or two, without a trace of the plugin's insides."""
    recording = RecordingEngine(plugin).run(component(case))
    assert recording.error is not None
    message = str(recording.error)
    assert " " in message
    for foreign in ("Traceback", "\n", "Error", "has risen"):
        assert foreign not in message
