"""The pack takes a scheduler with a lease as it takes one without, and sees what works behind the guard."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.policies import compliant_stack
from tests.policies.harness import Recording, analyse, record
from tests.policies.rule_cases import SCHEDULER_TASK
from tests.unit import type_tokens as t
from tests.unit.builders import LEASE, record_scheduler


def with_lease(*, preview: bool, **main: Any) -> Recording:
    """The compliant stack, whose scheduler has the containers and volumes that a lease gives it."""
    recording = record(compliant_stack.program, preview=preview)
    task = recording[SCHEDULER_TASK].inputs
    component = record_scheduler(lease=LEASE).only(t.TASK_DEFINITION).inputs
    containers = json.loads(component["containerDefinitions"])
    containers[0] |= main
    task["containerDefinitions"] = json.dumps(containers)
    task["volumes"] = component["volumes"]
    recording.add("aws:dynamodb/table:Table", "leases", {"name": LEASE.table_name, "hashKey": "LeaseKey"})
    return recording


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_a_lease_brings_no_violation_and_needs_no_exemption(preview: bool) -> None:
    assert str(analyse(with_lease(preview=preview))) == ""


def test_a_guard_hides_nothing_of_a_scheduler() -> None:
    report = analyse(with_lease(preview=False, stopTimeout=600))

    assert {each.rule for each in report.violations} == {"scheduler-stop-timeout"}
