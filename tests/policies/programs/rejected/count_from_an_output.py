"""A desired count that another resource gives, unknown until the update."""

# rejected: scheduler-desired-count on download

import pulumi_aws as aws

from tests.policies.programs import fleet

parameter = aws.ssm.Parameter("count", type="String", value="2")
fleet.scheduler(desired_count=parameter.version.apply(int))
