"""The same by the provider's older name for target groups."""

# rejected: scheduler-no-target-group on actuator

import pulumi_aws as aws

from tests.policies.programs import fleet

fleet.scheduler()
aws.alb.TargetGroup(
    "actuator",
    port=9091,
    protocol="HTTP",
    target_type="ip",
    vpc_id="vpc-1",
    health_check={"path": "/actuator/health"},
)
