"""The key that sessions of ECS Exec are encrypted with: the channel to the container, and the log.

Owns the key and who may use it. Doesn't own the cluster's setting, nor the task role's permission to decrypt.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.aws_environment import AwsEnvironment


def create_session_key(
    name: str, log_group_name: pulumi.Input[str], tags: Mapping[str, str], parent: pulumi.Resource
) -> aws.kms.Key:
    """A key of the account that rotates each year, and that CloudWatch uses for this one log group alone.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    environment = AwsEnvironment.of(parent)
    log_group_arn = environment.arn("logs", pulumi.Output.format("log-group:{0}", log_group_name))
    policy = pulumi.Output.all(
        environment.partition, environment.account_id, environment.region, log_group_arn
    ).apply(lambda known: json.dumps(_policy(*known)))
    return aws.kms.Key(
        f"{name}-exec",
        description=f"Sessions of ECS Exec in {name}",
        enable_key_rotation=True,
        policy=policy,
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _policy(partition: str, account_id: str, region: str, log_group_arn: str) -> Mapping[str, object]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                # Hands the decision to IAM: without it nobody could ever change the key again.
                "Sid": "Account",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{partition}:iam::{account_id}:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
            {
                "Sid": "SessionLog",
                "Effect": "Allow",
                "Principal": {"Service": f"logs.{region}.amazonaws.com"},
                "Action": [
                    "kms:Decrypt",
                    "kms:DescribeKey",
                    "kms:Encrypt",
                    "kms:GenerateDataKey*",
                    "kms:ReEncrypt*",
                ],
                "Resource": "*",
                "Condition": {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": log_group_arn}},
            },
        ],
    }
