"""Elastic Load Balancing v2 by its model: ministack's control plane loses what it doesn't know.

Owns that it is served so, and what becomes of a request to a load balancer: ministack's data plane routes it,
by the records that the modules beside this one keep.
Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from typing import Any

from ministack import app as ministack_app
from ministack.core import responses
from ministack.services import alb

from local.emulator.completions import (
    elbv2_listeners,
    elbv2_load_balancers,
    elbv2_records,
    elbv2_rules,
    elbv2_target_groups,
)
from local.emulator.completions.ec2 import users
from local.emulator.completions.ecs_containers import simulated
from local.emulator.completions.patching import replace, wrap
from local.emulator.completions.protocols import ModelledService, serve


def install() -> None:
    """Serves the control plane through its model."""
    replace(alb, "find_lb_for_host", _balancer_of_host)
    wrap(alb, "_forward_to_tg", _forward)
    users.append(elbv2_load_balancers.uses)
    served = serve(
        ModelledService("elbv2"),
        elbv2_records.ACTIONS
        | elbv2_load_balancers.ACTIONS
        | elbv2_target_groups.ACTIONS
        | elbv2_listeners.ACTIONS
        | elbv2_rules.ACTIONS,
        alb.handle_request,
    )
    ministack_app.SERVICE_HANDLERS["elasticloadbalancing"] = served


def _balancer_of_host(host: str) -> dict[str, Any] | None:
    """The load balancer of a DNS name, whoever asks: a request to it carries no account."""
    name = host.partition(":")[0].lower()
    for (account, region, _), balancer in elbv2_records.balancers.all_items():
        if balancer["DNSName"].lower() == name:
            responses.set_request_account_id(account)
            responses.set_request_region(region)
            found: dict[str, Any] = balancer
            return found
    return None


def _forward(original: Any) -> Any:
    """Says that nothing listens, instead of trying for long to reach a simulated container."""

    async def forward(group_arn: str, *request: Any) -> Any:
        if simulated() and elbv2_records.targets_of(group_arn):
            text = "503: the targets are simulated, no container engine runs them, so nothing listens there\n"
            return 503, {"Content-Type": "text/plain"}, text.encode()
        return await original(group_arn, *request)

    return forward
