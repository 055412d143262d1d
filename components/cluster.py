"""The ECS cluster that all services of an environment share.

Owns the cluster, its capacity providers, and how ECS Exec's sessions are logged and encrypted. Doesn't
own the services, nor which of them lets a person in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pulumi
import pulumi_aws as aws

from components.aws_rules import check_tags
from components.log_group import create_log_group
from components.names import session_log_group
from components.options import Logging
from components.session_key import create_session_key
from components.validation import (
    all_mistakes,
    check_choice,
    check_pattern,
)
from components.waiting import once

CLUSTER = "fileflow:ecs:Cluster"


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    """Arguments of `Cluster`.

    `container_insights` is `enabled` by default: the alarms on the number of running tasks read its
    metrics; `enhanced` adds container metrics at a higher price, `disabled` blinds the alarms.
    Sessions of ECS Exec are always logged. With `execute_command` they are encrypted too, channel and
    log, by `logging.kms_key_arn` or else by a key made for them; off by default, since a key has a price.
    That key stays when the option or the stack goes, since former sessions are read with it alone; with
    `retain_session_key_on_delete=False`, KMS deletes it after 30 days.
    """

    cluster_name: str
    """The cluster's name."""
    container_insights: str = "enabled"
    """`enabled` (the default), `enhanced` or `disabled`."""
    execute_command: bool = False
    """Whether sessions of ECS Exec are encrypted by a key; off by default."""
    retain_session_key_on_delete: bool = True
    """Whether that key stays when the option or the stack goes; on by default."""
    logging: Logging = field(default_factory=Logging)
    """How long the sessions' log is kept, and under which key."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Put on everything; none by default."""

    @all_mistakes
    def __post_init__(self) -> None:
        check_tags("tags", self.tags)
        check_pattern(
            "cluster_name",
            self.cluster_name,
            r"[A-Za-z0-9_-]{1,255}",
            "it has up to 255 letters, digits, '_' and '-'",
            "Rename it.",
        )
        check_choice(
            "container_insights",
            self.container_insights,
            ("enabled", "enhanced", "disabled"),
            "the setting of Container Insights",
        )


class Cluster(pulumi.ComponentResource):
    """A Fargate cluster whose default is Fargate, never Spot."""

    cluster_name: pulumi.Output[str]
    """The cluster's name."""
    cluster_arn: pulumi.Output[str]
    """The cluster's ARN, once it has its capacity."""
    session_key_arn: pulumi.Output[str] | None
    """What a task whose service lets a person in must be allowed to decrypt with; None without a key."""

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(CLUSTER, name, {"clusterName": args.cluster_name}, opts)
        self.session_key_arn = self._session_key(name, args)
        exec_log = create_log_group(
            f"{name}-exec",
            session_log_group(args.cluster_name),
            replace(args.logging, kms_key_arn=self.session_key_arn or args.logging.kms_key_arn),
            args.tags,
            self,
        )
        cluster = aws.ecs.Cluster(
            name,
            name=args.cluster_name,
            settings=[{"name": "containerInsights", "value": args.container_insights}],
            configuration=aws.ecs.ClusterConfigurationArgs(
                execute_command_configuration=aws.ecs.ClusterConfigurationExecuteCommandConfigurationArgs(
                    kms_key_id=self.session_key_arn,
                    logging="OVERRIDE",
                    log_configuration=aws.ecs.ClusterConfigurationExecuteCommandConfigurationLogConfigurationArgs(
                        cloud_watch_encryption_enabled=None if self.session_key_arn is None else True,
                        cloud_watch_log_group_name=exec_log.name,
                    ),
                )
            ),
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        providers = aws.ecs.ClusterCapacityProviders(
            name,
            cluster_name=cluster.name,
            capacity_providers=["FARGATE", "FARGATE_SPOT"],
            default_capacity_provider_strategies=[{"capacity_provider": "FARGATE", "weight": 1, "base": 1}],
            opts=pulumi.ResourceOptions(parent=cluster),
        )
        self.cluster_name = cluster.name
        # A service on Spot needs the providers, not the cluster alone.
        self.cluster_arn = once(cluster.arn, providers.id)
        self.register_outputs(
            {
                "cluster_name": self.cluster_name,
                "cluster_arn": self.cluster_arn,
                "session_key_arn": self.session_key_arn,
            }
        )

    def _session_key(self, name: str, args: ClusterArgs) -> pulumi.Output[str] | None:
        if not args.execute_command:
            return None
        if args.logging.kms_key_arn is not None:
            return pulumi.Output.from_input(args.logging.kms_key_arn)
        return create_session_key(
            name,
            session_log_group(args.cluster_name),
            args.tags,
            self,
            retain_on_delete=args.retain_session_key_on_delete,
        ).arn
