"""The programs whose children the real awsx provider was recorded to register, by their names there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi_aws as aws
import pulumi_awsx as awsx

RECORDED: dict[str, list[dict[str, Any]]] = json.loads(
    Path(__file__).with_name("awsx-children.json").read_text()
)


def vpc_default() -> None:
    """A VPC without arguments."""
    awsx.ec2.Vpc("fileflow")


def vpc_two_az_single_nat() -> None:
    """Two zones that share one NAT gateway."""
    awsx.ec2.Vpc(
        "fileflow",
        cidr_block="10.20.0.0/16",
        number_of_availability_zones=2,
        enable_dns_hostnames=True,
        nat_gateways=awsx.ec2.NatGatewayConfigurationArgs(strategy=awsx.ec2.NatGatewayStrategy.SINGLE),
        subnet_strategy=awsx.ec2.SubnetAllocationStrategy.AUTO,
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
    )


def alb_default() -> None:
    """A load balancer that is told only where it stands."""
    awsx.lb.ApplicationLoadBalancer("fileflow", subnet_ids=["subnet-0a", "subnet-0b"])


def alb_redirect_https() -> None:
    """A load balancer that redirects HTTP to HTTPS."""
    to_https = aws.lb.ListenerDefaultActionRedirectArgs(port="443", protocol="HTTPS", status_code="HTTP_301")
    awsx.lb.ApplicationLoadBalancer(
        "fileflow",
        name="fileflow-prod-alb",
        subnet_ids=["subnet-0a", "subnet-0b"],
        security_groups=["sg-0a"],
        enable_deletion_protection=True,
        drop_invalid_header_fields=True,
        default_target_group=awsx.lb.TargetGroupArgs(
            name="fileflow-web-api",
            port=8083,
            protocol="HTTP",
            target_type="ip",
            vpc_id="vpc-0a",
            health_check=aws.lb.TargetGroupHealthCheckArgs(path="/actuator/health"),
        ),
        listeners=[
            awsx.lb.ListenerArgs(
                port=80,
                protocol="HTTP",
                default_actions=[aws.lb.ListenerDefaultActionArgs(type="redirect", redirect=to_https)],
            ),
            awsx.lb.ListenerArgs(
                port=443,
                protocol="HTTPS",
                certificate_arn="arn:aws:acm:ap-northeast-2:646886795421:certificate/x",
                ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06",
            ),
        ],
    )


def ecr_default() -> None:
    """A repository without arguments."""
    awsx.ecr.Repository("fileflow")


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
    alb_default,
    alb_redirect_https,
    ecr_default,
    ecr_lifecycle,
]
