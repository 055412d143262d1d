"""A scheduler runs exactly one task.

Schedulers read an outbox; two at once process a message twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from ..recognition import service_evidence
from ..resources import ECS_SERVICE, SCHEDULER_COMPONENT, Resource
from ..rule import FILEFLOW, Catalogue, Finding, Framework, Settings

catalogue: Final = Catalogue()

_GUIDE: Final = Framework(FILEFLOW, "Desired Count = 1")
_SERVICE_DOCS: Final = (
    "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service_definition_parameters.html"
)


@catalogue.resource(
    ECS_SERVICE,
    SCHEDULER_COMPONENT,
    name="scheduler-desired-count",
    description="a scheduler runs exactly one task, because two would process the same message twice",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation=(
        "Set desiredCount to the number 1 on the service, in plain text rather than from another resource's "
        "output. "
        "Leaving it out means 0 tasks. Or use the SchedulerService component, which has no such argument."
    ),
    url=_SERVICE_DOCS,
    tags=("scheduler", "ecs"),
    locked=True,
)
def desired_count(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Only an explicit 1 passes; an omitted count means that the scheduler never runs."""
    if not service_evidence(resource, settings.recognition):
        return
    count = resource["desiredCount"]
    if resource.type == SCHEDULER_COMPONENT:
        # The component has no such argument; a fork of it that grew one is held to the rule too.
        if not count.missing and count.integer() != 1:
            yield Finding(f"desiredCount is {count.shown()}", "take desiredCount off the component")
    elif count.integer() != 1:
        yield Finding(f"desiredCount is {count.shown()}", "set desiredCount to 1")
