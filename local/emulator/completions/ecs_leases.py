"""What a lease's guard would write, for tasks whose containers are simulated.

No guard runs in a simulated container, so that nobody would hold a scheduler's lease, and what asks for the
holder would find nobody. Here a task takes the lease when it is RUNNING and gives it back when it has
stopped; where another running task has it, the task has it after that one. Simulated is the outcome alone: no
time passes, nothing is renewed, and a task that is gone holds nothing. With a real engine the guard itself
writes, and nothing here does. Doesn't own the table (ministack's DynamoDB), nor the guard's protocol.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import Any

from ministack.core.concurrency import resource_lock
from ministack.services import ecs

from local.emulator.completions.ecs_records import definition_of
from local.emulator.completions.inside import ask_json
from local.emulator.completions.patching import AwsError
from local.emulator.simulated_engine import PREFIX

GUARD, LEASE_KEY = "/lease/guard", "LeaseKey"
"""As `components.names` has them; the emulated AWS imports nothing of the program that it serves."""

NO_LEASE = {"name": f"{PREFIX}NO_LEASE", "value": "1"}
"""The variable of a container whose guard never has the lease, as without a way to DynamoDB."""


@dataclass(frozen=True)
class _Lease:
    table_name: str
    key: str

    @classmethod
    def of(cls, task: dict[str, Any]) -> _Lease | None:
        """The lease that a task's command names, and that its guard can have."""
        for container in definition_of(task).get("containerDefinitions", []):
            words = container.get("entryPoint") or []
            if words[:2] == [GUARD, "run"] and NO_LEASE not in container.get("environment", []):
                named = dict(zip(words[2::2], words[3::2], strict=False))
                return cls(table_name=named["--table"], key=named["--key"])
        return None

    def read(self) -> dict[str, Any]:
        """The item; empty where there is none, or no table."""
        key = {LEASE_KEY: {"S": self.key}}
        asked = {"TableName": self.table_name, "Key": key, "ConsistentRead": True}
        try:
            found: dict[str, Any] = ask_json("dynamodb", "GetItem", asked).get("Item", {})
        except AwsError:
            return {}
        return found

    def write(self, holder: str, fencing: int, *, held: bool) -> None:
        """Writes the item as the guard does; without a table nothing happens, as a guard would wait."""
        item = {
            LEASE_KEY: {"S": self.key},
            "Version": {"S": f"simulated/{time.time_ns()}"},
            "Session": {"S": "simulated"},
            "Holder": {"S": holder},
            "Fencing": {"N": str(fencing)},
            "Held": {"BOOL": held},
        }
        with contextlib.suppress(AwsError):
            ask_json("dynamodb", "PutItem", {"TableName": self.table_name, "Item": item})


def take_lease(task: dict[str, Any]) -> None:
    """Gives a running task the lease that it works under, where no other running task has it."""
    lease = _Lease.of(task)
    if lease is None:
        return
    with resource_lock("fileflow-lease", f"{lease.table_name}/{lease.key}"):
        item = lease.read()
        holder = ecs._tasks.get(item.get("Holder", {}).get("S")) or {}
        if item.get("Held", {}).get("BOOL") and holder.get("lastStatus", "STOPPED") != "STOPPED":
            return
        fencing = max(int(item.get("Fencing", {}).get("N", 0)) + 1, int(time.time()))
        lease.write(task["taskArn"], fencing, held=True)


def release_lease(task: dict[str, Any]) -> None:
    """Takes the lease from a task that has stopped, for the next one that waits for it."""
    lease = _Lease.of(task)
    if lease is None:
        return
    with resource_lock("fileflow-lease", f"{lease.table_name}/{lease.key}"):
        item = lease.read()
        if item.get("Holder", {}).get("S") == task["taskArn"]:
            lease.write(task["taskArn"], int(item["Fencing"]["N"]), held=False)
    for other in list(ecs._tasks.values()):
        if other.get("lastStatus") == "RUNNING" and _Lease.of(other) == lease:
            take_lease(other)
