"""Elastic Load Balancing v2 by its model: refused where AWS refuses, and shown as AWS shows it.

Owns that it is served so, and that nothing is forwarded to simulated containers. Keeping records and tags,
and routing requests by them, is ministack's.
Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from typing import Any

from ministack.services import alb

from local.emulator.completions import (
    elbv2_listeners,
    elbv2_load_balancers,
    elbv2_rules,
    elbv2_target_groups,
)
from local.emulator.completions.ec2 import users
from local.emulator.completions.ecs_containers import simulated
from local.emulator.completions.elbv2_records import targets_of
from local.emulator.completions.patching import wrap
from local.emulator.completions.protocols import serve


def install() -> None:
    """Serves the control plane through its model."""
    wrap(alb, "find_lb_for_host", elbv2_load_balancers.of_any_account)
    wrap(alb, "_forward_to_tg", _forward)
    users.append(elbv2_load_balancers.uses)
    for each in (elbv2_load_balancers, elbv2_target_groups, elbv2_listeners, elbv2_rules):
        serve("elbv2", each.ACTIONS)


async def _forward(original: Any, group_arn: str, *request: Any) -> Any:
    """Says that nothing listens, instead of trying for long to reach a simulated container."""
    if simulated() and targets_of(group_arn):
        text = "503: the targets are simulated, no container engine runs them, so nothing listens there\n"
        return 503, {"Content-Type": "text/plain"}, text.encode()
    return await original(group_arn, *request)
