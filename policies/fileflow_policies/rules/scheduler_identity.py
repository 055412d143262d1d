"""Every ECS service says which role it plays, and what it says fits what it runs.

The declared role decides. What is declared as something else and plainly is a scheduler is refused with the
evidence; what declares nothing is asked to, with what shows of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import Severity

from ..containers import Image, ports, read_containers
from ..neighbours import EcsView, ecs_view
from ..recognition import (
    DEFAULT_ROLES,
    NOT_A_SCHEDULER_TAG,
    REASON_AT_LEAST,
    ROLE_TAG,
    SCHEDULER,
    SPOT_OPT_IN_TAG,
    registered_tasks,
    standing_of,
)
from ..resources import ECS_SERVICE, ECS_TASK_DEFINITION, Resource, Stack
from ..rule import FILEFLOW, Catalogue, Finding, Framework, Settings, Threshold
from ..values import Value

catalogue: Final = Catalogue()

_GUIDE: Final = Framework(FILEFLOW, "개요")
_TEXTS: Final = {"type": "array", "items": {"type": "string", "minLength": 3}}
_TAG: Final = {"type": "string", "minLength": 1}
_TAGGING_URL: Final = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html"


@catalogue.resource(
    ECS_SERVICE,
    name="ecs-service-role",
    description="every ECS service declares its role by a tag",
    severity=Severity.HIGH,
    framework=_GUIDE,
    remediation=(
        f"Tag the service {ROLE_TAG} with one of the known roles: {', '.join(DEFAULT_ROLES)}. More roles are "
        "added by this rule's setting roles; the other settings say by what else a scheduler is "
        "recognised, on top of what the pack knows."
    ),
    url=_TAGGING_URL,
    tags=("scheduler", "ecs", "tagging"),
    scheduler=True,
    thresholds={
        "roleTag": Threshold(ROLE_TAG, _TAG, "the key of the tag by which a service declares its role"),
        "spotOptInTag": Threshold(
            SPOT_OPT_IN_TAG, _TAG, "the key of the tag by which a scheduler accepts interruptions"
        ),
        "notASchedulerTag": Threshold(
            NOT_A_SCHEDULER_TAG,
            _TAG,
            "the key of the tag that says, with its reason as the value, why a service is no scheduler",
        ),
        "roles": Threshold([], _TEXTS, f"roles that a service may declare beside {', '.join(DEFAULT_ROLES)}"),
        "schedulerNames": Threshold([], _TEXTS, "more patterns for names that sound like a scheduler's"),
        "schedulerPorts": Threshold(
            [],
            {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 65535}},
            "more ports that sound like a scheduler's, beside 9091 and 9092",
        ),
        "schedulerImages": Threshold([], _TEXTS, "more images of schedulers, as patterns of REPOSITORY:TAG"),
        "schedulerCommands": Threshold([], _TEXTS, "more patterns for the command line of a scheduler"),
        "schedulerComponents": Threshold([], _TEXTS, "more type tokens of components that make schedulers"),
    },
)
def service_role(resource: Resource, settings: Settings) -> Iterator[Finding]:
    recognition = settings.recognition
    standing = standing_of(resource, recognition)
    if standing.role is not None:
        return
    role = resource.tag(recognition.role_tag)
    roles = ", ".join(recognition.roles)
    if standing.evidence and standing.excuse is None:
        yield Finding(
            f"tags.{recognition.role_tag} is {role.shown()} and it looks like a scheduler: "
            f"{standing.evidence}",
            f"tag the service {recognition.role_tag}={SCHEDULER}, or with what it is: {roles}",
        )
    else:
        yield Finding(
            f"tags.{recognition.role_tag} is {role.shown()}",
            f"tag the service {recognition.role_tag} with one of {roles}",
        )


def _contradicted(service: Resource, tasks: Sequence[Resource], settings: Settings) -> Iterator[Finding]:
    recognition = settings.recognition
    standing = standing_of(service, recognition, tasks)
    if standing.is_contradicted:
        yield _contradiction(service, standing.role or "", standing.strong[0], settings)


def _contradiction(service: Resource, role: str, evidence: str, settings: Settings) -> Finding:
    tag, excuse = settings.recognition.role_tag, settings.recognition.not_a_scheduler_tag
    # With a load balancer it does other work for sure, and can't become a scheduler.
    tagged = f"tag the service {tag}={SCHEDULER}, or " if service["loadBalancers"].surely_empty else ""
    longer = "" if service.tag(excuse).missing else f", in {REASON_AT_LEAST} characters or more"
    return Finding(
        f"tags.{tag} is {service.tag(tag).shown_part(role)}, but {evidence}",
        f"{tagged}move what starts at set times into a service of its own, tagged {tag}={SCHEDULER}; if it "
        f"is none, say why by the tag {excuse}{longer}",
        service,
    )


def _contradicted_when_registered(service: Resource, settings: Settings) -> Iterator[Finding]:
    yield from _contradicted(service, registered_tasks(service), settings)


def _contradicted_by_neighbours(stack: Stack, settings: Settings) -> Iterator[Finding]:
    """By task definitions whose names were unknown, and by what declared schedulers run."""
    view = ecs_view(stack, settings.recognition)
    for service in view.services:
        tasks = view.tasks_of(service)
        standing = view.standing(service)
        if standing.is_contradicted:
            known = standing_of(service, settings.recognition)
            if not known.is_contradicted:
                yield from _contradicted(service, tasks, settings)
    yield from _copies(view, settings)


def _copies(view: EcsView, settings: Settings) -> Iterator[Finding]:
    """Services declared as something else that run what a declared scheduler runs."""
    declared = {service.urn_text for service in view.declared}
    done: set[str] = set()
    sole: dict[object, list[tuple[Resource, Value, Image, object]]] = {}
    for each in view.works:
        if each[0].urn_text in declared:
            sole.setdefault((each[2].repository, each[3]), []).append(each)
    for service, container, image, work in view.works:
        standing = view.standing(service)
        if standing.role is None or standing.is_scheduler or standing.strong or standing.excuse:
            continue
        for original, other, other_image, _work in sole.get((image.repository, work), ()):
            if service.urn_text in done or not image.same_as(other_image):
                continue
            if ports(container) != ports(other) and container["name"].text() != other["name"].text():
                continue  # one image of several programs, which the port tells apart
            done.add(service.urn_text)
            # Named with a tag here and by digest alone there, the two may be two things of one repository.
            certain = bool(image.tag) == bool(other_image.tag) and image.tag == other_image.tag
            found = _contradiction(
                service,
                standing.role,
                f"its container {container['name'].shown()} runs the image and command of {original.name}, a "
                "scheduler",
                settings,
            )
            yield Finding(found.what, found.fix, service, advisory=not certain)


catalogue.both(
    ECS_SERVICE,
    name="scheduler-declared-by-service",
    description="a service that plainly is a scheduler doesn't declare another role",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation=(
        f"Tag the service {ROLE_TAG}={SCHEDULER}, so that the scheduler rules hold for it. If the evidence "
        f"in the message is wrong, say why by the tag {NOT_A_SCHEDULER_TAG}, in {REASON_AT_LEAST} "
        "characters or more."
    ),
    url=_TAGGING_URL,
    tags=("scheduler", "ecs", "tagging"),
    scheduler=True,
)((_contradicted_when_registered, _contradicted_by_neighbours))


def _readable(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """On a task definition: unreadable for good, or unknown until the update."""
    if resource.canonical_type == ECS_SERVICE:
        yield from _readable_by_scheduler(resource, registered_tasks(resource), settings)
        return
    read = read_containers(resource)
    if read.problem:
        yield Finding(
            read.problem,
            "it is judged in the update"
            if read.unknown
            else "give containerDefinitions as a JSON list of containers",
            advisory=read.unknown,
        )


def _readable_by_scheduler(
    service: Resource, tasks: Sequence[Resource], settings: Settings
) -> Iterator[Finding]:
    if not standing_of(service, settings.recognition, tasks).is_scheduler:
        return
    for task in tasks:
        read = read_containers(task)
        if read.unknown:
            yield Finding(
                f"{read.problem} in its task definition {task.name}, and a scheduler can't be judged without",
                "build containerDefinitions from names and digests that the program knows",
                service,
            )


def _readable_in_stack(stack: Stack, settings: Settings) -> Iterator[Finding]:
    view = ecs_view(stack, settings.recognition)
    for service in view.services:
        if not registered_tasks(service):
            yield from _readable_by_scheduler(service, view.tasks_of(service), settings)


catalogue.both(
    ECS_TASK_DEFINITION,
    ECS_SERVICE,
    name="ecs-task-definition-readable",
    description="a task definition's containers can be read, because anything could hide in them",
    severity=Severity.HIGH,
    framework=_GUIDE,
    remediation=(
        "containerDefinitions is one JSON text, so one unknown value hides all of it. For a scheduler, build "
        "it from names that the program gives itself: image digests, log group names, and secrets by name. "
        "For other services an unknown text is advice, and judged in the update before the service is made."
    ),
    url="https://www.pulumi.com/docs/iac/concepts/inputs-outputs/",
    tags=("scheduler", "ecs"),
    scheduler=True,
)((_readable, _readable_in_stack))
