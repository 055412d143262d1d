"""Where a scheduler's task runs: on Fargate, and on Fargate Spot only when the scheduler opted in.

A Spot interruption stops the task for minutes. Whoever wants that for the price says so by a flag.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from ..recognition import SPOT_OPT_IN_TAG, Standing
from ..resources import Resource
from ..rule import FILEFLOW, Catalogue, Finding, Framework, Settings, service_check

catalogue: Final = Catalogue()

_ON_DEMAND: Final = "set launchType to FARGATE, or give capacityProviderStrategies with FARGATE alone"


@catalogue.service(
    name="scheduler-spot-opt-in",
    description="a scheduler runs on Fargate, and on Fargate Spot only with the opt-in flag",
    severity=Severity.HIGH,
    framework=Framework(FILEFLOW, "Fargate Spot 사용 (선택사항)"),
    remediation=(
        "Set launchType to FARGATE, or give capacityProviderStrategies with FARGATE alone. To accept "
        "interruptions, set spot_opt_in on the SchedulerService component, or tag the service "
        f"{SPOT_OPT_IN_TAG}=true, and give capacityProviderStrategies with FARGATE_SPOT. With neither a "
        "launch type nor a strategy the cluster's default strategy applies, which may be Spot."
    ),
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html",
    tags=("scheduler", "ecs", "fargate", "spot"),
    locked=True,
    scheduler=True,
)
@service_check
def spot_opt_in(service: Resource, standing: Standing, settings: Settings) -> Iterator[Finding]:
    """Every entry counts, weight 0 too: a weight is changed without anyone looking at this rule again."""
    if not standing.is_scheduler and not standing.is_suspected:
        return
    tag = settings.recognition.spot_opt_in_tag
    strategies = service["capacityProviderStrategies"]
    launch_type = service["launchType"]
    if strategies.surely_empty:
        if standing.is_scheduler and launch_type.text() != "FARGATE":
            why = " and there is no capacity provider strategy" if launch_type.missing else ""
            yield Finding(f"launchType is {launch_type.shown()}{why}", _ON_DEMAND)
        return
    opted_in = service.tag(tag).text() == "true"
    for strategy in strategies.items():
        provider = strategy["capacityProvider"]
        name = provider.text()
        if name == "FARGATE" or (name == "FARGATE_SPOT" and opted_in):
            continue
        if name == "FARGATE_SPOT":
            flag = service.tag(tag)
            looks = "" if standing.is_scheduler else f", and {standing.evidence}"
            yield Finding(
                f"{provider.path} is FARGATE_SPOT and the tag {tag} is {flag.shown()}{looks}",
                f"{_ON_DEMAND}, or opt in by the tag {tag}=true (component: spot_opt_in=True)",
            )
        elif standing.is_scheduler:
            yield Finding(f"{provider.path} is {provider.shown()}", _ON_DEMAND)
        elif provider.unknown:
            yield Finding(
                f"{provider.path} is {provider.shown()}, and {standing.evidence}", _ON_DEMAND, advisory=True
            )
