"""Components: the children are those of the recorded real provider; options, previews, secrets, refusals.

The plugin's servicer runs in this process, on a recorder in the engine's place. How it gets there, from the
engine to the answer, is asked of the real engine by each stack that is brought up.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, NoReturn
from unittest import mock

import pytest
from pulumi.runtime import mocks, settings
from pulumi.runtime.proto import alias_pb2, provider_pb2
from pulumi.runtime.settings import ROOT, Settings, configure

from local.plugins.awsx.servicer import AwsxServicer
from local.plugins.common.values import UNKNOWN, Path, decode, encode
from tests.golden.recordings import recorded
from tests.unit.recorder import Recorded, Recorder, Recording, RecordingMonitor, run_in_own_loop

RECORDED: dict[str, dict[str, Any]] = recorded("awsx")
"""What the real provider, of 3.11.0's source, registered, by an engine that answers as `_Engine` does.

`given` has the ranges, and for `vpc_default` the numbers, that the real provider worked out itself: the
stand-in works out none.
"""
STACK = "urn:pulumi:recording::recording::pulumi:pulumi:Stack::recording-recording"
PROVIDER = "urn:pulumi:recording::recording::pulumi:providers:aws::seoul"
"""One that the program has made."""
ZONES = {"names": [f"ap-northeast-2{zone}" for zone in "abcd"], "zoneIds": []}

VPC, REPOSITORY = "awsx:ec2:Vpc", "awsx:ecr:Repository"
ONE_ZONE: dict[str, Any] = RECORDED["vpc_one_zone"]["given"]
ONE_RULE = {
    "lifecyclePolicy": {
        "rules": [{"tagStatus": "tagged", "tagPrefixList": ["web-"], "maximumNumberOfImages": 3}]
    }
}


class _Engine(Recorder):
    """Answers a resource with its inputs, and with an id and an ARN that say whose they are."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        owner = f"{args.typ}::{args.name}"
        if owner in self._failures:
            raise self._failures[owner]
        if self.preview:
            return "", args.inputs
        return f"{{id of {owner}}}", {**args.inputs, "arn": f"{{arn of {owner}}}"}


class RefusedError(Exception):
    """The servicer ended a request with this message."""


class _Context:
    async def abort(self, _code: object, message: str) -> NoReturn:
        raise RefusedError(message)


def request(
    token: str, name: str, given: Mapping[str, Any], secrets: tuple[Path, ...] = (), **options: Any
) -> provider_pb2.ConstructRequest:
    return provider_pb2.ConstructRequest(
        type=token, name=name, parent=STACK, inputs=encode(given, secrets), **options
    )


def constructed(
    *requests: provider_pb2.ConstructRequest,
    preview: bool = False,
    failures: Mapping[str, Exception] | None = None,
) -> tuple[Recording, list[Any]]:
    """Asks for all at once; returns what was registered, and each answer or what was raised instead.

    `failures` are those of resources, by `TYPE::NAME`.
    """
    engine = _Engine(
        preview=preview,
        answers={"aws:index/getAvailabilityZones:getAvailabilityZones": ZONES},
        failures=failures,
    )
    monitor = RecordingMonitor(engine)
    monitor.resources[PROVIDER] = monitor.ResourceRegistration(PROVIDER, "id-of-seoul", {})
    answers: list[Any] = []

    async def ask() -> None:
        # What waited for a resource that failed has nobody to tell it to.
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        servicer: Any = AwsxServicer("")
        asked = (servicer.Construct(each, _Context()) for each in requests)
        answers.extend(await asyncio.gather(*asked, return_exceptions=True))

    def run() -> None:
        ROOT.set(None)
        configure(Settings("recording", "recording", monitor=monitor, dry_run=preview))
        run_in_own_loop(ask())

    # It would look for the engine at its address.
    with mock.patch.object(settings, "reset_options"):
        contextvars.copy_context().run(run)
    return engine.recording, answers


def made(*requests: provider_pb2.ConstructRequest, preview: bool = False) -> Recording:
    """What is registered where every request is answered."""
    recording, answers = constructed(*requests, preview=preview)
    assert {type(answer) for answer in answers} == {provider_pb2.ConstructResponse}, answers
    return recording


def entry(each: Recorded) -> dict[str, Any]:
    """A resource in the form of the recordings."""
    parent_type, _, parent_name = each.parent.rpartition("::")
    inputs, _ = decode(each.request.object)
    return {
        "type": each.type,
        "name": each.name,
        "parent": f"{parent_type.rpartition('::')[2].rpartition('$')[2]}::{parent_name}",
        "dependsOn": sorted(urn.rpartition("$")[2] for urn in each.dependencies),
        "inputs": comparable({name: value for name, value in inputs.items() if value is not None}),
    }


def comparable(inputs: dict[str, Any]) -> dict[str, Any]:
    """Policies as JSON values: the recording wrote their numbers as 1.0."""
    return {key: json.loads(value) if key == "policy" else value for key, value in inputs.items()}


@pytest.mark.parametrize("case", RECORDED.values(), ids=RECORDED)
def test_a_component_registers_exactly_the_recorded_children(case: Mapping[str, Any]) -> None:
    recording, (answer,) = constructed(request(case["type"], case["name"], case["given"]))
    found = sorted(map(entry, recording.resources), key=lambda each: (each["type"], each["name"]))
    expected = [{**each, "inputs": comparable(each["inputs"])} for each in case["children"]]
    assert [
        {name: each[name] for name in like} for each, like in zip(found, expected, strict=True)
    ] == expected
    if "state" in case:
        assert decode(answer.state)[0] == case["state"]
        assert [[each.token, each.args] for each in recording.invokes] == case["invokes"]


def test_options_reach_the_component_and_its_children() -> None:
    recording = made(
        request(
            REPOSITORY,
            "fileflow",
            ONE_RULE,
            aliases=[alias_pb2.Alias(spec=alias_pb2.Alias.Spec(name="former"))],
            deletedWith=PROVIDER,
            dependencies=[PROVIDER],
            ignoreChanges=["tags"],
            protect=True,
            providers={"aws": f"{PROVIDER}::id-of-seoul"},
            retainOnDelete=True,
        )
    )
    own = recording.only(REPOSITORY)
    assert (own.alias_names, own.request.deletedWith, {*own.dependencies}) == (
        ("former",),
        PROVIDER,
        {PROVIDER},
    )
    assert (own.ignore_changes, own.protect, own.retain_on_delete) == (("tags",), True, True)
    child = recording.only("aws:ecr/repository:Repository")
    assert (child.provider, child.protect) == (f"{PROVIDER}::id-of-seoul", True)
    # So that one aws plugin serves program and components.
    assert child.request.version == version("pulumi_aws")


def test_a_preview_registers_every_child_with_unknown_ids() -> None:
    recording, (answer,) = constructed(request(VPC, "net", ONE_ZONE), preview=True)
    subnet = recording.only("aws:ec2/subnet:Subnet", "net-public-1")
    inputs, _ = decode(subnet.request.object)
    assert (inputs["vpcId"], inputs["cidrBlock"]) == (UNKNOWN, "10.0.128.0/18")
    state, _ = decode(answer.state)
    assert (state["vpcId"], state["publicSubnetIds"]) == (UNKNOWN, UNKNOWN)


def test_a_secret_argument_stays_secret_in_the_children() -> None:
    recording = made(
        request(REPOSITORY, "images", {**ONE_RULE, "name": "hidden"}, (("name",),)),
        request(VPC, "net", {**ONE_ZONE, "tags": {"a": "hidden"}}, (("tags", "a"),)),
    )
    for token, name in (
        ("aws:ecr/repository:Repository", "images"),
        ("aws:ec2/subnet:Subnet", "net-public-1"),
    ):
        found = recording.only(token, name).request.object
        assert "hidden" in str(found)
        properties, secrets = decode(found)
        assert "hidden" not in str({key: value for key, value in properties.items() if (key,) not in secrets})


def test_several_components_at_once_are_all_constructed_whatever_becomes_of_one() -> None:
    wrong = request("awsx:ecs:EC2Service", "wrong", {})
    networks = [request(VPC, f"net-{index}", ONE_ZONE) for index in range(4)]
    images = [request(REPOSITORY, f"images-{index}", ONE_RULE) for index in range(4)]
    recording, (refused, *answers) = constructed(wrong, *networks, *images)
    assert isinstance(refused, RefusedError)
    assert {type(answer) for answer in answers} == {provider_pb2.ConstructResponse}
    assert len(recording.of_type("aws:ec2/vpc:Vpc")) == 4
    assert len(recording.of_type("aws:ecr/repository:Repository")) == 4


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        # The SDK makes a bare Exception of what the engine refuses.
        (Exception("the range is taken"), RefusedError("the range is taken")),
        (KeyError("a bug of the stand-in"), KeyError("a bug of the stand-in")),
    ],
)
def test_a_child_that_fails_fails_the_component_with_its_message(
    failure: Exception, expected: Exception
) -> None:
    failures = {"aws:ec2/subnet:Subnet::net-public-1": failure}
    _, (answer,) = constructed(request(VPC, "net", ONE_ZONE), failures=failures)
    assert (type(answer), answer.args) == (type(expected), expected.args)


def test_an_output_where_resources_are_decided_is_refused() -> None:
    zones = "numberOfAvailabilityZones"
    _, (answer,) = constructed(request(VPC, "net", ONE_ZONE, ((zones,),)))
    assert isinstance(answer, RefusedError)
    assert str(answer).startswith(f"{zones} decides which resources exist")


NOT_STOOD_IN_FOR = (
    'the local stand-in for awsx makes an awsx:ec2:Vpc of subnetStrategy "Auto", natGateways.strategy, '
    "numberOfAvailabilityZones and so many cidrBlocks in Public and in Private subnetSpecs each; "
    "give them all or install the real awsx plugin"
)


@pytest.mark.parametrize(
    ("token", "given", "expected"),
    [
        ("awsx:ecs:EC2Service", {}, "doesn't have the type awsx:ecs:EC2Service, only awsx:ec2:Vpc, awsx:ecr"),
        (
            VPC,
            {**ONE_ZONE, "vpcEndpointSpecs": []},
            "the local stand-in for awsx doesn't know vpcEndpointSpecs of awsx:ec2:Vpc, only cidrBlock, "
            "enableDnsHostnames, natGateways, numberOfAvailabilityZones, subnetSpecs, subnetStrategy, tags; "
            "leave it out or install the real awsx plugin",
        ),
        (VPC, {**ONE_ZONE, "subnetStrategy": "Exact"}, NOT_STOOD_IN_FOR),
        (VPC, {**ONE_ZONE, "natGateways": None}, NOT_STOOD_IN_FOR),
        (VPC, {**ONE_ZONE, "numberOfAvailabilityZones": 2}, NOT_STOOD_IN_FOR),
        (
            VPC,
            {**ONE_ZONE, "subnetSpecs": [{"type": "Private", "cidrBlocks": ["10.0.0.0/17"]}]},
            NOT_STOOD_IN_FOR,
        ),
        (
            VPC,
            {
                **ONE_ZONE,
                "numberOfAvailabilityZones": 5,
                "subnetSpecs": [
                    {"type": type_, "cidrBlocks": [f"10.0.{third}.{nth}/32" for nth in range(5)]}
                    for third, type_ in enumerate(("Private", "Public"))
                ],
            },
            "the region has 4 availability zones for this account, but 5 are asked for; "
            "lower numberOfAvailabilityZones",
        ),
        (REPOSITORY, {}, "makes a repository with lifecyclePolicy.rules alone"),
        (REPOSITORY, {**ONE_RULE, "region": "us-east-1"}, "doesn't know region of awsx:ecr:Repository"),
        (REPOSITORY, {"lifecyclePolicy": {"skip": True}}, "doesn't know skip of lifecyclePolicy"),
        (REPOSITORY, {"lifecyclePolicy": {"rules": [{"tagStatus": "any"}]}}, "has to select untagged images"),
        (
            REPOSITORY,
            {"lifecyclePolicy": {"rules": [{"tagStatus": "tagged"}]}},
            "has to select untagged images",
        ),
        (
            REPOSITORY,
            {"lifecyclePolicy": {"rules": [{"tagStatus": "untagged"}]}},
            "rule 1 never expires an image",
        ),
    ],
)
def test_what_is_not_stood_in_for_is_refused_before_any_child_of_a_vpc(
    token: str, given: Mapping[str, Any], expected: str
) -> None:
    recording, (answer,) = constructed(request(token, "net", given))
    assert isinstance(answer, RefusedError)
    assert expected in str(answer)
    assert recording.of_type("aws:ec2/vpc:Vpc") == []
