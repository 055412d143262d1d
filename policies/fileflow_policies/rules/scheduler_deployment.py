"""How a scheduler is replaced by its next version: the old task stops before the new one starts.

ECS's own defaults do the opposite: 100/200 percent starts the new task first, zone rebalancing moves a task
by starting another one, and blue/green runs both on purpose. So does Pulumi when it replaces a service whose
name it made up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import Severity

from ..containers import container_name, read_containers
from ..neighbours import ecs_view
from ..pauses import REASON_TAG, UNTIL_TAG
from ..recognition import Standing, is_guides_name, standing_of
from ..resources import Resource, Stack, folded
from ..rule import FILEFLOW, Catalogue, Finding, Framework, Settings, Threshold, service_check
from ..values import Value

catalogue: Final = Catalogue()

_GUIDE: Final = Framework(FILEFLOW, "스케줄러가 2개 이상 실행됨")
_SERVICE_URL: Final = (
    "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service_definition_parameters.html"
)
_CODE_DEPLOY_GROUP: Final = "aws:codedeploy/deploymentGroup:DeploymentGroup"

GUARDED_PROPERTIES: Final[tuple[str, ...]] = (
    "availabilityZoneRebalancing",
    "capacityProviderStrategies",
    "deploymentConfiguration",
    "deploymentController",
    "deploymentMaximumPercent",
    "deploymentMinimumHealthyPercent",
    "desiredCount",
    "gatewayConnectors",
    "launchType",
    "loadBalancers",
    "name",
    "networkConfiguration",
    "schedulingStrategy",
    "serviceConnectConfiguration",
    "serviceRegistries",
    "tags",
    "tagsAll",
    "taskDefinition",
    "vpcLatticeConfigurations",
)
_GUARDED_TASK_PROPERTIES: Final[tuple[str, ...]] = ("containerDefinitions", "family")

# Fargate kills a container at the latest after this time; an overlap can last no longer.
_FARGATE_STOP_TIMEOUT_SECONDS: Final = 120


@catalogue.service(
    name="scheduler-stop-before-start",
    description="a scheduler's old task stops before the new one starts",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation=(
        "Set deploymentMinimumHealthyPercent to 0 and deploymentMaximumPercent to 100: left out, ECS takes "
        "100 and 200, which starts the new task beside the old one. Give the service a name of its own and "
        "the option deleteBeforeReplace: a service whose name Pulumi makes up is replaced by a second one, "
        "and the first goes only when that one runs."
    ),
    url="https://www.pulumi.com/docs/iac/concepts/options/deletebeforereplace/",
    tags=("scheduler", "ecs", "deployment"),
    scheduler=True,
)
@service_check
def stop_before_start(service: Resource, standing: Standing, _settings: Settings) -> Iterator[Finding]:
    if not standing.is_scheduler:
        return
    percents = (("deploymentMinimumHealthyPercent", 0), ("deploymentMaximumPercent", 100))
    wrong = [(name, wanted) for name, wanted in percents if service[name].integer() != wanted]
    if wrong:
        yield Finding(
            " and ".join(f"{name} is {service[name].shown()}" for name, _ in wrong),
            " and ".join(f"set {name} to {wanted}" for name, wanted in wrong),
        )
    problem = _replacement_problem(service)
    if problem is not None:
        yield Finding(problem, "set the option deleteBeforeReplace to true")


def _replacement_problem(service: Resource) -> str | None:
    """Why a replacement of the service would start the new one first; None when it doesn't.

    pulumi-aws deletes first by itself when the program names the service, since two of one name can't be;
    aws-native always does. Only deleteBeforeReplace set to false stops them. Others have to be told, and
    so has pulumi-aws's Cloud Control resource, which doesn't know the name in its text.
    Sources: https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming,
    https://github.com/pulumi/pulumi-aws-native/blob/master/provider/pkg/provider/provider.go (`Diff`)
    """
    if service.delete_before_replace:
        return None
    if service.delete_before_replace is False:
        return "the option deleteBeforeReplace is false"
    name = service["name"]
    if name.unknown:
        # Made of another resource's output, it changes with that one: a replacement under another name.
        return "its name comes from another resource, and the option deleteBeforeReplace is not set"
    if name.missing or is_made_up(name, service.name):
        return f"its name is {name.shown()}, made up by Pulumi, and the option deleteBeforeReplace is not set"
    deletes_first = service.by_aws_provider or service.type.startswith("aws-native:")
    if not deletes_first and ":tf:" not in service.type:
        return "the option deleteBeforeReplace is not set"
    return None


def is_made_up(name: Value, pulumi_name: str) -> bool:
    """Whether Pulumi made a name up: the resource's own, and seven hexadecimal digits."""
    text = name.text()
    return text is not None and re.fullmatch(re.escape(pulumi_name) + r"-?[0-9a-f]{7}", text) is not None


@catalogue.service(
    name="scheduler-no-zone-rebalancing",
    description="ECS doesn't move a scheduler between zones, because it starts the new task first",
    severity=Severity.HIGH,
    framework=_GUIDE,
    remediation=(
        "Set availabilityZoneRebalancing to DISABLED. ECS turns it on for a new service that leaves it out, "
        "and an update that leaves it out keeps the old value."
    ),
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html",
    tags=("scheduler", "ecs"),
    scheduler=True,
)
@service_check
def no_zone_rebalancing(service: Resource, standing: Standing, _settings: Settings) -> Iterator[Finding]:
    value = service["availabilityZoneRebalancing"]
    if standing.is_scheduler and value.text() != "DISABLED":
        yield Finding(
            f"availabilityZoneRebalancing is {value.shown()}", "set availabilityZoneRebalancing to DISABLED"
        )


def _deployed_otherwise(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    """CodeDeploy's group for one of the guide's schedulers; others are found in the stack."""
    for service in resource["ecsService"].items():
        name = service["serviceName"]
        if name.text() and is_guides_name(name.text() or ""):
            yield Finding(f"{name.path} is {name.shown()}", "take the deployment group away")


def _deployed_otherwise_in_stack(stack: Stack, settings: Settings) -> Iterator[Finding]:
    view = ecs_view(stack, settings.recognition)
    for group in stack.of(_CODE_DEPLOY_GROUP):
        if list(_deployed_otherwise(group, settings)):
            continue
        for service in group["ecsService"].items():
            name = service["serviceName"]
            related = [other for other in stack.referenced(group, "ecsService") if view.is_scheduler(other)]
            if name.text() in view.scheduler_names or related:
                yield Finding(
                    f"{name.path} is {name.shown()}, a scheduler", "take the deployment group away", group
                )


catalogue.both(
    _CODE_DEPLOY_GROUP,
    name="scheduler-no-code-deploy",
    description="CodeDeploy doesn't deploy a scheduler, because it runs the old and the new version at once",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation="Take CodeDeploy's deployment group for the scheduler away; ECS itself deploys it, rolling.",
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service-options.html",
    tags=("scheduler", "ecs", "deployment", "codedeploy"),
    scheduler=True,
)((_deployed_otherwise, _deployed_otherwise_in_stack))


@catalogue.service(
    name="scheduler-rolling-deployment",
    description=(
        "ECS itself deploys a scheduler, rolling; blue/green, canary and external deployments run two at once"
    ),
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation=(
        "Set deploymentController.type to ECS and deploymentConfiguration.strategy to ROLLING, or leave them "
        "out."
    ),
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service-options.html",
    tags=("scheduler", "ecs", "deployment"),
    scheduler=True,
)
@service_check
def rolling_deployment(service: Resource, standing: Standing, _settings: Settings) -> Iterator[Finding]:
    if not standing.is_scheduler:
        return
    controller = service["deploymentController"]
    kind = controller["type"]
    if not controller.surely_empty and kind.text() != "ECS" and not kind.missing:
        yield Finding(f"deploymentController.type is {kind.shown()}", "set deploymentController.type to ECS")
    configuration = service["deploymentConfiguration"]
    strategy = configuration["strategy"]
    if not configuration.surely_empty and strategy.text() != "ROLLING" and not strategy.missing:
        yield Finding(
            f"deploymentConfiguration.strategy is {strategy.shown()}",
            "set deploymentConfiguration.strategy to ROLLING",
        )


@catalogue.service(
    name="scheduler-guarded-properties",
    description=(
        "a property that keeps a scheduler single is never under ignoreChanges, because a policy then sees "
        "its old value"
    ),
    severity=Severity.HIGH,
    framework=_GUIDE,
    remediation="Take the property, its parents and * out of ignoreChanges.",
    url="https://www.pulumi.com/docs/iac/concepts/options/ignorechanges/",
    tags=("scheduler", "ecs", "pulumi"),
    scheduler=True,
)
def guarded_properties(service: Resource, tasks: Sequence[Resource], settings: Settings) -> Iterator[Finding]:
    recognition = settings.recognition
    if not standing_of(service, recognition, tasks).is_scheduler:
        return
    tags = (
        *(recognition.role_tag, recognition.spot_opt_in_tag, recognition.not_a_scheduler_tag),
        *(UNTIL_TAG, REASON_TAG),
    )
    for resource, guarded in (
        (service, GUARDED_PROPERTIES),
        *((task, _GUARDED_TASK_PROPERTIES) for task in tasks),
    ):
        where = "" if resource is service else f" of its task definition {resource.name}"
        ignored = resource.ignored_roots(tags)
        names = ["*"] if "*" in ignored else [name for name in guarded if folded(name) in ignored]
        if names:
            yield Finding(
                f"ignoreChanges{where} holds {', '.join(names)}",
                f"take {', '.join(names)} out of ignoreChanges",
            )


@catalogue.service(
    name="scheduler-stop-timeout",
    description=(
        "a scheduler's containers stop within a set time, because an overlap lasts as long as they take"
    ),
    severity=Severity.MEDIUM,
    framework=_GUIDE,
    remediation="Set stopTimeout to 120 seconds at most. Left out it is 30 seconds.",
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html",
    tags=("scheduler", "ecs"),
    scheduler=True,
    thresholds={
        "maximumSeconds": Threshold(
            _FARGATE_STOP_TIMEOUT_SECONDS,
            {"type": "integer", "minimum": 2, "maximum": _FARGATE_STOP_TIMEOUT_SECONDS},
            "the longest stop timeout, in seconds",
        )
    },
)
def stop_timeout(service: Resource, tasks: Sequence[Resource], settings: Settings) -> Iterator[Finding]:
    """Sidecars too: ECS counts a task as stopped only when its last container is."""
    if not standing_of(service, settings.recognition, tasks).is_scheduler:
        return
    most = settings.integer("maximumSeconds")
    for task in tasks:
        for container in read_containers(task).containers:
            value = container["stopTimeout"]
            seconds = value.integer()
            if not value.missing and (seconds is None or not 0 < seconds <= most):
                yield Finding(
                    f"stopTimeout of container {container_name(container)} is {value.shown()}",
                    f"set stopTimeout to at most {most} seconds",
                )
