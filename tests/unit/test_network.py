"""The network: a VPC of its own, or an existing one by id or by tags."""

from __future__ import annotations

import ipaddress
import itertools
from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

import pulumi
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from components.flow_logs import FlowLogs
from components.network import (
    ExistingVpc,
    Network,
    NetworkArgs,
    NewVpc,
    SubnetLayout,
    no_public_addresses,
    subnet_layout,
)
from components.options import Logging
from components.validation import InvalidArgumentError
from tests.unit import type_tokens as t
from tests.unit.builders import TAGS
from tests.unit.providers import ACCOUNT, EXISTING_VPC, REGION
from tests.unit.recorder import UNKNOWN, Invoked, Recorder, Recording, record

NETWORK = "fileflow:ec2:Network"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
CLOSED = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
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


def test_a_new_vpc_is_awsxs_with_its_default_security_group_closed() -> None:
    recording = record_network(NewVpc())

    assert recording.counts() == Counter({NETWORK: 1, t.VPC: 1, CLOSED: 1})
    closed = recording.only(CLOSED).inputs
    assert closed == {"tags": {**TAGS, "Name": "fileflow-prod-default"}, "vpcId": "fileflow-prod-id"}
    assert recording.only(t.VPC).inputs == {
        "cidrBlock": "10.20.0.0/16",
        "enableDnsHostnames": True,
        "natGateways": {"strategy": "Single"},
        "numberOfAvailabilityZones": 2,
        "subnetSpecs": [
            {"cidrBlocks": ["10.20.0.0/18", "10.20.128.0/18"], "type": "Private"},
            {"cidrBlocks": ["10.20.64.0/19", "10.20.192.0/19"], "type": "Public"},
        ],
        "subnetStrategy": "Auto",
        "tags": TAGS,
    }


def test_flow_logs_go_to_a_group_of_their_own_by_a_role_that_may_do_nothing_else() -> None:
    recording = record_network(NewVpc(flow_logs=FlowLogs(traffic_type="ALL", retention_days=7)))

    flow_log = recording.only("aws:ec2/flowLog:FlowLog")
    group, role = recording.only(t.LOG_GROUP), recording.only(t.ROLE)
    group_arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/vpc/fileflow-prod/flow-logs"
    assert flow_log.inputs == {
        "iamRoleArn": f"arn:aws:iam::{ACCOUNT}:role/fileflow-prod-flow-logs-0a1b2c3",
        "logDestination": group_arn,
        "logDestinationType": "cloud-watch-logs",
        "tags": {**TAGS, "Name": "fileflow-prod"},
        "trafficType": "ALL",
        "vpcId": "fileflow-prod-id",
    }
    assert (group.inputs["name"], group.inputs["retentionInDays"]) == (
        "/aws/vpc/fileflow-prod/flow-logs",
        7,
    )
    [trust] = role.json("assumeRolePolicy")["Statement"]
    assert trust["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert trust["Condition"] == {
        "ArnLike": {"aws:SourceArn": f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-flow-log/*"},
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
    }
    writes, lists = recording.only(t.ROLE_POLICY).json("policy")["Statement"]
    assert writes["Resource"] == f"{group_arn}:*"
    assert lists == {"Action": "logs:DescribeLogGroups", "Effect": "Allow", "Resource": "*"}
    assert recording.only(t.ROLE_POLICY).urn in flow_log.dependencies


def test_flow_logs_outlive_the_stack_where_its_logs_do() -> None:
    args = NetworkArgs(vpc=NewVpc(flow_logs=FlowLogs()), logging=Logging(retain_on_delete=True), tags=TAGS)

    assert record(lambda: Network("fileflow-prod", args)).only(t.LOG_GROUP).retain_on_delete
    assert not record_network(NewVpc(flow_logs=FlowLogs())).only(t.LOG_GROUP).retain_on_delete


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"traffic_type": "DENY"}, "flow_logs.traffic_type"),
        ({"retention_days": 8}, "flow_logs.retention_days"),
    ],
)
def test_flow_logs_that_aws_refuses_are_refused(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgumentError, match=field):
        FlowLogs(**change)


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


@given(
    st.integers(16, 22),
    st.integers(2, 4),
    st.one_of(st.none(), st.integers(18, 25)),
)
def test_a_zone_that_comes_or_goes_moves_no_subnet_of_the_others(
    prefix: int, zones: int, mask: int | None
) -> None:
    assume(mask is None or mask >= prefix + 2)
    cidr_block = f"10.20.0.0/{prefix}"

    def layout(count: int) -> SubnetLayout:
        return subnet_layout(
            NewVpc(
                cidr_block=cidr_block, number_of_availability_zones=count, availability_zone_cidr_mask=mask
            )
        )

    fewer, all_of_them = layout(zones), layout(4)
    assert list(all_of_them.private[:zones]) == list(fewer.private)
    assert list(all_of_them.public[:zones]) == list(fewer.public)
    blocks = [*all_of_them.private, *all_of_them.public]
    whole = ipaddress.IPv4Network(cidr_block)
    assert all(block.subnet_of(whole) for block in blocks)
    assert not any(a.overlaps(b) for a, b in itertools.combinations(blocks, 2))
    assert all(block.prefixlen <= 27 for block in all_of_them.public)


# What awsx cuts of 10.20.0.0/16 by itself: the first is in its recording (`vpc_two_az_single_nat`).
CUT_BY_AWSX = {
    2: ["10.20.0.0/18 10.20.64.0/19", "10.20.128.0/18 10.20.192.0/19"],
    3: ["10.20.0.0/19 10.20.32.0/20", "10.20.64.0/19 10.20.96.0/20", "10.20.128.0/19 10.20.160.0/20"],
    4: [
        "10.20.0.0/19 10.20.32.0/20",
        "10.20.64.0/19 10.20.96.0/20",
        "10.20.128.0/19 10.20.160.0/20",
        "10.20.192.0/19 10.20.224.0/20",
    ],
}


@pytest.mark.parametrize(("zones", "mask"), [(2, None), (3, 18), (4, 18)])
def test_a_stack_that_runs_keeps_the_ranges_that_awsx_cut(zones: int, mask: int | None) -> None:
    layout = subnet_layout(NewVpc(number_of_availability_zones=zones, availability_zone_cidr_mask=mask))

    assert [f"{a} {b}" for a, b in zip(layout.private, layout.public, strict=True)] == CUT_BY_AWSX[zones]


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"cidr_block": "10.20.0.0/24", "number_of_availability_zones": 4}, "cidr_block", "/22 or larger"),
        ({"cidr_block": "10.20.0.0/23", "number_of_availability_zones": 3}, "cidr_block", "/22 or larger"),
        ({"availability_zone_cidr_mask": 16}, "availability_zone_cidr_mask", "from 17 to 25"),
        ({"availability_zone_cidr_mask": 26}, "availability_zone_cidr_mask", "from 17 to 25"),
        (
            {"availability_zone_cidr_mask": 17, "number_of_availability_zones": 3},
            "availability_zone_cidr_mask",
            "from 18 to 25",
        ),
        ({"nat_gateway_strategy": "NONE", "vpc_endpoints": False}, "vpc_endpoints", "by endpoints alone"),
    ],
)
def test_what_a_load_balancer_or_a_task_couldnt_live_in_is_refused(
    changes: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        NewVpc(**changes)

    assert caught.value.field == field
    assert said in str(caught.value)


def running(subnets: Mapping[str, str], cidr_block: str = "10.20.0.0/16") -> Recorder:
    """A run that finds the VPC, of this range, with one subnet, of this name and range."""
    [(name, block)] = subnets.items()
    return Recorder(
        preview=True,
        answers={
            "aws:ec2/getVpcs:getVpcs": {"id": "ap-northeast-2", "ids": ["vpc-0f"]},
            "aws:ec2/getSubnets:getSubnets": {"id": "ap-northeast-2", "ids": ["subnet-a"]},
            "aws:ec2/getSubnet:getSubnet": {
                "cidrBlock": block,
                "id": "subnet-a",
                "tags": {"Name": name},
                "vpcId": "vpc-0f",
            },
            "aws:ec2/getVpc:getVpc": {"cidrBlock": cidr_block, "id": "vpc-0f"},
        },
    )


@pytest.mark.parametrize("block", ["10.20.64.0/20", "10.20.0.0/20"])
def test_a_cut_that_moves_a_running_subnet_is_refused_with_the_mask_that_keeps_it(block: str) -> None:
    with pytest.raises(pulumi.RunError, match="availability_zone_cidr_mask to 18, by which they were cut"):
        record(
            lambda: Network("fileflow-prod", NetworkArgs()),
            recorder=running({"fileflow-prod-public-1": block}),
        )


@pytest.mark.parametrize("cidr_block", ["10.30.0.0/16", "10.20.0.0/17"])
def test_another_range_of_a_running_vpc_is_refused_with_the_one_that_it_has(cidr_block: str) -> None:
    found = running({"fileflow-prod-private-1": "10.20.0.0/18"})

    with pytest.raises(pulumi.RunError, match=r"Set network.create.cidr_block to 10.20.0.0/16"):
        record(
            lambda: Network("fileflow-prod", NetworkArgs(vpc=NewVpc(cidr_block=cidr_block))), recorder=found
        )


def test_a_cut_that_moves_no_running_subnet_is_let_through() -> None:
    found = running({"fileflow-prod-public-1": "10.20.64.0/19"})

    recording = record(lambda: Network("fileflow-prod", NetworkArgs()), recorder=found)

    assert recording.names(t.VPC) == ["fileflow-prod"]


def test_without_a_nat_gateway_tasks_reach_aws_by_endpoints() -> None:
    recording = record_network(NewVpc(nat_gateway_strategy="NONE"))

    endpoints = {each.name: each.inputs for each in recording.of_type(ENDPOINT)}
    prefix = "com.amazonaws.ap-northeast-2."
    assert {each["serviceName"].removeprefix(prefix) for each in endpoints.values()} == {
        "dynamodb", "ecr.api", "ecr.dkr", "kms", "logs", "s3", "secretsmanager", "ssm", "ssmmessages",
    }  # fmt: skip
    for gateway in ("dynamodb", "s3"):
        assert endpoints[f"fileflow-prod-{gateway}"]["vpcEndpointType"] == "Gateway"
    interface = endpoints["fileflow-prod-ecr-api"]
    assert interface["subnetIds"] == ["fileflow-prod-private-1-id", "fileflow-prod-private-2-id"]
    assert interface["privateDnsEnabled"] is True
    [rule] = recording.of_type(t.INGRESS)
    assert (rule.inputs["cidrIpv4"], rule.inputs["toPort"]) == ("10.20.0.0/16", 443)
    assert record_network(NewVpc(vpc_endpoints=True)).names(ENDPOINT) == sorted(endpoints)
    assert record_network(NewVpc()).names(ENDPOINT) == []


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


def test_public_subnets_give_out_no_addresses_and_nothing_else_of_them_changes() -> None:
    subnet = pulumi.ResourceTransformArgs(
        True,
        "aws:ec2/subnet:Subnet",
        "fileflow-prod-public-1",
        {"cidrBlock": "10.20.64.0/19", "mapPublicIpOnLaunch": True},
        pulumi.ResourceOptions(),
    )
    table = pulumi.ResourceTransformArgs(
        True, "aws:ec2/routeTable:RouteTable", "fileflow-prod-public-1", {}, pulumi.ResourceOptions()
    )

    changed = no_public_addresses(subnet)
    assert changed is not None
    assert changed.props == {"cidrBlock": "10.20.64.0/19", "mapPublicIpOnLaunch": False}
    assert no_public_addresses(table) is None
