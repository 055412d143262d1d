"""The programs whose children the real awsx provider was recorded to register, by their names there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi_aws as aws
import pulumi_awsx as awsx

from tests.golden.recordings import recorded

RECORDED: dict[str, list[dict[str, Any]]] = recorded("awsx-children")


def _specs(private: list[str], public: list[str]) -> list[awsx.ec2.SubnetSpecArgs]:
    """The ranges that the real provider worked out itself, given here: the stand-in works out none.

    Nor does it know the numbers of zones and gateways that `vpc_default` was recorded without.
    """
    return [
        awsx.ec2.SubnetSpecArgs(type=awsx.ec2.SubnetType.PRIVATE, cidr_blocks=private),
        awsx.ec2.SubnetSpecArgs(type=awsx.ec2.SubnetType.PUBLIC, cidr_blocks=public),
    ]


def vpc_default() -> None:
    """Three zones with a NAT gateway each."""
    awsx.ec2.Vpc(
        "fileflow",
        cidr_block="10.0.0.0/16",
        number_of_availability_zones=3,
        nat_gateways=awsx.ec2.NatGatewayConfigurationArgs(strategy=awsx.ec2.NatGatewayStrategy.ONE_PER_AZ),
        subnet_strategy=awsx.ec2.SubnetAllocationStrategy.AUTO,
        subnet_specs=_specs(
            ["10.0.0.0/19", "10.0.64.0/19", "10.0.128.0/19"],
            ["10.0.32.0/20", "10.0.96.0/20", "10.0.160.0/20"],
        ),
    )


def vpc_two_az_single_nat() -> None:
    """Two zones that share one NAT gateway."""
    awsx.ec2.Vpc(
        "fileflow",
        cidr_block="10.20.0.0/16",
        number_of_availability_zones=2,
        enable_dns_hostnames=True,
        nat_gateways=awsx.ec2.NatGatewayConfigurationArgs(strategy=awsx.ec2.NatGatewayStrategy.SINGLE),
        subnet_strategy=awsx.ec2.SubnetAllocationStrategy.AUTO,
        subnet_specs=_specs(["10.20.0.0/18", "10.20.128.0/18"], ["10.20.64.0/19", "10.20.192.0/19"]),
        tags={"Project": "fileflow"},
    )


def vpc_no_nat() -> None:
    """Two zones without a way out for private subnets."""
    awsx.ec2.Vpc(
        "fileflow",
        cidr_block="10.30.0.0/16",
        number_of_availability_zones=2,
        nat_gateways=awsx.ec2.NatGatewayConfigurationArgs(strategy=awsx.ec2.NatGatewayStrategy.NONE),
        subnet_strategy=awsx.ec2.SubnetAllocationStrategy.AUTO,
        subnet_specs=_specs(["10.30.0.0/18", "10.30.128.0/18"], ["10.30.64.0/19", "10.30.192.0/19"]),
    )


def ecr_lifecycle() -> None:
    """A repository with two lifecycle rules."""
    awsx.ecr.Repository(
        "fileflow",
        name="fileflow",
        image_tag_mutability="IMMUTABLE_WITH_EXCLUSION",
        image_tag_mutability_exclusion_filters=[
            aws.ecr.RepositoryImageTagMutabilityExclusionFilterArgs(filter="*latest", filter_type="WILDCARD")
        ],
        force_delete=False,
        image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
        lifecycle_policy=awsx.ecr.LifecyclePolicyArgs(
            rules=[
                awsx.ecr.LifecyclePolicyRuleArgs(
                    description="keep web",
                    tag_status=awsx.ecr.LifecycleTagStatus.TAGGED,
                    tag_prefix_list=["web-api-"],
                    maximum_number_of_images=20,
                ),
                awsx.ecr.LifecyclePolicyRuleArgs(
                    description="untagged",
                    tag_status=awsx.ecr.LifecycleTagStatus.UNTAGGED,
                    maximum_age_limit=14,
                ),
            ]
        ),
    )


PROGRAMS: list[Callable[[], None]] = [
    vpc_default,
    vpc_two_az_single_nat,
    vpc_no_nat,
    ecr_lifecycle,
]
