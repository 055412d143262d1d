"""What a VPC's network interfaces accept and reject, written to CloudWatch Logs.

Owns the flow log, its log group, and the role that writes there. Doesn't own the VPC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import pulumi
import pulumi_aws as aws

from components.aws_environment import AwsEnvironment
from components.log_group import create_log_group
from components.names import flow_log_group, shorten
from components.options import Logging
from components.roles import LONGEST_ROLE, trust_policy
from components.validation import all_mistakes, check_choice, check_retention_days


@dataclass(frozen=True, kw_only=True)
class FlowLogs:
    """Which traffic is logged, and for how many days.

    By default what was rejected (`REJECT`), for 30 days: it shows who tries what, and costs little;
    `ALL` is what an investigation wants, at the price of its volume.
    Source: https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs.html
    """

    traffic_type: Literal["ACCEPT", "REJECT", "ALL"] = "REJECT"
    retention_days: int = 30

    @all_mistakes
    def __post_init__(self) -> None:
        check_choice(
            "flow_logs.traffic_type", self.traffic_type, ("ACCEPT", "REJECT", "ALL"), "the logged traffic"
        )
        check_retention_days("flow_logs.retention_days", self.retention_days)


def create_flow_logs(
    name: str,
    vpc_id: pulumi.Input[str],
    options: FlowLogs,
    logging: Logging,
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> None:
    """Logs the traffic of the VPC into `/aws/vpc/NAME/flow-logs`, which is kept as `logging` says.

    For how many days, `options` say.
    """
    child = pulumi.ResourceOptions(parent=parent)
    environment = AwsEnvironment.of(parent)
    group = create_log_group(
        f"{name}-flow-logs",
        flow_log_group(name),
        replace(logging, retention_days=options.retention_days),
        tags,
        parent,
    )
    role = aws.iam.Role(
        shorten(f"{name}-flow-logs", LONGEST_ROLE),
        description=f"The flow log of {name} writes with it",
        # Source: https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
        assume_role_policy=trust_policy(
            environment, "vpc-flow-logs.amazonaws.com", environment.arn("ec2", "vpc-flow-log/*")
        ),
        tags=tags,
        opts=child,
    )
    policy = aws.iam.RolePolicy(
        f"{name}-flow-logs",
        role=role.name,
        policy=pulumi.Output.json_dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                        "Effect": "Allow",
                        "Resource": pulumi.Output.format("{0}:*", group.arn),
                    },
                    # A list of groups is nothing that IAM narrows to one of them.
                    {"Action": "logs:DescribeLogGroups", "Effect": "Allow", "Resource": "*"},
                ],
            }
        ),
        opts=pulumi.ResourceOptions(parent=role),
    )
    aws.ec2.FlowLog(
        name,
        vpc_id=vpc_id,
        traffic_type=options.traffic_type,
        log_destination_type="cloud-watch-logs",
        log_destination=group.arn,
        iam_role_arn=role.arn,
        tags={**tags, "Name": name},
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[policy]),
    )
