"""The stand-in registers exactly the children that the real awsx provider was recorded to register."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from tests.golden.programs import PROGRAMS, RECORDED
from tests.golden.recordings import recorded
from tests.local.plugins.awsx.recording_engine import (
    AwsxPlugin,
    Recording,
    RecordingEngine,
    plain,
)

RECORDED_VPC: dict[str, Any] = recorded("awsx-vpc")
GIVEN: dict[str, Any] = {
    "cidrBlock": "10.0.0.0/16",
    "natGateways": {"strategy": "OnePerAz"},
    "subnetSpecs": [
        {"cidrBlocks": ["10.0.0.0/17"], "type": "Private"},
        {"cidrBlocks": ["10.0.128.0/18"], "type": "Public"},
    ],
    "subnetStrategy": "Auto",
}
"""What the real provider worked out itself in that recording, and the stand-in has to be given."""


def comparable(inputs: dict[str, Any]) -> dict[str, Any]:
    """Policies as JSON values: the recording wrote their numbers as 1.0."""
    return {key: json.loads(value) if key == "policy" else value for key, value in inputs.items()}


def recorded_form(recording: Recording) -> list[tuple[str, str, str, dict[str, Any]]]:
    """What was registered in the form of the recordings."""
    return [
        (resource.type, resource.name, resource.parent, comparable(resource.inputs))
        for resource in recording.children()
    ]


def test_every_recorded_case_has_a_program() -> None:
    """A case that nobody runs proves nothing."""
    assert sorted(program.__name__ for program in PROGRAMS) == sorted(RECORDED)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_component_registers_exactly_the_recorded_children(
    plugin: AwsxPlugin, program: Callable[[], None]
) -> None:
    """Types, names, parents and inputs are the real provider's, nothing more and nothing less."""
    recording = RecordingEngine(plugin).run(program)
    assert recording.error is None
    expected = [
        (
            entry["type"],
            entry["name"],
            entry["parent"].replace("::gold-gold", "::recording-recording"),
            comparable(entry["inputs"]),
        )
        for entry in RECORDED[program.__name__]
    ]
    assert recorded_form(recording) == sorted(expected, key=lambda entry: entry[:2])


def test_a_vpc_waits_asks_and_answers_as_recorded(plugin: AwsxPlugin) -> None:
    """Explicit dependencies of the children, the component's outputs and its questions, too."""

    def program() -> None:
        inputs = {**RECORDED_VPC["inputs"], **GIVEN}
        pulumi.ComponentResource("awsx:ec2:Vpc", "FileFlow", inputs, None, remote=True)

    recording = RecordingEngine(plugin).run(program)
    assert recording.error is None
    assert [
        {
            "type": each.type,
            "name": each.name,
            "parent": each.parent,
            "inputs": each.inputs,
            "dependsOn": sorted(urn.rpartition("$")[2] for urn in each.request.dependencies),
        }
        for each in recording.children()
    ] == RECORDED_VPC["children"]
    answered = plain(recording.constructed["awsx:ec2:Vpc::FileFlow"])
    assert answered == {**RECORDED_VPC["state"], "subnetLayout": GIVEN["subnetSpecs"]}
    assert [list(each) for each in recording.invokes] == RECORDED_VPC["invokes"]
