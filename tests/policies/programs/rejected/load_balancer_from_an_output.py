"""Load balancers that only the update will know."""

# rejected: scheduler-no-load-balancer on download

import pulumi_aws as aws

from tests.policies.programs import fleet

parameter = aws.ssm.Parameter("balancers", type="String", value="[]")
fleet.scheduler(load_balancers=parameter.arn.apply(lambda _: []))
