"""The DynamoDB table that leases lie in.

Owns the table alone. One table holds the leases of any number of stacks; each scheduler has a key of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.aws_rules import check_table_name, check_tags
from components.names import LEASE_KEY
from components.validation import all_mistakes

LEASE_TABLE = "fileflow:dynamodb:LeaseTable"


@dataclass(frozen=True, kw_only=True)
class LeaseTableArgs:
    """Arguments of `LeaseTable`. Raises `InvalidArgumentError` for a name that DynamoDB refuses."""

    table_name: str
    """The table's name, which a scheduler's lease says."""
    deletion_protection: bool = True
    """Whether AWS refuses to delete the table; without it every scheduler on it stops. On by default."""
    point_in_time_recovery: bool = False
    """Whether the table can be put back to a moment of the last 35 days. Off by default: a lease is worth
    nothing a minute later, and in an older table the fencing numbers still grow, since they follow the clock.
    """
    tags: Mapping[str, str] = field(default_factory=dict)
    """Put on the table; none by default."""

    @all_mistakes
    def __post_init__(self) -> None:
        check_tags("tags", self.tags)
        check_table_name("table_name", self.table_name)


class LeaseTable(pulumi.ComponentResource):
    """A table on demand: a lease costs a write every ten seconds, and a waiting task a read every two."""

    table_name: pulumi.Output[str]
    """The table's name."""
    table_arn: pulumi.Output[str]
    """The table's ARN."""

    def __init__(self, name: str, args: LeaseTableArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(LEASE_TABLE, name, {"tableName": args.table_name}, opts)
        table = aws.dynamodb.Table(
            f"{name}-table",
            name=args.table_name,
            attributes=[{"name": LEASE_KEY, "type": "S"}],
            billing_mode="PAY_PER_REQUEST",
            deletion_protection_enabled=args.deletion_protection,
            hash_key=LEASE_KEY,
            point_in_time_recovery={"enabled": args.point_in_time_recovery},
            tags=args.tags,
            # What AWS protects Pulumi protects: a run that would delete it is refused by its preview.
            opts=pulumi.ResourceOptions(parent=self, protect=args.deletion_protection),
        )
        self.table_name = table.name
        self.table_arn = table.arn
        self.register_outputs({"table_name": self.table_name, "table_arn": self.table_arn})
