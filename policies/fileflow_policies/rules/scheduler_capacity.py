"""Where a scheduler's task runs: on Fargate, and on Fargate Spot only when the scheduler opted in.

A Spot interruption stops the task for minutes. Whoever wants that for the price says so by a flag.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from ..neighbours import ecs_view
from ..recognition import SPOT_OPT_IN_TAG, service_evidence
from ..resources import ECS_CLUSTER, ECS_CLUSTER_CAPACITY_PROVIDERS, ECS_SERVICE, Resource, Stack
from ..rule import FILEFLOW, Catalogue, Finding, Framework, Settings

catalogue: Final = Catalogue()

_ON_DEMAND: Final = "set launchType to FARGATE and take capacityProviderStrategies off"


@catalogue.resource(
    ECS_SERVICE,
    name="scheduler-spot-opt-in",
    description="a scheduler runs on Fargate, and on Fargate Spot only with the opt-in flag",
    severity=Severity.HIGH,
    framework=Framework(FILEFLOW, "Fargate Spot 사용 (선택사항)"),
    remediation=(
        "Set launchType to FARGATE. To accept interruptions, set spot_opt_in on the SchedulerService "
        "component, or "
        f"tag the service {SPOT_OPT_IN_TAG}=true, and give capacityProviderStrategies with FARGATE_SPOT. "
        "With neither "
        "a launch type nor a strategy the cluster's default strategy applies, which may be Spot."
    ),
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html",
    tags=("scheduler", "ecs", "fargate", "spot"),
    locked=True,
)
def spot_opt_in(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Every entry counts, weight 0 too: a weight is changed without anyone looking at this rule again."""
    if not service_evidence(resource, settings.recognition):
        return
    strategies = resource["capacityProviderStrategies"]
    launch_type = resource["launchType"]
    if strategies.surely_empty:
        if launch_type.text() != "FARGATE":
            why = " and there is no capacity provider strategy" if launch_type.missing else ""
            yield Finding(f"launchType is {launch_type.shown()}{why}", _ON_DEMAND)
        return
    opted_in = opts_in_to_spot(resource)
    for strategy in strategies.items():
        provider = strategy["capacityProvider"]
        name = provider.text()
        if name == "FARGATE" or (name == "FARGATE_SPOT" and opted_in):
            continue
        if name == "FARGATE_SPOT":
            flag = resource.tag(SPOT_OPT_IN_TAG)
            yield Finding(
                f"{provider.path} is FARGATE_SPOT and the tag {SPOT_OPT_IN_TAG} is {flag.shown()}",
                f"{_ON_DEMAND}, or opt in by the tag {SPOT_OPT_IN_TAG}=true (component: spot_opt_in=True)",
            )
        else:
            yield Finding(f"{provider.path} is {provider.shown()}", _ON_DEMAND)


def opts_in_to_spot(resource: Resource) -> bool:
    """Whether the service says in plain text that it accepts interruptions."""
    return resource.tag(SPOT_OPT_IN_TAG).text() == "true"


@catalogue.stack(
    name="scheduler-cluster-default-capacity",
    description="the default capacity of a cluster that runs a scheduler isn't Spot",
    severity=Severity.HIGH,
    framework=Framework(FILEFLOW, "Fargate Spot 사용 (선택사항)"),
    remediation=(
        "Give the cluster's default capacity provider strategy FARGATE alone. Services that want Spot name "
        "it "
        "themselves."
    ),
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html",
    tags=("scheduler", "ecs", "fargate", "spot"),
    locked=True,
)
def cluster_default_capacity(stack: Stack, settings: Settings) -> Iterator[Finding]:
    """A scheduler that someone recreates by hand, without a launch type, takes the cluster's default."""
    view = ecs_view(stack, settings.recognition)
    bound = [service for service in view.scheduler_services if not opts_in_to_spot(service)]
    if not bound:
        return
    clusters = {c.urn_text for service in bound for c in view.clusters_of(service)}
    placed_elsewhere = all(view.clusters_of(service) for service in bound)
    for resource in stack.of(ECS_CLUSTER, ECS_CLUSTER_CAPACITY_PROVIDERS):
        own = (
            {resource.urn_text}
            if resource.canonical_type == ECS_CLUSTER
            else {c.urn_text for c in view.clusters_of(resource, "clusterName")}
        )
        if own and placed_elsewhere and not own & clusters:
            continue
        for strategy in resource["defaultCapacityProviderStrategies"].items():
            provider = strategy["capacityProvider"]
            if provider.text() != "FARGATE":
                yield Finding(
                    f"{provider.path} is {provider.shown()}, and the cluster runs a scheduler",
                    "set the default strategy to FARGATE alone",
                    resource,
                )
