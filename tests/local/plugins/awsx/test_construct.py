"""How components are constructed: options, previews, secrets, errors, several at once, the plugin's end."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from google.protobuf import json_format

from tests.local.plugins.awsx.recording_engine import (
    CHECKOUT,
    UNKNOWN,
    AwsxPlugin,
    RecordingEngine,
    plain,
)

VPC = "awsx:ec2:Vpc"
REPOSITORY = "awsx:ecr:Repository"
ONE_ZONE: Mapping[str, Any] = {
    "cidrBlock": "10.0.0.0/16",
    "natGateways": {"strategy": "OnePerAz"},
    "numberOfAvailabilityZones": 1,
    "subnetSpecs": [
        {"type": "Private", "cidrBlocks": ["10.0.0.0/17"]},
        {"type": "Public", "cidrBlocks": ["10.0.128.0/18"]},
    ],
    "subnetStrategy": "Auto",
}


ONE_RULE: Mapping[str, Any] = {
    "lifecyclePolicy": {
        "rules": [{"tagStatus": "tagged", "tagPrefixList": ["web-"], "maximumNumberOfImages": 3}]
    }
}


def component(
    type_token: str, name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None
) -> pulumi.ComponentResource:
    """Ask for a component by the arguments' wire names."""
    return pulumi.ComponentResource(type_token, name, dict(inputs), opts, remote=True)


def test_options_reach_the_component_and_its_children(plugin: AwsxPlugin) -> None:
    """The component carries what it was given; children inherit provider and protection from it."""

    def program() -> None:
        provider = aws.Provider("seoul", region="ap-northeast-2")
        component(
            REPOSITORY,
            "fileflow",
            ONE_RULE,
            pulumi.ResourceOptions(
                aliases=[pulumi.Alias(name="former")],
                deleted_with=provider,
                depends_on=[provider],
                ignore_changes=["tags"],
                protect=True,
                providers=[provider],
                retain_on_delete=True,
            ),
        )

    recording = RecordingEngine(plugin).run(program)
    assert recording.error is None
    own = recording.of_type(REPOSITORY)["fileflow"].request
    provider = recording.of_type("pulumi:providers:aws")["seoul"].urn
    assert [alias.spec.name for alias in own.aliases] == ["former"]
    assert own.deletedWith == provider
    assert list(own.dependencies) == [provider]
    assert list(own.ignoreChanges) == ["tags"]
    assert (own.protect, own.retainOnDelete) == (True, True)
    child = recording.of_type("aws:ecr/repository:Repository")["fileflow"].request
    assert child.provider == f"{provider}::id-of-seoul"
    assert child.protect


def test_children_ask_for_the_installed_sdks_plugin(plugin: AwsxPlugin) -> None:
    """The version is pulumi_aws's, so that one aws plugin serves program and components."""
    recording = RecordingEngine(plugin).run(lambda: component(REPOSITORY, "fileflow", ONE_RULE))
    child = recording.of_type("aws:ecr/repository:Repository")["fileflow"].request
    assert child.version == version("pulumi_aws")


def test_a_preview_registers_every_child_with_unknown_ids(plugin: AwsxPlugin) -> None:
    """Ids aren't known, ranges and zones are; so is what the program sees."""
    recording = RecordingEngine(plugin, dry_run=True).run(lambda: component(VPC, "net", ONE_ZONE))
    assert recording.error is None
    subnets = recording.of_type("aws:ec2/subnet:Subnet")
    assert len(subnets) == 2
    assert subnets["net-public-1"].inputs["vpcId"] == UNKNOWN
    assert subnets["net-public-1"].inputs["cidrBlock"] == "10.0.128.0/18"
    state = plain(recording.constructed[f"{VPC}::net"])
    assert state["vpcId"] == UNKNOWN
    assert state["publicSubnetIds"] == UNKNOWN


def test_a_secret_argument_stays_secret_in_the_children(plugin: AwsxPlugin) -> None:
    """Alone, inside a map, and in what is worked out from it."""

    def program() -> None:
        component(REPOSITORY, "fileflow", {**ONE_RULE, "name": pulumi.Output.secret("hidden-name")})
        component(VPC, "net", {**ONE_ZONE, "tags": {"a": pulumi.Output.secret("hidden-tag")}})

    recording = RecordingEngine(plugin).run(program)
    assert recording.error is None
    repository = recording.of_type("aws:ecr/repository:Repository")["fileflow"].request
    subnet = recording.of_type("aws:ec2/subnet:Subnet")["net-public-1"].request
    for request, text in ((repository, "hidden-name"), (subnet, "hidden-tag")):
        found = _marks_around(json_format.MessageToDict(request.object), text)
        assert found
        assert all(found)


def _marks_around(value: Any, text: str, marked: bool = False) -> list[bool]:
    """For each place of a text, whether a secret's mark is around it."""
    if value == text:
        return [marked]
    if isinstance(value, list):
        return [found for entry in value for found in _marks_around(entry, text, marked)]
    if not isinstance(value, dict):
        return []
    is_secret = value.get("secret") is True or (
        value.get("4dabf18193072939515e22adb298388d") == "1b47061264138c4ac30d75fd1eb44270"
    )
    return [found for entry in value.values() for found in _marks_around(entry, text, marked or is_secret)]


def test_several_components_at_once_are_all_constructed(plugin: AwsxPlugin) -> None:
    """Each with its own children."""

    def program() -> None:
        for index in range(4):
            component(VPC, f"net-{index}", ONE_ZONE)
            component(REPOSITORY, f"repository-{index}", ONE_RULE)

    recording = RecordingEngine(plugin).run(program)
    assert recording.error is None
    assert len(recording.of_type("aws:ec2/vpc:Vpc")) == 4
    assert len(recording.of_type("aws:ecr/repository:Repository")) == 4


def test_a_child_that_fails_fails_the_component_with_its_message(plugin: AwsxPlugin) -> None:
    """And the plugin goes on to serve the next one."""
    failing = {"aws:ec2/subnet:Subnet::net-public-1": "the subnet's range is taken"}
    engine = RecordingEngine(plugin, failures=failing)
    recording = engine.run(lambda: component(VPC, "net", ONE_ZONE))
    assert str(recording.error) == "the subnet's range is taken"
    after = RecordingEngine(plugin).run(lambda: component(REPOSITORY, "next", ONE_RULE))
    assert after.error is None


def test_an_unknown_component_is_refused_by_name(plugin: AwsxPlugin) -> None:
    """With those that there are."""
    token = "awsx:ecs:EC2Service"
    recording = RecordingEngine(plugin).run(lambda: component(token, "x", {}))
    assert f"doesn't have the type {token}, only " in str(recording.error)
    assert "install the real awsx plugin" in str(recording.error)


def test_an_output_where_resources_are_decided_is_refused(plugin: AwsxPlugin) -> None:
    """Rather than registering something else."""

    def program() -> None:
        component(VPC, "net", {**ONE_ZONE, "numberOfAvailabilityZones": pulumi.Output.secret(2)})

    message = str(RecordingEngine(plugin).run(program).error)
    assert message.startswith("numberOfAvailabilityZones decides which resources exist")


NOT_STOOD_IN_FOR = (
    'the local stand-in for awsx makes an awsx:ec2:Vpc of subnetStrategy "Auto", natGateways.strategy, '
    "numberOfAvailabilityZones and so many cidrBlocks in Public and in Private subnetSpecs each; "
    "give them all or install the real awsx plugin"
)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"vpcEndpointSpecs": []},
            "the local stand-in for awsx doesn't know vpcEndpointSpecs of awsx:ec2:Vpc, only cidrBlock, "
            "enableDnsHostnames, natGateways, numberOfAvailabilityZones, subnetSpecs, subnetStrategy, tags; "
            "leave it out or install the real awsx plugin",
        ),
        ({"subnetStrategy": "Exact"}, NOT_STOOD_IN_FOR),
        ({"natGateways": None}, NOT_STOOD_IN_FOR),
        ({"numberOfAvailabilityZones": 2}, NOT_STOOD_IN_FOR),
        ({"subnetSpecs": [{"type": "Private", "cidrBlocks": ["10.0.0.0/17"]}]}, NOT_STOOD_IN_FOR),
        (
            {
                "numberOfAvailabilityZones": 5,
                "subnetSpecs": [
                    {"type": type_, "cidrBlocks": [f"10.0.{third}.{nth}/32" for nth in range(5)]}
                    for third, type_ in enumerate(("Private", "Public"))
                ],
            },
            "the region has 4 availability zones for this account, but 5 are asked for; "
            "lower numberOfAvailabilityZones",
        ),
    ],
)
def test_what_is_not_stood_in_for_is_refused_before_any_child(
    plugin: AwsxPlugin, change: Mapping[str, Any], expected: str
) -> None:
    """In one message that names the field."""
    recording = RecordingEngine(plugin).run(lambda: component(VPC, "net", {**ONE_ZONE, **change}))
    assert str(recording.error) == expected
    assert {each.type for each in recording.children()} <= {VPC}


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({}, "makes a repository with lifecyclePolicy.rules alone"),
        ({**ONE_RULE, "region": "us-east-1"}, "doesn't know region of awsx:ecr:Repository"),
        ({"lifecyclePolicy": {"skip": True}}, "doesn't know skip of lifecyclePolicy"),
        ({"lifecyclePolicy": {"rules": [{"tagStatus": "any"}]}}, "rule 1 has to select untagged images"),
        ({"lifecyclePolicy": {"rules": [{"tagStatus": "tagged"}]}}, "rule 1 has to select untagged images"),
        ({"lifecyclePolicy": {"rules": [{"tagStatus": "untagged"}]}}, "rule 1 never expires an image"),
    ],
)
def test_a_repository_that_is_not_stood_in_for_is_refused(
    plugin: AwsxPlugin, inputs: Mapping[str, Any], expected: str
) -> None:
    """In one message, without a trace of the plugin's insides."""
    message = str(RecordingEngine(plugin).run(lambda: component(REPOSITORY, "images", inputs)).error)
    assert expected in message
    assert "Traceback" not in message


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux to watch a process that isn't a child")
@pytest.mark.parametrize("name", ["awsx", "docker"])
def test_a_plugin_ends_with_the_process_that_started_it(name: str, tmp_path: Path) -> None:
    """An engine that is killed leaves no plugin behind."""
    starter = tmp_path / "starter.py"
    starter.write_text(
        "import subprocess, sys, time\n"
        f"command = [sys.executable, '-m', 'local.plugins.{name}', '']\n"
        "child = subprocess.Popen(command, stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    engine = subprocess.Popen(
        [sys.executable, str(starter)], cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert engine.stdout is not None
    pid = int(engine.stdout.readline())
    descriptor = os.pidfd_open(pid)
    engine.kill()
    engine.wait(timeout=30)
    ended, _, _ = select.select([descriptor], [], [], 30)
    os.close(descriptor)
    assert ended, "the plugin still runs"
