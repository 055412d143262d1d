"""The key that sessions of ECS Exec are encrypted with: the channel to the container, and the log.

Owns the key and who may use it. Doesn't own the cluster's setting, nor the task role's permission to decrypt.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.aws_environment import AwsEnvironment
from components.key_policy import account_statement, log_statement


def create_session_key(
    name: str,
    log_group_name: str,
    tags: Mapping[str, str],
    parent: pulumi.Resource,
    *,
    retain_on_delete: bool,
) -> aws.kms.Key:
    """A key of the account that rotates each year, and that CloudWatch uses for this one log group alone.

    Without an alias, so that the next one made here never meets one that was retained. What a log group took
    in before it got another key, or none, can be read with its former key alone.
    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    environment = AwsEnvironment.of(parent)
    log_group_arn = environment.arn("logs", f"log-group:{log_group_name}")
    own_log = {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": log_group_arn}}
    return aws.kms.Key(
        f"{name}-exec",
        description=f"Sessions of ECS Exec in {name}",
        enable_key_rotation=True,
        policy=pulumi.Output.json_dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    account_statement(environment),
                    log_statement(environment, "SessionLog", own_log),
                ],
            }
        ),
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent, retain_on_delete=retain_on_delete),
    )
