"""A scheduler takes no traffic from outside the VPC."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from ..recognition import service_evidence
from ..resources import ECS_SERVICE, SCHEDULER_COMPONENT, Resource
from ..rule import FILEFLOW, Catalogue, Finding, Framework, Settings

catalogue: Final = Catalogue()

_GUIDE: Final = Framework(FILEFLOW, "Load Balancer 없음")


@catalogue.resource(
    ECS_SERVICE,
    SCHEDULER_COMPONENT,
    name="scheduler-no-load-balancer",
    description=(
        "a scheduler takes no outside traffic, so no load balancer and no VPC Lattice target group is "
        "attached to it"
    ),
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation=(
        "Take loadBalancers and vpcLatticeConfigurations off the service. Prometheus reads the Actuator "
        "port inside "
        "the VPC by ECS discovery and needs neither."
    ),
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-load-balancing.html",
    tags=("scheduler", "ecs", "elbv2", "vpc-lattice"),
    locked=True,
)
def no_load_balancer(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """An attachment that can't be read counts as one."""
    if not service_evidence(resource, settings.recognition):
        return
    for name in ("loadBalancers", "vpcLatticeConfigurations"):
        value = resource[name]
        if not value.surely_empty:
            yield Finding(f"{name} is {value.shown()}", f"take {name} off the scheduler")
