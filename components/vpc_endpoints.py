"""The endpoints by which tasks reach AWS without leaving their VPC.

Owns which services those are, and who may use them. Doesn't own the VPC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from components.aws_environment import AwsEnvironment

GATEWAY_SERVICES = ("s3", "dynamodb")
"""What has gateway endpoints, which cost nothing.

Source: https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html
"""

INTERFACE_SERVICES = ("ecr.api", "ecr.dkr", "kms", "logs", "secretsmanager", "ssm", "ssmmessages")
"""What a Fargate task needs besides those: its image, its log, its secrets, and a shell by ECS Exec.

Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html,
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/vpc-endpoints.html
"""


def create_vpc_endpoints(
    name: str,
    vpc_id: pulumi.Input[str],
    cidr_block: str,
    subnet_ids: pulumi.Input[Sequence[str]],
    route_table_ids: pulumi.Input[Sequence[str]],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> list[pulumi.Resource]:
    """Gateways to S3, where ECR keeps layers, and to DynamoDB, where leases lie.

    For every other service an interface in each subnet.
    """
    region = AwsEnvironment.of(parent).region
    child = pulumi.ResourceOptions(parent=parent)
    group = aws.ec2.SecurityGroup(
        f"{name}-endpoints",
        description=f"Endpoints of {name}",
        vpc_id=vpc_id,
        tags={**tags, "Name": f"{name}-endpoints"},
        opts=child,
    )
    way_in = aws.vpc.SecurityGroupIngressRule(
        f"{name}-endpoints",
        security_group_id=group.id,
        description="Tasks inside the VPC",
        ip_protocol="tcp",
        from_port=443,
        to_port=443,
        cidr_ipv4=cidr_block,
        tags=tags,
        opts=pulumi.ResourceOptions(parent=group),
    )
    gateways = [
        aws.ec2.VpcEndpoint(
            f"{name}-{service}",
            vpc_id=vpc_id,
            service_name=pulumi.Output.format("com.amazonaws.{0}.{1}", region, service),
            vpc_endpoint_type="Gateway",
            route_table_ids=route_table_ids,
            tags={**tags, "Name": f"{name}-{service}"},
            opts=child,
        )
        for service in GATEWAY_SERVICES
    ]
    interfaces = [
        aws.ec2.VpcEndpoint(
            f"{name}-{service.replace('.', '-')}",
            vpc_id=vpc_id,
            service_name=pulumi.Output.format("com.amazonaws.{0}.{1}", region, service),
            vpc_endpoint_type="Interface",
            private_dns_enabled=True,
            subnet_ids=subnet_ids,
            security_group_ids=[group.id],
            tags={**tags, "Name": f"{name}-{service.replace('.', '-')}"},
            opts=child,
        )
        for service in INTERFACE_SERVICES
    ]
    return [way_in, *gateways, *interfaces]
