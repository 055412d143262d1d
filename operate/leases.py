"""Who holds a scheduler's lease, by the table that its guard writes.

Owns where the lease is, which the revision's command says, and what the item means. Doesn't own what is wrong
about it (`operate.findings`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from components.names import GUARD, LEASE_KEY
from operate.aws import Aws


@dataclass(frozen=True, kw_only=True)
class HeldLease:
    """A lease, and who holds it: a task's ARN, mostly; None where nobody does, or nobody may ask."""

    table_name: str
    key: str
    holder: str | None
    fencing_token: int | None


def lease_of(aws: Aws, containers: Sequence[Mapping[str, Any]]) -> HeldLease | None:
    """The lease that a revision's main container works under; None where it has none."""
    for container in containers:
        words = container.get("entryPoint") or []
        if words[:2] == [GUARD, "run"]:
            named = dict(zip(words[2::2], words[3::2], strict=False))
            return _asked(aws, named["--table"], named["--key"])
    return None


def _asked(aws: Aws, table_name: str, key: str) -> HeldLease:
    try:
        answer = aws.client("dynamodb").get_item(
            TableName=table_name, Key={LEASE_KEY: {"S": key}}, ConsistentRead=True
        )
    except ClientError:
        answer = {}
    item = answer.get("Item", {})
    held = item.get("Held", {}).get("BOOL", False)
    return HeldLease(
        table_name=table_name,
        key=key,
        holder=item["Holder"]["S"] if held else None,
        fencing_token=int(item["Fencing"]["N"]) if "Fencing" in item else None,
    )
