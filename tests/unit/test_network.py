"""The network: a VPC of its own, or an existing one by id or by tags."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

import pytest

from components.network import ExistingVpc, Network, NetworkArgs, NewVpc
from components.validation import InvalidArgumentError
from tests.unit import type_tokens as t
from tests.unit.builders import TAGS
from tests.unit.providers import EXISTING_VPC
from tests.unit.recorder import UNKNOWN, Invoked, Recording, record

NETWORK = "fileflow:ec2:Network"
BY_ID = ExistingVpc(
    vpc_id="vpc-0f",
    private_subnet_ids=["subnet-b", "subnet-a"],
    public_subnet_ids=["subnet-d", "subnet-c"],
)
BY_TAGS = ExistingVpc(
    vpc_tags={"Name": "shared"},
    private_subnet_tags={"Tier": "private"},
    public_subnet_tags={"Tier": "public"},
)


def record_network(vpc: NewVpc | ExistingVpc, *, preview: bool = False) -> Recording:
    """A run with one network."""
    return record(lambda: Network("fileflow-prod", NetworkArgs(vpc=vpc, tags=TAGS)), preview=preview)


def outputs(recording: Recording) -> Any:
    """The network's registered outputs."""
    return recording.registered_outputs[recording.only(NETWORK).urn]


def asked(recording: Recording) -> list[Invoked]:
    """The functions that the network called."""
    return [each for each in recording.invokes if each.token.startswith("aws:ec2/")]


def test_a_new_vpc_is_awsxs_and_nothing_else() -> None:
    recording = record_network(NewVpc())

    assert recording.counts() == Counter({NETWORK: 1, t.VPC: 1})
    assert recording.only(t.VPC).inputs == {
        "cidrBlock": "10.20.0.0/16",
        "enableDnsHostnames": True,
        "natGateways": {"strategy": "Single"},
        "numberOfAvailabilityZones": 2,
        "subnetStrategy": "Auto",
        "tags": TAGS,
    }
    assert asked(recording) == []


@pytest.mark.parametrize(
    ("strategy", "spelled"), [("NONE", "None"), ("SINGLE", "Single"), ("ONE_PER_AZ", "OnePerAz")]
)
def test_the_nat_strategy_reaches_awsx(
    strategy: Literal["NONE", "SINGLE", "ONE_PER_AZ"], spelled: str
) -> None:
    recording = record_network(NewVpc(nat_gateway_strategy=strategy))

    assert recording.only(t.VPC).inputs["natGateways"] == {"strategy": spelled}


def test_range_and_zones_reach_awsx() -> None:
    recording = record_network(NewVpc(cidr_block="10.99.0.0/20", number_of_availability_zones=3))

    vpc = recording.only(t.VPC).inputs
    assert (vpc["cidrBlock"], vpc["numberOfAvailabilityZones"]) == ("10.99.0.0/20", 3)


def test_a_new_vpcs_subnets_are_handed_on() -> None:
    assert outputs(record_network(NewVpc())) == {
        "private_subnet_ids": ["fileflow-prod-private-1-id", "fileflow-prod-private-2-id"],
        "public_subnet_ids": ["fileflow-prod-public-1-id", "fileflow-prod-public-2-id"],
        "vpc_id": "fileflow-prod-id",
    }


def test_a_preview_of_a_new_vpc_knows_its_range_and_not_its_ids() -> None:
    recording = record_network(NewVpc(), preview=True)

    assert outputs(recording) == {
        "private_subnet_ids": UNKNOWN,
        "public_subnet_ids": UNKNOWN,
        "vpc_id": UNKNOWN,
    }


def test_an_existing_vpc_by_id_makes_nothing() -> None:
    recording = record_network(BY_ID)

    assert recording.counts() == Counter({NETWORK: 1})
    assert [(each.token, each.args) for each in asked(recording)] == [
        ("aws:ec2/getVpc:getVpc", {"id": "vpc-0f"})
    ]
    assert outputs(recording)["private_subnet_ids"] == ["subnet-b", "subnet-a"]
    assert outputs(recording)["public_subnet_ids"] == ["subnet-d", "subnet-c"]


def test_an_existing_vpc_by_tags_finds_subnets_in_that_vpc_alone() -> None:
    recording = record_network(BY_TAGS)

    assert recording.counts() == Counter({NETWORK: 1})
    inside = [{"name": "vpc-id", "values": [EXISTING_VPC]}]
    called = asked(recording)
    assert [each.token for each in called] == [
        "aws:ec2/getVpc:getVpc",
        "aws:ec2/getSubnets:getSubnets",
        "aws:ec2/getSubnets:getSubnets",
    ]
    assert called[0].args == {"tags": {"Name": "shared"}}
    assert called[1].args == {"filters": inside, "tags": {"Tier": "private"}}
    assert called[2].args == {"filters": inside, "tags": {"Tier": "public"}}


def test_found_subnets_are_sorted_so_that_their_order_is_never_a_change() -> None:
    found = outputs(record_network(BY_TAGS))

    assert found["private_subnet_ids"] == ["subnet-found-1", "subnet-found-2"]
    assert found["vpc_id"] == EXISTING_VPC


@pytest.mark.parametrize("vpc", [NewVpc(), BY_ID, BY_TAGS])
def test_the_placement_carries_the_range_that_the_vpc_has(vpc: NewVpc | ExistingVpc) -> None:
    placed: list[Any] = []

    def program() -> None:
        import pulumi

        network = Network("fileflow-prod", NetworkArgs(vpc=vpc))
        placed.append(network.placement)
        pulumi.export("cidr", network.placement.cidr_block)

    recording = record(program)

    assert recording.exports["cidr"] == ("10.20.0.0/16" if isinstance(vpc, NewVpc) else "172.16.0.0/16")


@pytest.mark.parametrize("cidr", ["10.0.0.0/16", "10.0.0.0/24", "192.168.4.0/22"])
def test_a_range_from_16_to_24_is_taken(cidr: str) -> None:
    assert NewVpc(cidr_block=cidr).cidr_block == cidr


@pytest.mark.parametrize(
    "cidr", ["10.0.0.0/15", "10.0.0.0/25", "10.0.0.1/16", "10.0.0/16", "fd00::/16", "", "ten"]
)
def test_another_range_is_refused_by_name(cidr: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        NewVpc(cidr_block=cidr)

    assert (caught.value.field, caught.value.value) == ("cidr_block", cidr)


@pytest.mark.parametrize("zones", [1, 5])
def test_too_few_and_too_many_zones_are_refused(zones: int) -> None:
    with pytest.raises(InvalidArgumentError, match="number_of_availability_zones") as caught:
        NewVpc(number_of_availability_zones=zones)

    assert caught.value.value == zones


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"vpc_tags": {"Name": "shared"}}, "vpc_id"),
        ({"vpc_id": None}, "vpc_id"),
        ({"private_subnet_ids": None}, "private_subnet_ids"),
        ({"private_subnet_ids": []}, "private_subnet_ids"),
        ({"public_subnet_tags": {"Tier": "public"}}, "public_subnet_ids"),
    ],
)
def test_a_thing_named_both_ways_or_neither_way_is_refused(changes: dict[str, Any], field: str) -> None:
    named: dict[str, Any] = {
        "vpc_id": "vpc-0f",
        "private_subnet_ids": ["subnet-a"],
        "public_subnet_ids": ["subnet-b"],
    }

    with pytest.raises(InvalidArgumentError, match="exactly one of") as caught:
        ExistingVpc(**{**named, **changes})

    assert caught.value.field == field
