"""A target group attachment of an instance."""

import pulumi_aws as aws

from tests.policies.programs import fleet

instance = aws.ec2.Instance("old", ami="ami-1", instance_type="t3.micro")
aws.lb.TargetGroupAttachment(
    "attached", target_group_arn=fleet.target_group("old").arn, target_id=instance.id, port=8080
)
