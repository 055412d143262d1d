"""What several tests of the emulated AWS share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

REGION = "ap-northeast-2"
Client = Callable[..., Any]


def refusal(call: Any, *arguments: Any, **options: Any) -> tuple[str, str]:
    """Calls, expects that AWS refuses, and returns the error's code and message."""
    with pytest.raises(ClientError) as raised:
        call(*arguments, **options)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


def heard_queue(sqs: Any, name: str = "heard") -> tuple[str, str]:
    """A queue that hears what it is subscribed to: its URL and its ARN."""
    url: str = sqs.create_queue(QueueName=name)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return url, attributes["QueueArn"]


def assert_contains(got: Any, sent: Any, path: str = "") -> None:
    """Asserts that everything that was sent came back; more may have come."""
    if isinstance(sent, dict):
        for key, value in sent.items():
            assert key in got, f"{path}.{key} is lost"
            assert_contains(got[key], value, f"{path}.{key}")
    elif isinstance(sent, list):
        assert len(got) == len(sent), f"{path}: {sent} came back as {got}"
        for index, value in enumerate(sent):
            assert_contains(got[index], value, f"{path}[{index}]")
    else:
        assert got == sent, path


def network(ec2: Any, region: str = REGION) -> tuple[str, list[str], str]:
    """A VPC with subnets in two zones and a security group."""
    vpc: str = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.20.{index}.0/24", AvailabilityZone=f"{region}{zone}")[
            "Subnet"
        ]["SubnetId"]
        for index, zone in enumerate("ac")
    ]
    group: str = ec2.create_security_group(GroupName="front", Description="front", VpcId=vpc)["GroupId"]
    return vpc, subnets, group
