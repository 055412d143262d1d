"""Prometheus reads the Actuator from inside the VPC and by its own security group."""

import pulumi_aws as aws

from tests.policies.programs import fleet

security_group = fleet.group("download")
vpc = aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16")
for name, source in (
    ("by-range", {"cidr_ipv4": vpc.cidr_block}),
    ("by-group", {"referenced_security_group_id": "sg-prometheus"}),
):
    aws.vpc.SecurityGroupIngressRule(
        name,
        security_group_id=security_group.id,
        description="Prometheus",
        ip_protocol="tcp",
        from_port=9091,
        to_port=9091,
        **source,
    )
fleet.scheduler(security_group=security_group)
