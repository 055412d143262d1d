"""Who holds a scheduler's lease, by the table that its guard writes.

Owns where the lease is, which the revision's command says. Doesn't own what its item means
(`components.lease_record`), nor what is wrong about it (`operate.findings`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from components.lease_record import HeldLease, read_lease
from components.names import GUARD
from operate.aws import Aws


def lease_of(aws: Aws, containers: Sequence[Mapping[str, Any]]) -> HeldLease | None:
    """The lease that a revision's main container works under; None where it has none."""
    for container in containers:
        words = container.get("entryPoint") or []
        if words[:2] == [GUARD, "run"]:
            named = dict(zip(words[2::2], words[3::2], strict=False))
            return _asked(aws, named["--table"], named["--key"])
    return None


def _asked(aws: Aws, table_name: str, key: str) -> HeldLease:
    client = aws.client("dynamodb")
    try:
        return read_lease(client, table_name, key)
    except client.exceptions.ResourceNotFoundException:
        return HeldLease(table_name=table_name, key=key, table_is_gone=True)
    except ClientError:
        return HeldLease(table_name=table_name, key=key, is_known=False)
