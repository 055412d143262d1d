"""The scheduler's own port stays closed; another one is open to an office's address."""

# rejected: scheduler-ingress-from-vpc on office

import pulumi_aws as aws

from tests.policies.programs import fleet

security_group = fleet.group("download")
aws.ec2.SecurityGroupRule(
    "office",
    type="ingress",
    security_group_id=security_group.id,
    description="Office",
    protocol="tcp",
    from_port=5005,
    to_port=5005,
    cidr_blocks=["198.51.100.0/24"],
)
fleet.scheduler(security_group=security_group)
