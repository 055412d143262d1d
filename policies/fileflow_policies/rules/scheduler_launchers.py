"""Nothing but its one service starts a scheduler's task.

Owns the ways to a second task: task sets, EventBridge, Scheduler, Pipes and Step Functions, services made by
other providers or templates, commands, and a second service for the same work.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from ..containers import container_name, read_containers
from ..neighbours import EcsView, ecs_view, service_name, texts_within
from ..recognition import Recognition, component_and_role_evidence, family_of, service_evidence, task_evidence
from ..resources import (
    ECS_TASK_SET,
    NATIVE_ECS_SERVICE,
    NATIVE_ECS_TASK_DEFINITION,
    SERVICE_TYPES,
    TASK_DEFINITION_TYPES,
    Resource,
    Stack,
)
from ..rule import FILEFLOW, Catalogue, Finding, Framework, Settings
from ..values import Value

catalogue: Final = Catalogue()

_GUIDE: Final = Framework(FILEFLOW, "중복 실행 방지")

_EVENT_TARGET: Final = "aws:cloudwatch/eventTarget:EventTarget"
_SCHEDULE: Final = "aws:scheduler/schedule:Schedule"
_PIPE: Final = "aws:pipes/pipe:Pipe"
_STATE_MACHINE: Final = "aws:sfn/stateMachine:StateMachine"
_LAUNCHERS: Final = (_EVENT_TARGET, _SCHEDULE, _PIPE, _STATE_MACHINE, ECS_TASK_SET)

_FOREIGN_TYPES: Final = (
    NATIVE_ECS_SERVICE,
    NATIVE_ECS_TASK_DEFINITION,
    "aws-native:ecs:TaskSet",
    "aws-native:ecs:PrimaryTaskSet",
    "aws-native:ecs:ExpressGatewayService",
    "aws-native:ecs:Daemon",
    "aws:ecs/expressGatewayService:ExpressGatewayService",
    "aws:ecs/daemon:Daemon",
    "aws:ecs/daemonTaskDefinition:DaemonTaskDefinition",
)
_CLOUD_CONTROL: Final = "aws:cloudcontrol/resource:Resource"
_TEMPLATE_TYPES: Final = (
    "aws:cloudformation/stack:Stack",
    "aws:cloudformation/stackSet:StackSet",
    "aws-native:cloudformation:Stack",
    "aws-native:cloudformation:StackSet",
)
_COMMAND_TYPES: Final = ("command:local:Command", "command:remote:Command")

_STARTS_TASKS_IN_TEMPLATE: Final = re.compile(
    r"AWS::ECS::(?:Service|TaskSet|PrimaryTaskSet|ExpressGatewayService|Daemon)"
    r"|AWS::ApplicationAutoScaling::\w+|EcsParameters|ecs:runTask|ecs:updateService",
    re.IGNORECASE,
)
_STARTS_TASKS_IN_COMMAND: Final = re.compile(
    r"\becs\b[^|;&]*\b(?:run-task|start-task|create-service|update-service|create-task-set|update-task-set)\b"
    r"|\b(?:run_task|start_task|create_service|update_service|create_task_set)\s*\("
    r"|\bRunTask\b|\bUpdateService\b",
    re.DOTALL,
)
_STARTS_TASKS_IN_STATES: Final = re.compile(
    r"ecs:runTask|aws-sdk:ecs:(?:runTask|startTask|createService|updateService|createTaskSet)", re.IGNORECASE
)
_UNIVERSAL_TARGET: Final = re.compile(
    r"aws-sdk:ecs:(?:runTask|startTask|createService|updateService|createTaskSet)", re.IGNORECASE
)


def _task_references(resource: Resource) -> list[Value]:
    """Where a launcher names the task definition that it starts; empty when it starts no ECS task."""
    kind = resource.canonical_type
    if kind == _EVENT_TARGET:
        return [block["taskDefinitionArn"] for block in resource["ecsTarget"].items()]
    if kind == _SCHEDULE:
        blocks = resource["target"]["ecsParameters"].items()
        return [block["taskDefinitionArn"] for block in blocks]
    if kind == _PIPE:
        blocks = resource["targetParameters"]["ecsTaskParameters"].items()
        return [block["taskDefinitionArn"] for block in blocks]
    if kind == ECS_TASK_SET:
        return [resource["taskDefinition"], resource["service"]]
    return []


def _names_a_scheduler(reference: Value, recognition: Recognition) -> bool:
    text = reference.text()
    if text is None:
        return False
    return recognition.names_scheduler(family_of(text)) or recognition.names_scheduler(
        text.rsplit("/", 1)[-1]
    )


@catalogue.resource(
    *_LAUNCHERS,
    name="scheduler-no-second-launcher",
    description="nothing but its service starts a scheduler's task",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation=(
        "Take the rule's target, the schedule, the pipe, the state or the task set away. A job that runs at "
        "set "
        "times gets a task definition of its own."
    ),
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/scheduling_tasks.html",
    tags=("scheduler", "ecs", "eventbridge", "step-functions"),
    locked=True,
)
def no_second_launcher(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """By a name that is known; references are followed by the stack rule."""
    evidence = list(component_and_role_evidence(resource, settings.recognition))
    if evidence:
        yield Finding(evidence[0], "take it away; only the service starts the task")
        return
    for reference in _task_references(resource):
        if _names_a_scheduler(reference, settings.recognition):
            yield Finding(
                f"{reference.path} is {reference.shown()}, a scheduler's",
                "start another task, or take it away",
            )
            return
    for text in _launch_texts(resource):
        if any(settings.recognition.names_scheduler(word) for word in _names_in(text)):
            yield Finding("it calls ECS for a scheduler", "start another task, or take it away")
            return


def _launch_texts(resource: Resource) -> Iterator[str]:
    """Free text by which a launcher calls ECS: a state machine's definition, a universal target's input."""
    if resource.canonical_type == _STATE_MACHINE:
        text = resource["definition"].text()
        if text and _STARTS_TASKS_IN_STATES.search(text):
            yield text
    elif resource.canonical_type == _SCHEDULE:
        target = resource["target"]
        arn = target["arn"].text()
        if arn and _UNIVERSAL_TARGET.search(arn):
            yield target["input"].text() or ""


def _names_in(text: str) -> Iterator[str]:
    """The names in a JSON text: each string, and what follows the last slash or stands before a revision."""
    try:
        parsed = Value.of(json.loads(text))
    except (ValueError, RecursionError):
        parsed = Value.of(re.findall(r"[\w./:-]+", text))
    for part in texts_within(parsed):
        yield family_of(part)
        yield part.rsplit("/", 1)[-1].partition(":")[0]


@catalogue.stack(
    name="scheduler-no-launcher-by-reference",
    description="nothing but its service starts a scheduler's task, however it refers to it",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation=(
        "Take the launcher away, or point it at a task definition of this stack that isn't a scheduler's, so "
        "that it shows which task is started."
    ),
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/scheduling_tasks.html",
    tags=("scheduler", "ecs", "eventbridge", "step-functions"),
    locked=True,
)
def no_launcher_by_reference(stack: Stack, settings: Settings) -> Iterator[Finding]:
    """By what the reference depends on; a reference that shows no task definition fails."""
    view = ecs_view(stack, settings.recognition)
    for resource in stack.of(*_LAUNCHERS, *_COMMAND_TYPES):
        if resource.canonical_type in _LAUNCHERS and list(no_second_launcher(resource, settings)):
            continue
        problem = _launch_problem(resource, view)
        if problem:
            yield Finding(problem, "start a task that isn't a scheduler's, or take it away", resource)


def _launch_problem(resource: Resource, view: EcsView) -> str | None:
    related = [
        other
        for other in view.stack.referenced(resource, *resource.property_dependencies)
        if other.canonical_type in SERVICE_TYPES or other.canonical_type in TASK_DEFINITION_TYPES
    ]
    for other in related:
        if view.is_scheduler(other) or (
            other.canonical_type in TASK_DEFINITION_TYPES and _runs_scheduler(other, view)
        ):
            return f"it refers to {other.name}, a scheduler's"
    for reference in _task_references(resource):
        text = reference.text()
        if text is not None and family_of(text) in view.scheduler_families:
            return f"{reference.path} is {reference.shown()}, a scheduler's"
        if text is not None and text.rsplit("/", 1)[-1] in view.scheduler_names:
            return f"{reference.path} is {reference.shown()}, a scheduler's"
        if not reference.known and not related:
            return f"{reference.path} is {reference.shown()}, and it shows no task definition of this stack"
    return None


def _runs_scheduler(task: Resource, view: EcsView) -> bool:
    family = task["family"].text()
    return view.is_scheduler_task(task) or (family is not None and family in view.scheduler_families)


@catalogue.resource(
    *_FOREIGN_TYPES,
    _CLOUD_CONTROL,
    name="scheduler-by-aws-service-only",
    description="a scheduler is an aws.ecs.Service, the one form that all rules can judge",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation=(
        "Use aws.ecs.Service or the SchedulerService component. Express gateway services bring a load "
        "balancer, "
        "daemons run on every instance, and Cloud Control hides the properties in one text."
    ),
    url="https://www.pulumi.com/registry/packages/aws/api-docs/ecs/service/",
    tags=("scheduler", "ecs", "aws-native"),
    locked=True,
)
def by_aws_service_only(resource: Resource, settings: Settings) -> Iterator[Finding]:
    fix = "make it by aws.ecs.Service"
    if resource.canonical_type == _CLOUD_CONTROL:
        kind = resource["typeName"]
        text = kind.text()
        if text is None:
            yield Finding(f"typeName is {kind.shown()}", "give typeName in plain text")
        elif text.startswith("AWS::ECS::") and text != "AWS::ECS::Cluster":
            yield Finding(f"typeName is {kind.shown()}", fix)
        return
    if resource.canonical_type in (NATIVE_ECS_TASK_DEFINITION,):
        evidence = task_evidence(resource, settings.recognition)
    else:
        evidence = service_evidence(resource, settings.recognition)
        if not evidence and resource.canonical_type != NATIVE_ECS_SERVICE:
            evidence = task_evidence(resource, settings.recognition)
    if evidence:
        yield Finding(f"its type is {resource.type} and {evidence[0]}", fix)


@catalogue.resource(
    *_TEMPLATE_TYPES,
    name="scheduler-not-in-template",
    description=(
        "no CloudFormation template makes or scales ECS services, because no rule can judge them there"
    ),
    severity=Severity.HIGH,
    framework=_GUIDE,
    remediation="Make ECS services by aws.ecs.Service, and their autoscaling beside them.",
    url="https://www.pulumi.com/docs/iac/adopting-pulumi/migrating-to-pulumi/from-cloudformation/",
    tags=("scheduler", "ecs", "cloudformation"),
    locked=True,
)
def not_in_template(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    for name in ("templateBody", "template"):
        value = resource[name]
        # A template may be given as an object too; its text then holds the types as well.
        match = _STARTS_TASKS_IN_TEMPLATE.search(value.text() or (repr(value.raw) if value.is_object else ""))
        if match:
            yield Finding(f"{name} holds {value.shown_part(match.group())}", "make it by aws.ecs.Service")
            return


@catalogue.resource(
    *_TEMPLATE_TYPES,
    name="cloudformation-template-readable",
    description="a CloudFormation template is given as text, so that the rules can see what it makes",
    severity=Severity.MEDIUM,
    framework=_GUIDE,
    remediation=(
        "Give templateBody from a file of the program. Where the template can only be named by URL, exempt "
        "the "
        "stack with a reason and an expiry date."
    ),
    url="https://www.pulumi.com/registry/packages/aws/api-docs/cloudformation/stack/",
    tags=("cloudformation",),
)
def template_readable(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    url = resource["templateUrl"]
    if not url.surely_empty:
        yield Finding(f"templateUrl is {url.shown()}", "give templateBody instead")
        return
    bodies = [resource[name] for name in ("templateBody", "template")]
    if any(not body.known and not body.missing for body in bodies):
        unknown = next(body for body in bodies if not body.known and not body.missing)
        yield Finding(f"{unknown.path} is {unknown.shown()}", "give the template in plain text")


@catalogue.resource(
    *_COMMAND_TYPES,
    name="scheduler-no-command",
    description="no command of the program starts or scales ECS tasks",
    severity=Severity.HIGH,
    framework=_GUIDE,
    remediation=(
        "Take the call of ECS out of the command; services and their counts are the program's resources."
    ),
    url="https://www.pulumi.com/registry/packages/command/",
    tags=("scheduler", "ecs", "command"),
    locked=True,
)
def no_command(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    for name in ("create", "update", "delete"):
        value = resource[name]
        text = value.text()
        if text and (match := _STARTS_TASKS_IN_COMMAND.search(text)):
            called = value.shown_part(match.group())
            yield Finding(f"{name} calls {called}", "take the call out of the command")


@catalogue.resource(
    *TASK_DEFINITION_TYPES,
    name="scheduler-one-container",
    description="a scheduler's task runs its image once",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation="Keep one container of the image; a sidecar has an image of its own.",
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definitions.html",
    tags=("scheduler", "ecs"),
    locked=True,
)
def one_container(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Two containers of one image in a task are two schedulers, though the service counts one task."""
    if not task_evidence(resource, settings.recognition):
        return
    first: dict[str, Value] = {}
    for container in read_containers(resource).containers:
        image = container["image"].text()
        if not image:
            continue
        other = first.setdefault(image.rpartition("@")[2], container)
        if other is not container:
            name = container_name(container)
            yield Finding(
                f"containers {container_name(other)} and {name} run one image", f"take container {name} away"
            )


@catalogue.stack(
    name="scheduler-one-service-per-family",
    description="a scheduler's task definition family has one service",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation="Keep one service for the family; give another scheduler a family of its own.",
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definitions.html",
    tags=("scheduler", "ecs"),
    locked=True,
)
def one_service_per_family(stack: Stack, settings: Settings) -> Iterator[Finding]:
    view = ecs_view(stack, settings.recognition)
    first: dict[str, Resource] = {}
    for service in view.scheduler_services:
        for family, shown in sorted(_families(service, view).items()):
            other = first.setdefault(family, service)
            if other is not service:
                yield Finding(
                    f"its family {shown} already has the service {other.name}",
                    "take one of the two services away",
                    service,
                )
                break


def _families(service: Resource, view: EcsView) -> dict[str, str]:
    """The task families of a service, with the words for each in a message."""
    families: dict[str, str] = {}
    for task in view.tasks_of(service, "taskDefinition"):
        family = task["family"]
        families[family.text() or task.urn_text] = family.shown() if family.text() else task.name
    definition = service["taskDefinition"]
    text = definition.text()
    if text:
        families.setdefault(family_of(text), definition.shown_part(family_of(text)))
    return families


@catalogue.stack(
    name="scheduler-one-service",
    description="a scheduler has one service, whatever its family, cluster, region or provider",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation=(
        "Keep one service for each scheduler; two services of different schedulers differ in name and "
        "container."
    ),
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_services.html",
    tags=("scheduler", "ecs"),
    locked=True,
)
def one_service(stack: Stack, settings: Settings) -> Iterator[Finding]:
    """By what marks a scheduler's work: the service's name, a scheduler's container, a scheduler's port."""
    view = ecs_view(stack, settings.recognition)
    first: dict[str, Resource] = {}
    for service in view.scheduler_services:
        for mark, shown in sorted(_marks(service, view).items()):
            other = first.setdefault(mark, service)
            if other is not service:
                yield Finding(
                    f"{shown} is also that of {other.name}", "take one of the two services away", service
                )
                break


def _marks(service: Resource, view: EcsView) -> dict[str, str]:
    """What marks a scheduler's work, with the words for it in a message."""
    marks: dict[str, str] = {}
    name = service_name(service)
    if name.text():
        marks[f"name {name.text()}"] = f"its name {name.shown()}"
    for task in view.tasks_of(service, "taskDefinition"):
        for container in read_containers(task).containers:
            text = container["name"].text()
            if text and view.recognition.names_scheduler(text):
                marks[f"container {text}"] = f"its container {container_name(container)}"
            for mapping in container["portMappings"].items():
                port = mapping["containerPort"].integer()
                if port in view.recognition.ports:
                    marks[f"port {port}"] = f"its port {port}"
    return marks
