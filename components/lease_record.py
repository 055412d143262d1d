"""What the guard writes into the table of leases, read back: who holds a lease.

Owns the item's meaning. Doesn't own its form, which is the guard's (`guard/table`), nor what is wrong about a
holder. Needs no Pulumi, so that the runbook's commands start without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from components.names import LEASE_KEY


@dataclass(frozen=True, kw_only=True)
class HeldLease:
    """A lease, and who holds it: None where nobody does, or where that isn't known."""

    table_name: str
    key: str
    holder: str | None = None
    """As its guard calls itself: a task's ARN, mostly."""
    fencing_token: int | None = None
    is_known: bool = True
    """Whether the table could be asked."""
    table_is_gone: bool = False

    @property
    def task(self) -> str | None:
        """The holder's task; None for a guard that couldn't learn its own: it calls itself by its host."""
        return self.holder if self.holder is not None and self.holder.startswith("arn:") else None


def read_lease(dynamodb: Any, table_name: str, key: str) -> HeldLease:
    """The lease as it is after every write that has happened. Raises what the client `dynamodb` raises."""
    item = dynamodb.get_item(TableName=table_name, Key={LEASE_KEY: {"S": key}}, ConsistentRead=True).get(
        "Item", {}
    )
    held = item.get("Held", {}).get("BOOL", False)
    return HeldLease(
        table_name=table_name,
        key=key,
        holder=(item.get("Holder", {}).get("S") or None) if held else None,
        fencing_token=int(item["Fencing"]["N"]) if "Fencing" in item else None,
    )
