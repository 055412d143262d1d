"""What a month costs follows from the settings, and the README quotes it."""

from __future__ import annotations

import re

import pytest

from components.options import TaskSize
from tools import costs


def test_a_small_task_costs_its_share_of_a_vcpu_and_a_gib() -> None:
    month = costs.task_month(TaskSize(cpu=512, memory_mib=1024))
    assert month == pytest.approx((0.5 * 0.04656 + 1 * 0.00511) * 730)


def test_every_choice_but_endpoints_and_leases_is_cheaper_than_or_equal_to_what_is_configured() -> None:
    for stack in costs.STACKS:
        settings = costs.load(stack)
        configured = costs.month(settings).total
        for name, choice in costs.CHOICES.items():
            if name.startswith(("endpoints", "a lease")):
                continue
            assert costs.month(costs.with_choice(settings, **choice)).total <= configured, (stack, name)


def test_seven_interface_endpoints_in_two_zones_cost_more_than_a_nat_gateway() -> None:
    settings = costs.load("dev")
    with_endpoints = costs.month(costs.with_choice(settings, vpc_endpoints=True))

    assert with_endpoints.network - costs.month(settings).network == pytest.approx(7 * 2 * 0.013 * 730)
    assert with_endpoints.network > 2 * costs.month(settings).network


def test_a_lease_costs_a_write_every_ten_seconds_and_two_alarms() -> None:
    settings = costs.load("dev")
    leased = costs.month(costs.with_choice(settings, lease=True))

    one = 730 * 360 * 0.678e-6
    assert leased.total - costs.month(settings).total == pytest.approx(2 * (one + 2 * 0.10))


@pytest.mark.parametrize("readme", ["README.md", "README.ko.md"])
def test_the_readme_quotes_the_current_figures(readme: str) -> None:
    text = (costs.ROOT / readme).read_text(encoding="utf-8")
    for stack in costs.STACKS:
        settings = costs.load(stack)
        columns = ("as configured", "ARM64", "schedulers on Spot", "one NAT gateway")
        expected = [
            f"${costs.month(costs.with_choice(settings, **costs.CHOICES[column])).total:.0f}"
            for column in columns
        ]
        rows = [
            re.findall(r"\$\d+", line) for line in text.splitlines() if line.startswith(f"| `{stack}` | $")
        ]
        assert rows == [expected]
