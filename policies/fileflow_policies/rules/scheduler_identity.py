"""Every ECS service says which role it plays, and what it says fits what it runs.

So dropping a tag or a name doesn't hide a scheduler: a service of no known role is refused, a scheduler by
other evidence must say so, and a service whose task definition is a scheduler's can't pass as something else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from ..containers import read_containers
from ..neighbours import ecs_view
from ..recognition import (
    DEFAULT_ROLES,
    DEFAULT_SCHEDULER_COMMANDS,
    DEFAULT_SCHEDULER_NAMES,
    DEFAULT_SCHEDULER_PORTS,
    ROLE_TAG,
    SCHEDULER,
    declared_role,
    service_evidence,
    task_evidence,
)
from ..resources import (
    ECS_SERVICE,
    NATIVE_ECS_SERVICE,
    SCHEDULER_COMPONENT,
    TASK_DEFINITION_TYPES,
    Resource,
    Stack,
)
from ..rule import FILEFLOW, Catalogue, Finding, Framework, Settings, Threshold

catalogue: Final = Catalogue()

_GUIDE: Final = Framework(FILEFLOW, "개요")
_TEXTS: Final = {"type": "array", "items": {"type": "string", "minLength": 1}}
_TAGGING_URL: Final = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html"


@catalogue.resource(
    ECS_SERVICE,
    NATIVE_ECS_SERVICE,
    name="ecs-service-role",
    description=(
        f"every ECS service declares its role by the tag {ROLE_TAG}, and a scheduler declares {SCHEDULER}"
    ),
    severity=Severity.HIGH,
    framework=_GUIDE,
    remediation=(
        f"Tag the service {ROLE_TAG} with one of the known roles. More roles are added by this rule's "
        "setting "
        "roles; the other settings say by what else a scheduler is recognised."
    ),
    url=_TAGGING_URL,
    tags=("scheduler", "ecs", "tagging"),
    locked=True,
    thresholds={
        "roles": Threshold(
            list(DEFAULT_ROLES),
            {**_TEXTS, "minItems": 1},
            "roles that a service may declare",
        ),
        "schedulerNames": Threshold(
            list(DEFAULT_SCHEDULER_NAMES),
            {**_TEXTS, "minItems": 1},
            "patterns for the names of a scheduler's service, family, container and image",
        ),
        "schedulerPorts": Threshold(
            list(DEFAULT_SCHEDULER_PORTS),
            {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 65535}},
            "ports that only schedulers listen on",
        ),
        "schedulerCommands": Threshold(
            list(DEFAULT_SCHEDULER_COMMANDS),
            _TEXTS,
            "patterns for the command line of a scheduler's container",
        ),
        "schedulerComponents": Threshold(
            [SCHEDULER_COMPONENT],
            _TEXTS,
            "type tokens of components that make schedulers",
        ),
    },
)
def service_role(resource: Resource, settings: Settings) -> Iterator[Finding]:
    role = declared_role(resource)
    text = role.text()
    roles = settings.recognition.roles
    if text is None or text not in roles:
        yield Finding(
            f"tags.{ROLE_TAG} is {role.shown()}", f"tag the service {ROLE_TAG} with one of {', '.join(roles)}"
        )
    elif text != SCHEDULER:
        evidence = service_evidence(resource, settings.recognition)
        if evidence:
            yield Finding(
                f"tags.{ROLE_TAG} is {role.shown()} and {evidence[0]}",
                f"tag the service {ROLE_TAG}={SCHEDULER}, or rename what makes it look like one",
            )


@catalogue.stack(
    name="scheduler-declared-by-service",
    description="a service that runs a scheduler's task definition is itself declared as a scheduler",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation=(
        f"Tag the service {ROLE_TAG}={SCHEDULER}, so that the scheduler rules hold for it; or rename the "
        "family, "
        "container or port of the task definition when it isn't a scheduler's."
    ),
    url=_TAGGING_URL,
    tags=("scheduler", "ecs", "tagging"),
    locked=True,
)
def declared_by_service(stack: Stack, settings: Settings) -> Iterator[Finding]:
    view = ecs_view(stack, settings.recognition)
    for service in view.scheduler_services:
        if service_evidence(service, settings.recognition):
            continue
        for task in view.tasks_of(service, "taskDefinition"):
            evidence = task_evidence(task, settings.recognition)
            if evidence:
                yield Finding(
                    f"its task definition {task.name} is a scheduler's ({evidence[0]})",
                    f"tag the service {ROLE_TAG}={SCHEDULER}",
                    service,
                )
                break


@catalogue.resource(
    *TASK_DEFINITION_TYPES,
    name="ecs-task-definition-readable",
    description="a task definition's containers can be read at preview, because anything could hide in them",
    severity=Severity.HIGH,
    framework=_GUIDE,
    remediation=(
        "containerDefinitions is one JSON text, so one unknown value hides all of it. Build it from names "
        "that "
        "the program gives itself: image digests, log group names, and secrets by name; not from the ARNs of "
        "resources that don't exist yet."
    ),
    url="https://www.pulumi.com/docs/iac/concepts/inputs-outputs/",
    tags=("scheduler", "ecs"),
    locked=True,
)
def task_definition_readable(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    """The one rule that reports an unreadable definition; the others then have nothing to judge."""
    problem = read_containers(resource).problem
    if problem:
        yield Finding(problem, "build containerDefinitions from values that are known at preview")
