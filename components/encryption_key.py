"""The key of an environment's own: its logs, sessions of ECS Exec, alarms and images are encrypted with it.

Owns the key, its alias, and which services of AWS may use it for what. Doesn't own what is encrypted with
it, nor the task role's permission to decrypt sessions (`roles`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from components.aws_environment import AwsEnvironment
from components.aws_rules import check_tags
from components.key_policy import account_statement, log_statement
from components.log_group import kept_log_group
from components.validation import all_mistakes

ENCRYPTION_KEY = "fileflow:kms:EncryptionKey"
DELETION_WINDOW_DAYS = 30
"""The longest that KMS waits before it deletes a key, and can take that back."""


@dataclass(frozen=True, kw_only=True)
class EncryptionKeyArgs:
    """Arguments of `EncryptionKey`."""

    name: str
    """The alias without `alias/`."""
    topic_name: str
    """The SNS topic that CloudWatch and EventBridge publish to."""
    log_group_names: Sequence[str]
    """The log groups, in which `*` stands for any text."""
    retain_on_delete: bool = True
    """Whether the key outlives its stack, and the setting that it came with; by default it does, since
    whatever is left of logs and images can be read with it alone."""
    kept_log_group_name: str | None = None
    """A log group that outlives its stack: the key that it was kept under is taken over when both come back.
    None, the default, where no log group stays."""
    tags: Mapping[str, str] = field(default_factory=dict)

    @all_mistakes
    def __post_init__(self) -> None:
        check_tags("tags", self.tags)


class EncryptionKey(pulumi.ComponentResource):
    """A symmetric key that rotates each year, and that services use for this environment alone."""

    key_arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: EncryptionKeyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(ENCRYPTION_KEY, name, {"name": args.name}, opts)
        environment = AwsEnvironment.of(self)
        description = f"Logs, sessions, alarms and images of {args.name}"
        key = aws.kms.Key(
            name,
            description=description,
            enable_key_rotation=True,
            deletion_window_in_days=DELETION_WINDOW_DAYS,
            policy=pulumi.Output.json_dumps(_policy(environment, args)),
            tags=args.tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                retain_on_delete=args.retain_on_delete,
                import_=self._kept_key_id(args, description),
                # KMS says neither of a key that is imported; the provider's own tests leave them out as well:
                # https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/kms/key.go
                ignore_changes=["bypassPolicyLockoutSafetyCheck", "deletionWindowInDays"],
            ),
        )
        aws.kms.Alias(
            name,
            name=f"alias/{args.name}",
            target_key_id=key.key_id,
            # It would inherit that from the key, and be in the way of the next one.
            opts=pulumi.ResourceOptions(parent=key, retain_on_delete=False),
        )
        self.key_arn = key.arn
        self.register_outputs({"key_arn": self.key_arn})

    def _kept_key_id(self, args: EncryptionKeyArgs, description: str) -> str | None:
        """The id to import the key by that a former stack of this name made; None for another's and for none.

        Under a new key no kept log group could be imported, since it has the former one. While the stack
        runs it is the key of the state, and the engine then takes an import for none.
        """
        if args.kept_log_group_name is None:
            return None
        group = kept_log_group(args.kept_log_group_name, args.tags, self)
        if group is None or not group.kms_key_id:
            return None
        key = aws.kms.get_key(key_id=group.kms_key_id, opts=pulumi.InvokeOptions(parent=self))
        return key.id if key.enabled and key.description == description else None


def _policy(environment: AwsEnvironment, args: EncryptionKeyArgs) -> Mapping[str, Any]:
    """Who may use the key.

    ECR and ECS Exec need no statement: they use it in the name of whoever calls them, by the first one.
    Source: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html (section "Enable compatibility
    between event sources from AWS services and encrypted topics"),
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html
    """
    topic = {"kms:EncryptionContext:aws:sns:topicArn": environment.arn("sns", args.topic_name)}
    return {
        "Version": "2012-10-17",
        "Statement": [
            account_statement(environment),
            log_statement(
                environment,
                "Logs",
                {
                    "ArnLike": {
                        "kms:EncryptionContext:aws:logs:arn": [
                            environment.arn("logs", f"log-group:{each}") for each in args.log_group_names
                        ]
                    }
                },
            ),
            {
                "Sid": "Alarms",
                "Effect": "Allow",
                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
                "Resource": "*",
                "Condition": {
                    "ArnLike": {"aws:SourceArn": environment.arn("cloudwatch", "alarm:*")},
                    "StringEquals": {"aws:SourceAccount": environment.account_id, **topic},
                },
            },
            {
                # By the topic alone: EventBridge names neither account nor source to KMS, and with a
                # condition on them it delivers nothing (the page above).
                "Sid": "Events",
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
                "Resource": "*",
                "Condition": {"StringEquals": topic},
            },
        ],
    }
