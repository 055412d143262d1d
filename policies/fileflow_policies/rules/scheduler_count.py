"""A scheduler runs exactly one task, and nothing changes that number behind the program's back.

Schedulers read an outbox; two at once process a message twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from ..neighbours import EcsView, ecs_view
from ..recognition import Recognition, component_and_role_evidence, service_evidence
from ..resources import ECS_SERVICE, SCHEDULER_COMPONENT, Resource, Stack
from ..rule import FILEFLOW, Catalogue, Finding, Framework, Settings
from ..values import Value

catalogue: Final = Catalogue()

_GUIDE: Final = Framework(FILEFLOW, "Desired Count = 1")
_SERVICE_URL: Final = (
    "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service_definition_parameters.html"
)
_SCALING_URL: Final = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-auto-scaling.html"

_SCALING_PLAN: Final = "aws:autoscalingplans/scalingPlan:ScalingPlan"
_REFERENCE_FIX: Final = (
    "take the autoscaling off a scheduler; for another service, write service/CLUSTER/SERVICE in plain text "
    "or "
    "build it from the service's name"
)
_SCALING_TYPES: Final = (
    "aws:appautoscaling/target:Target",
    "aws:appautoscaling/policy:Policy",
    "aws:appautoscaling/scheduledAction:ScheduledAction",
    "aws-native:applicationautoscaling:ScalableTarget",
    "aws-native:applicationautoscaling:ScalingPolicy",
    _SCALING_PLAN,
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
        "output. Leaving it out means 0 tasks. Or use the SchedulerService component, which has no such "
        "argument."
    ),
    url=_SERVICE_URL,
    tags=("scheduler", "ecs"),
    locked=True,
)
def desired_count(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Only an explicit 1 passes; an omitted count means that the scheduler never runs."""
    if not service_evidence(resource, settings.recognition):
        return
    count = resource["desiredCount"]
    if resource.type == SCHEDULER_COMPONENT:
        # The component has no such argument; a copy of it that grew one is held to the rule too.
        if not count.missing and count.integer() != 1:
            yield Finding(f"desiredCount is {count.shown()}", "take desiredCount off the component")
    elif count.integer() != 1:
        yield Finding(f"desiredCount is {count.shown()}", "set desiredCount to 1")


@catalogue.resource(
    ECS_SERVICE,
    name="scheduler-replica-strategy",
    description="a scheduler is a REPLICA service, because DAEMON runs one task on every instance",
    severity=Severity.HIGH,
    framework=_GUIDE,
    remediation="Set schedulingStrategy to REPLICA.",
    url=_SERVICE_URL,
    tags=("scheduler", "ecs"),
    locked=True,
)
def replica_strategy(resource: Resource, settings: Settings) -> Iterator[Finding]:
    strategy = resource["schedulingStrategy"]
    if service_evidence(resource, settings.recognition) and strategy.text() != "REPLICA":
        yield Finding(f"schedulingStrategy is {strategy.shown()}", "set schedulingStrategy to REPLICA")


@catalogue.resource(
    *_SCALING_TYPES,
    name="scheduler-no-autoscaling",
    description="nothing scales a scheduler, because its count is always one",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation="Take the scalable target, its policies and scheduled actions away from the scheduler.",
    url=_SCALING_URL,
    tags=("scheduler", "ecs", "application-auto-scaling"),
    locked=True,
)
def no_autoscaling(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """By the name in the resource id, or by the component that the target sits in."""
    around = list(component_and_role_evidence(resource, settings.recognition))
    for scaled in _scaled(resource):
        named = _names_scheduler(scaled, settings.recognition)
        evidence = [*around, *(["it scales a scheduler"] if named else [])]
        if evidence:
            yield Finding(
                f"{scaled.path} is {scaled.shown()} and {evidence[0]}",
                "take the autoscaling away; a scheduler's count is 1",
            )


@catalogue.stack(
    name="scheduler-no-autoscaling-by-reference",
    description="nothing scales a scheduler, however the scalable target refers to it",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation=(
        "Take the scalable target away from the scheduler. For another service, build resourceId from that "
        "service's name, so that it shows which service is scaled."
    ),
    url=_SCALING_URL,
    tags=("scheduler", "ecs", "application-auto-scaling"),
    locked=True,
)
def no_autoscaling_by_reference(stack: Stack, settings: Settings) -> Iterator[Finding]:
    """By the services that the resource id depends on; an id that depends on no service fails."""
    view = ecs_view(stack, settings.recognition)
    for resource in stack.of(*_SCALING_TYPES):
        if list(no_autoscaling(resource, settings)) or not _may_scale_ecs(resource):
            continue
        for scaled in _scaled(resource):
            problem = _reference_problem(scaled, resource, view)
            if problem:
                yield Finding(f"{scaled.path} is {scaled.shown()}{problem}", _REFERENCE_FIX, resource)
                break


def _reference_problem(scaled: Value, resource: Resource, view: EcsView) -> str | None:
    name = _service_in(scaled)
    if name is not None:
        return ", a scheduler of this stack" if name in view.scheduler_names else None
    if scaled.known and scaled.text() is not None:
        return None  # something else than an ECS service
    services = _scaled_services(resource, view)
    if any(view.is_scheduler(service) for service in services):
        return " and comes from a scheduler"
    return None if services else " and comes from no service of this stack"


def _may_scale_ecs(resource: Resource) -> bool:
    if resource.canonical_type == _SCALING_PLAN:
        return any(block["serviceNamespace"].text() in (None, "ecs") for block in _instructions(resource))
    namespace = resource["serviceNamespace"]
    return not namespace.known or namespace.text() == "ecs"


def _instructions(resource: Resource) -> list[Value]:
    return resource["scalingInstructions"].items()


def _scaled(resource: Resource) -> list[Value]:
    """The ids of what a resource scales."""
    if resource.canonical_type == _SCALING_PLAN:
        return [block["resourceId"] for block in _instructions(resource)]
    return [resource["resourceId"]]


def _service_in(resource_id: Value) -> str | None:
    """The service's name in `service/CLUSTER/SERVICE`."""
    text = resource_id.text()
    return text.rsplit("/", 1)[-1] if text and text.startswith("service/") else None


def _names_scheduler(resource_id: Value, recognition: Recognition) -> bool:
    name = _service_in(resource_id)
    return name is not None and recognition.names_scheduler(name)


def _scaled_services(resource: Resource, view: EcsView) -> list[Resource]:
    """The services behind a resource id, through the scalable target that a policy takes it from."""
    services: list[Resource] = []
    seen: set[str] = set()
    queue = [resource]
    while queue:
        current = queue.pop()
        if current.urn_text in seen:
            continue
        seen.add(current.urn_text)
        for other in view.stack.referenced(current, "resourceId", "scalingInstructions"):
            if other.canonical_type in _SCALING_TYPES:
                queue.append(other)
            elif other in view.services:
                services.append(other)
    return services
