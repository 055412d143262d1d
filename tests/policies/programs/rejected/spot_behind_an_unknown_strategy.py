"""The capacity provider's name comes from another resource."""

# rejected: scheduler-spot-opt-in on download

import pulumi_aws as aws

from tests.policies.programs import fleet

parameter = aws.ssm.Parameter("provider", type="String", value="FARGATE_SPOT")
fleet.scheduler(
    launch_type=None, capacity_provider_strategies=[{"capacity_provider": parameter.arn, "weight": 1}]
)
