"""The statements that the policies of this project's KMS keys have alike.

Owns those statements. Doesn't own the keys (`encryption_key`, `session_key`), nor which log groups they
are for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from components.aws_environment import AwsEnvironment


def account_statement(environment: AwsEnvironment) -> dict[str, Any]:
    """Hands the decision to IAM: without it nobody could ever change the key again."""
    return {
        "Sid": "Account",
        "Effect": "Allow",
        "Principal": {
            "AWS": pulumi.Output.format(
                "arn:{0}:iam::{1}:root", environment.partition, environment.account_id
            )
        },
        "Action": "kms:*",
        "Resource": "*",
    }


def log_statement(environment: AwsEnvironment, sid: str, condition: Mapping[str, Any]) -> dict[str, Any]:
    """Lets CloudWatch Logs encrypt with the key; `condition` names the log groups.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": pulumi.Output.format("logs.{0}.amazonaws.com", environment.region)},
        "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
        "Resource": "*",
        "Condition": condition,
    }
