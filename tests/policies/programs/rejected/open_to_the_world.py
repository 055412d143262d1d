"""A security group lets the world in to the scheduler."""

# rejected: scheduler-ingress-from-vpc on actuator
# rejected: security-group-open-ports on actuator

import pulumi_aws as aws

from tests.policies.programs import fleet

security_group = fleet.group("download")
aws.vpc.SecurityGroupIngressRule(
    "actuator",
    security_group_id=security_group.id,
    description="Actuator",
    ip_protocol="tcp",
    from_port=9091,
    to_port=9091,
    cidr_ipv4="0.0.0.0/0",
)
fleet.scheduler(security_group=security_group)
