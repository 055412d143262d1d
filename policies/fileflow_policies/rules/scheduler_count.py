"""A scheduler runs exactly one task, and nothing changes that number behind the program's back.

Schedulers read an outbox; two at once process a message twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from ..neighbours import EcsView, ecs_view
from ..pauses import HOW_TO_PAUSE, why_not_paused
from ..recognition import Standing, is_guides_name
from ..resources import ECS_SERVICE, SCHEDULER_COMPONENT, Resource, Stack
from ..rule import FILEFLOW, Catalogue, Finding, Framework, Settings, service_check
from ..templates import made_by_templates, makes
from ..values import Value

catalogue: Final = Catalogue()

_GUIDE: Final = Framework(FILEFLOW, "Desired Count = 1")
_SERVICE_URL: Final = (
    "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service_definition_parameters.html"
)
_SCALING_URL: Final = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-auto-scaling.html"

_SCALING_TARGET: Final = "aws:appautoscaling/target:Target"
_SCALING_PLAN: Final = "aws:autoscalingplans/scalingPlan:ScalingPlan"
SCALING_TYPES: Final = (
    _SCALING_TARGET,
    "aws:appautoscaling/policy:Policy",
    "aws:appautoscaling/scheduledAction:ScheduledAction",
    _SCALING_PLAN,
)


@catalogue.service(
    SCHEDULER_COMPONENT,
    name="scheduler-desired-count",
    description=(
        "a scheduler runs exactly one task, because two would process the same message twice, and none only "
        "while it is paused for a reason"
    ),
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation=(
        "Set desiredCount to the number 1 on the service, in plain text rather than from another resource's "
        "output. Leaving it out means 0 tasks. Or use the SchedulerService component, which has no such "
        f"argument. To have none for a while set it to 0 and {HOW_TO_PAUSE}; all else stays as it is."
    ),
    url=_SERVICE_URL,
    tags=("scheduler", "ecs"),
    locked=True,
    scheduler=True,
)
@service_check
def desired_count(service: Resource, standing: Standing, _settings: Settings) -> Iterator[Finding]:
    """Only an explicit 1 passes for a scheduler, or an explicit 0 while it is paused.

    One that only looks like a scheduler may also leave it out.
    """
    count = service["desiredCount"]
    unpaused = why_not_paused(service) if count.integer() == 0 else ""
    if unpaused is None:
        return
    zero = f" and {unpaused}" if unpaused else ""
    otherwise = f", or {HOW_TO_PAUSE}" if count.integer() == 0 else ""
    if service.type == SCHEDULER_COMPONENT:
        # The component has no such argument; a copy of it that grew one is held to the rule too.
        if not count.missing and count.integer() != 1:
            yield Finding(f"desiredCount is {count.shown()}", "take desiredCount off the component")
    elif standing.is_scheduler:
        if count.integer() != 1:
            daemon = service["schedulingStrategy"].text() == "DAEMON"
            yield Finding(
                f"desiredCount is {count.shown()}{zero}"
                + (" and schedulingStrategy is DAEMON" if daemon else ""),
                "set desiredCount to 1"
                + (" and schedulingStrategy to REPLICA" if daemon else "")
                + otherwise,
            )
    elif standing.is_suspected and not count.missing and count.integer() != 1:
        yield Finding(
            f"desiredCount is {count.shown()}{zero} and {standing.evidence}",
            f"set desiredCount to 1, or declare what the service is{otherwise}",
            advisory=count.unknown,
        )


@catalogue.service(
    name="scheduler-replica-strategy",
    description="a scheduler is a REPLICA service, because DAEMON runs one task on every instance",
    severity=Severity.HIGH,
    framework=_GUIDE,
    remediation="Set schedulingStrategy to REPLICA, or leave it out.",
    url=_SERVICE_URL,
    tags=("scheduler", "ecs"),
    scheduler=True,
)
@service_check
def replica_strategy(service: Resource, standing: Standing, _settings: Settings) -> Iterator[Finding]:
    """Left out is REPLICA."""
    strategy = service["schedulingStrategy"]
    if standing.is_scheduler and not strategy.missing and strategy.text() != "REPLICA":
        yield Finding(f"schedulingStrategy is {strategy.shown()}", "set schedulingStrategy to REPLICA")


def _scaling_by_name(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """By the component that the target sits in, and by the deployment guide's names."""
    inside = next((c for c in settings.recognition.all_components if resource.in_component(c)), None)
    for scaled in _scaled(resource):
        name = _service_in(scaled)
        if inside is not None:
            yield Finding(
                f"{scaled.path} is {scaled.shown()} inside a {inside}",
                "take the autoscaling away; a scheduler's count is 1",
            )
        elif name is not None and is_guides_name(name):
            yield Finding(
                f"{scaled.path} is {scaled.shown()}, a scheduler's",
                "take the autoscaling away; a scheduler's count is 1",
            )


def _scaling_by_reference(stack: Stack, settings: Settings) -> Iterator[Finding]:
    """By the services that the resource id names or depends on."""
    view = ecs_view(stack, settings.recognition)
    if not view.schedulers:
        return
    for resource in stack.of(*SCALING_TYPES):
        if list(_scaling_by_name(resource, settings)) or not _may_scale_ecs(resource):
            continue
        for scaled in _scaled(resource):
            problem = _problem(scaled, resource, view)
            if problem is not None and not _has_target(resource, stack):
                what, advisory = problem
                yield Finding(
                    f"{scaled.path} is {scaled.shown()}{what}",
                    "name the service that is scaled in plain text"
                    if advisory
                    else "take the autoscaling off the scheduler",
                    resource,
                    advisory,
                )
                break
    for template, inner in made_by_templates(stack):
        for scaled in _scaled(inner) if inner.canonical_type in SCALING_TYPES else ():
            if _service_in(scaled) in view.scheduler_names:
                yield Finding(
                    f"{makes(template, inner)}{scaled.path} is {scaled.shown()}, a scheduler of this stack",
                    "take the autoscaling off the scheduler",
                    template,
                )


def _has_target(resource: Resource, stack: Stack) -> bool:
    """Whether it is a policy or action of a scalable target in the stack, which is judged itself."""
    if resource.canonical_type in (_SCALING_TARGET, _SCALING_PLAN):
        return False
    scaled = resource["resourceId"].text()
    referenced = stack.referenced(resource, "resourceId")
    return any(
        target in referenced or (scaled is not None and target["resourceId"].text() == scaled)
        for target in stack.of(_SCALING_TARGET)
    )


def _problem(scaled: Value, resource: Resource, view: EcsView) -> tuple[str, bool] | None:
    name = _service_in(scaled)
    if name is not None:
        return (", a scheduler of this stack", False) if name in view.scheduler_names else None
    if scaled.known and scaled.text() is not None:
        return None  # something else than an ECS service
    services = _scaled_services(resource, view)
    if any(view.is_scheduler(service) for service in services):
        return " and comes from a scheduler", False
    return None if services else (", and it doesn't show which service", True)


catalogue.both(
    *SCALING_TYPES,
    name="scheduler-no-autoscaling",
    description="nothing scales a scheduler, because its count is always one",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation=(
        "Take the scalable target, its policies and scheduled actions away from the scheduler. For another "
        "service, build resourceId from that service's name, so that it shows which service is scaled."
    ),
    url=_SCALING_URL,
    tags=("scheduler", "ecs", "application-auto-scaling"),
    scheduler=True,
)((_scaling_by_name, _scaling_by_reference))


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
            if other.canonical_type in SCALING_TYPES:
                queue.append(other)
            elif other.canonical_type == ECS_SERVICE:
                services.append(other)
    return services
