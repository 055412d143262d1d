"""What the tests import of the AWS SDK is the SDK's own, and nothing of it is missing."""

from __future__ import annotations

import importlib

import pulumi_aws as aws
import pytest


@pytest.mark.parametrize(
    ("package", "module", "name"),
    [
        ("ec2", "security_group", "SecurityGroup"),
        ("ec2", "_inputs", "GetSubnetsFilterArgs"),
        ("wafv2", "web_acl_association", "WebAclAssociation"),
        ("lb", "load_balancer", "LoadBalancerArgs"),
    ],
)
def test_a_name_is_what_its_own_module_has(package: str, module: str, name: str) -> None:
    found = getattr(getattr(aws, package), name)

    assert found is getattr(importlib.import_module(f"pulumi_aws.{package}.{module}"), name)


def test_a_function_stays_a_function_where_its_module_is_called_like_it() -> None:
    assert callable(aws.ec2.get_vpc_output)
    assert callable(aws.ec2.get_vpc)


def test_a_name_that_the_sdk_does_not_have_is_an_error() -> None:
    with pytest.raises(AttributeError, match="NoSuchThing"):
        getattr(aws.ec2, "NoSuchThing")  # noqa: B009  # the types know that it isn't there
