"""Nothing but its one service starts a scheduler's task.

Owns the ways to a second task: task sets, EventBridge, Scheduler, Pipes and Step Functions, other kinds of
service, templates and commands. Deliberately not a second container or service (`scheduler_copies`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import Severity

from ..clocks import says_scheduler
from ..commands import COMMAND_TYPES, call_in, template_deployment_in, texts_of, words_of
from ..containers import (
    container_of,
    image_of,
    read_containers,
    work_of,
)
from ..json_text import read
from ..launches import LAUNCHER_TYPES, Launch, launches
from ..neighbours import EcsView, ecs_view
from ..recognition import (
    SCHEDULER,
    command_evidence,
    declared_role,
    family_of,
    image_evidence,
    is_guides_name,
    launched_evidence,
    standing_of,
)
from ..resources import ECS_EXPRESS, ECS_SERVICE, ECS_TASK_DEFINITION, Resource, Stack
from ..rule import FILEFLOW, Catalogue, Finding, Framework, Settings
from ..templates import TEMPLATE_TYPES, made_by_templates, makes, read_template
from ..values import Value
from .scheduler_count import SCALING_TYPES

catalogue: Final = Catalogue()

_GUIDE: Final = Framework(FILEFLOW, "중복 실행 방지")
_OTHER_KINDS: Final = (
    ECS_EXPRESS,
    "aws:ecs/daemon:Daemon",
    "aws:ecs/daemonTaskDefinition:DaemonTaskDefinition",
)
_PRODUCT: Final = "aws:servicecatalog/provisionedProduct:ProvisionedProduct"
_BATCH_JOB: Final = "aws:batch/jobDefinition:JobDefinition"
_LAUNCH_FIX: Final = "take it away, or let it start something else than the scheduler"


# -- launchers -----------------------------------------------------------------------------------------------


def _launched_by_name(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """By the component around it, by the guide's names, and by the command that a task is started with."""
    inside = next((c for c in settings.recognition.all_components if resource.in_component(c)), None)
    if inside is not None:
        yield Finding(f"it is part of a {inside}", "take it away; only the service starts the task")
        return
    for launch in launches(resource):
        name = _subject(launch.subject)
        if name is not None and is_guides_name(name):
            yield Finding(f"{launch.subject.path} is {launch.subject.shown()}, a scheduler's", _LAUNCH_FIX)
            return
        for override in launch.overrides:
            found = next(
                (text for weight, text in command_evidence(override, settings.recognition) if weight), None
            )
            if found is not None:
                yield Finding(f"it starts a task as a scheduler: {found}", _LAUNCH_FIX)
                return


def _subject(value: Value) -> str | None:
    """The family or the service that a launch names."""
    text = value.text()
    return family_of(text).rsplit("/", 1)[-1] if text else None


def _launched_by_reference(stack: Stack, settings: Settings) -> Iterator[Finding]:
    """By what the reference depends on, and by the families and services of this stack."""
    view = ecs_view(stack, settings.recognition)
    for resource in stack.of(*LAUNCHER_TYPES):
        if list(_launched_by_name(resource, settings)):
            continue
        found = _launch_problem(resource, view)
        if found is not None:
            what, advisory = found
            yield Finding(what, _LAUNCH_FIX, resource, advisory)
    for job in stack.of(_BATCH_JOB):
        if _works_as_scheduler([container_of(read(job["containerProperties"]))], view):
            yield Finding("its container runs the image and command of a scheduler", _LAUNCH_FIX, job)
    for template, inner in made_by_templates(stack):
        found = _problem_in_template(inner, view)
        if found is not None:
            what, advisory = found
            yield Finding(makes(template, inner) + what, _LAUNCH_FIX, template, advisory)


def _problem_in_template(inner: Resource, view: EcsView) -> tuple[str, bool] | None:
    """A template of the stack that starts a scheduler of the program beside it."""
    named = (_named_problem(launch, True, view) for launch in launches(inner))
    return next((problem for problem in named if problem is not None), None)


def _launch_problem(resource: Resource, view: EcsView) -> tuple[str, bool] | None:
    started = list(launches(resource))
    if not started:
        return None
    related = [
        other
        for other in view.stack.referenced(resource, *resource.property_dependencies)
        if other.canonical_type in (ECS_SERVICE, ECS_TASK_DEFINITION)
    ]
    for other in related:
        if view.is_scheduler(other):
            return f"it refers to {other.name}, a scheduler", False
        if other.canonical_type == ECS_TASK_DEFINITION and _is_schedulers(other, view):
            return f"it starts {other.name}, a scheduler's task definition", False
    for launch in started:
        found = _named_problem(launch, bool(related), view)
        if found is not None:
            return found
    return None


def _named_problem(launch: Launch, related: bool, view: EcsView) -> tuple[str, bool] | None:
    shown = f"{launch.subject.path} is {launch.subject.shown()}"
    name = _subject(launch.subject)
    tasks = view.tasks_by_family.get(name or "", ())
    if name in view.scheduler_names or any(_is_schedulers(task, view) for task in tasks):
        return f"{shown}, a scheduler's", False
    if not view.schedulers:
        return None
    for override in launch.overrides:
        found = next(
            (text for weight, text in command_evidence(override, view.recognition) if weight is not False),
            None,
        )
        if found is not None:
            return f"it starts a task as a scheduler: {found}", False
    if launch.computed:
        return f"{shown}, worked out when it runs, and this stack has a scheduler", False
    if not launch.subject.known and not related:
        return f"{shown}, and it shows no task definition of this stack", launch.subject.unknown
    return None


def _is_schedulers(task: Resource, view: EcsView) -> bool:
    return (
        task["family"].text() in view.scheduler_families
        or bool(launched_evidence(task, view.recognition))
        or _works_as_scheduler(read_containers(task).containers, view)
    )


def _works_as_scheduler(containers: Sequence[Value], view: EcsView) -> bool:
    """Whether one of the containers has a scheduler's image and command, under another name."""
    for container in containers:
        image = image_of(container)
        for service, _theirs, their_image, work in view.works:
            if (
                image is not None
                and view.is_scheduler(service)
                and image.same_as(their_image)
                and work_of(container) == work
            ):
                return True
    return False


catalogue.both(
    *LAUNCHER_TYPES,
    name="scheduler-no-second-launcher",
    description="nothing but its service starts or scales a scheduler's task",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation=(
        "Take the rule's target, the schedule, the pipe, the state, the job or the task set away, or point "
        "it at a task definition of this stack that isn't a scheduler's. A job that runs at set times gets a "
        "task definition of its own."
    ),
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/scheduling_tasks.html",
    tags=("scheduler", "ecs", "eventbridge", "step-functions"),
    scheduler=True,
)((_launched_by_name, _launched_by_reference))


# -- other kinds of service ----------------------------------------------------------------------------------


@catalogue.resource(
    *_OTHER_KINDS,
    name="scheduler-by-aws-service-only",
    description="a scheduler is an ECS service of one task, not an Express service nor a daemon",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation=(
        "Use aws.ecs.Service or the SchedulerService component. Express gateway services bring a load "
        "balancer and scale from 1 to 20 tasks, daemons run on every instance."
    ),
    url="https://www.pulumi.com/registry/packages/aws/api-docs/ecs/service/",
    tags=("scheduler", "ecs", "aws-native"),
    scheduler=True,
)
def by_aws_service_only(resource: Resource, settings: Settings) -> Iterator[Finding]:
    recognition = settings.recognition
    role = declared_role(resource, recognition)
    names = [(key, resource[key]) for key in ("serviceName", "name", "family")]
    containers = [*resource["primaryContainer"].items(), *read_containers(resource).containers]
    evidence = next(
        (found for c in containers if (found := image_evidence(c, names, recognition, role))), None
    )
    inside = next((c for c in recognition.all_components if resource.in_component(c)), None)
    if role == SCHEDULER:
        evidence = f"its tag {recognition.role_tag} is {SCHEDULER}"
    elif inside is not None:
        evidence = f"it is part of a {inside}"
    elif evidence is None and role is None:
        sounding = (value for _, value in names if recognition.names_scheduler(value.text() or ""))
        evidence = next((f"its {value.path} is {value.shown()}" for value in sounding), None)
    if evidence:
        yield Finding(
            f"its type is {resource.type.rsplit(':', 1)[-1]} and {evidence}", "make it by aws.ecs.Service"
        )


# -- templates -----------------------------------------------------------------------------------------------


@catalogue.resource(
    *TEMPLATE_TYPES,
    _PRODUCT,
    name="scheduler-not-in-template",
    description="no CloudFormation template makes, starts or scales a scheduler",
    severity=Severity.HIGH,
    framework=_GUIDE,
    remediation=(
        "Make the scheduler by aws.ecs.Service, where every rule can judge it. Services in a template "
        "declare their role by its tag, as others do."
    ),
    url="https://www.pulumi.com/docs/iac/adopting-pulumi/migrating-to-pulumi/from-cloudformation/",
    tags=("scheduler", "ecs", "cloudformation"),
    scheduler=True,
)
def not_in_template(resource: Resource, settings: Settings) -> Iterator[Finding]:
    if resource.canonical_type == _PRODUCT:
        yield from _product(resource, settings)
        return
    for inner in read_template(resource).resources:
        found = _in_template(inner, settings)
        if found is not None:
            what, fix = found
            yield Finding(makes(resource, inner) + what, fix)
            return


def _in_template(inner: Resource, settings: Settings) -> tuple[str, str] | None:
    recognition = settings.recognition
    if inner.canonical_type == ECS_SERVICE:
        standing = standing_of(inner, recognition, inner.memo.get("template tasks", ()))
        if standing.is_scheduler or standing.runs_scheduler or standing.is_suspected:
            return (
                standing.evidence or f"its tag {recognition.role_tag} is {SCHEDULER}",
                "make it by aws.ecs.Service",
            )
        if standing.role is None:
            return (
                f"an ECS service without the tag {recognition.role_tag}",
                f"tag it {recognition.role_tag} in the template, or make it by aws.ecs.Service",
            )
    elif inner.canonical_type in _OTHER_KINDS:
        found = next(iter(by_aws_service_only(inner, settings)), None)
        return (found.what, found.fix) if found else None
    elif inner.canonical_type in LAUNCHER_TYPES:
        found = next(iter(_launched_by_name(inner, settings)), None)
        return (found.what, found.fix) if found else None
    elif inner.canonical_type in SCALING_TYPES:
        scaled = inner["resourceId"]
        name = _subject(scaled)
        if name is not None and is_guides_name(name):
            return f"resourceId is {scaled.shown()}", "take the scaling away"
    return None


def _product(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """A product of Service Catalog is a template that nobody here can read."""
    for key in ("name", "productName"):
        value = resource[key]
        if value.text() and settings.recognition.names_scheduler(value.text() or ""):
            yield Finding(f"{key} is {value.shown()}", "make the scheduler by aws.ecs.Service")
            return
    for parameter in resource["provisioningParameters"].items():
        key_text = parameter["key"].text() or ""
        if "desiredcount" in key_text.replace("_", "").lower():
            yield Finding(
                f"it is given the parameter {parameter['key'].shown()}", "make the service by aws.ecs.Service"
            )
            return


@catalogue.resource(
    *TEMPLATE_TYPES,
    name="cloudformation-template-readable",
    description="a CloudFormation template is given as text, so that the rules can see what it makes",
    severity=Severity.MEDIUM,
    framework=_GUIDE,
    remediation=(
        "Give templateBody from a file of the program, and nested templates likewise. Where a template can "
        "only be named by URL, exempt the stack with a reason and an expiry date."
    ),
    url="https://www.pulumi.com/registry/packages/aws/api-docs/cloudformation/stack/",
    tags=("cloudformation",),
)
def template_readable(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    template = read_template(resource)
    if template.problem:
        yield Finding(template.problem, "give the template as text", advisory=template.unknown)


# -- commands ------------------------------------------------------------------------------------------------


def _commanded(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    """By the guide's names in the text, and where a template hides what is made."""
    words = [word for value in texts_of(resource) for word in words_of(value)]
    called = call_in(words)
    if called is not None and any(is_guides_name(word) for word in words):
        yield Finding(
            f"it calls {_shown(called, resource)} for a scheduler", "take the call out of the command"
        )
    elif (word := template_deployment_in(words)) is not None:
        yield Finding(
            f"it deploys a template of ECS ({_shown(word, resource)}), which no rule sees",
            "make the services by aws.ecs.Service",
        )


def _shown(word: str, resource: Resource) -> str:
    secret = any(value.secret for value in texts_of(resource))
    return "[secret]" if secret else word


def _commanded_in_stack(stack: Stack, settings: Settings) -> Iterator[Finding]:
    """By the names of this stack's schedulers, and by a name that says so."""
    view = ecs_view(stack, settings.recognition)
    for resource in stack.of(*COMMAND_TYPES):
        if list(_commanded(resource, settings)):
            continue
        words = [word for value in texts_of(resource) for word in words_of(value)]
        called = call_in(words)
        if called is None:
            continue
        names = {word.rsplit("/", 1)[-1].partition(":")[0] for word in words}
        related = [
            other
            for other in stack.referenced(resource, *resource.property_dependencies)
            if view.is_scheduler(other)
            or (other.canonical_type == ECS_TASK_DEFINITION and _is_schedulers(other, view))
        ]
        known = names & (view.scheduler_names | view.scheduler_families)
        sounding = [name for name in names if says_scheduler(name) and name not in view.other_names]
        if related or known or sounding:
            yield Finding(
                f"it calls {_shown(called, resource)} for a scheduler",
                "take the call out of the command",
                resource,
            )


catalogue.both(
    *COMMAND_TYPES,
    name="scheduler-no-command",
    description="no command of the program starts or scales a scheduler",
    severity=Severity.HIGH,
    framework=_GUIDE,
    remediation=(
        "Take the call of ECS out of the command; services and their counts are the program's resources. "
        "`aws ecs update-service --force-new-deployment` alone is fine."
    ),
    url="https://www.pulumi.com/registry/packages/command/",
    tags=("scheduler", "ecs", "command"),
    scheduler=True,
)((_commanded, _commanded_in_stack))
