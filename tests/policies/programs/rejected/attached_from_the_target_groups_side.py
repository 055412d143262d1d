"""No load balancer on the service; its task is attached from the other side."""

# rejected: scheduler-no-target-group on attached

import pulumi_aws as aws

from tests.policies.programs import fleet

service = fleet.scheduler()
aws.lb.TargetGroupAttachment(
    "attached", target_group_arn=fleet.target_group("web").arn, target_id=service.arn, port=8083
)
