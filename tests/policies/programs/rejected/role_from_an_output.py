"""A role that only the update will know."""

# rejected: ecs-service-role on batch

import pulumi_aws as aws

from tests.policies.programs import fleet

parameter = aws.ssm.Parameter("role", type="String", value="worker")
fleet.service("batch", tags={"fileflow:role": parameter.arn})
