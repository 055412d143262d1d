"""How a scheduler is replaced by its next version: the old task stops before the new one starts.

ECS's own defaults do the opposite: 100/200 percent starts the new task first, zone rebalancing moves a task
by starting another one, and blue/green runs both on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from ..containers import container_name, read_containers
from ..recognition import service_evidence, task_evidence
from ..resources import ECS_SERVICE, ECS_TASK_DEFINITION, Resource, folded
from ..rule import FILEFLOW, Catalogue, Finding, Framework, Settings, Threshold

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
_GUARDED_TASK_PROPERTIES: Final[tuple[str, ...]] = ("containerDefinitions", "family", "tags", "tagsAll")

# Fargate kills a container at the latest after this time; an overlap can last no longer.
_FARGATE_STOP_TIMEOUT_SECONDS: Final = 120


@catalogue.resource(
    ECS_SERVICE,
    name="scheduler-stop-before-start",
    description="a scheduler's old task stops before the new one starts",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation=(
        "Set deploymentMinimumHealthyPercent to 0 and deploymentMaximumPercent to 100. Left out, ECS takes "
        "100 and 200, which starts the new task beside the old one."
    ),
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html",
    tags=("scheduler", "ecs", "deployment"),
    locked=True,
)
def stop_before_start(resource: Resource, settings: Settings) -> Iterator[Finding]:
    if not service_evidence(resource, settings.recognition):
        return
    for name, wanted in (("deploymentMinimumHealthyPercent", 0), ("deploymentMaximumPercent", 100)):
        value = resource[name]
        if value.integer() != wanted:
            yield Finding(f"{name} is {value.shown()}", f"set {name} to {wanted}")


@catalogue.resource(
    ECS_SERVICE,
    name="scheduler-no-zone-rebalancing",
    description="ECS doesn't move a scheduler between zones, because it starts the new task first",
    severity=Severity.HIGH,
    framework=_GUIDE,
    remediation=(
        "Set availabilityZoneRebalancing to DISABLED. ECS turns it on for a new service that leaves it out, "
        "and "
        "an update that leaves it out keeps the old value."
    ),
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html",
    tags=("scheduler", "ecs"),
    locked=True,
)
def no_zone_rebalancing(resource: Resource, settings: Settings) -> Iterator[Finding]:
    value = resource["availabilityZoneRebalancing"]
    if service_evidence(resource, settings.recognition) and value.text() != "DISABLED":
        yield Finding(
            f"availabilityZoneRebalancing is {value.shown()}", "set availabilityZoneRebalancing to DISABLED"
        )


@catalogue.resource(
    ECS_SERVICE,
    _CODE_DEPLOY_GROUP,
    name="scheduler-rolling-deployment",
    description=(
        "ECS itself deploys a scheduler, rolling; blue/green, canary and external deployments run two at once"
    ),
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation=(
        "Set deploymentController.type to ECS and deploymentConfiguration.strategy to ROLLING, or leave them "
        "out; take CodeDeploy's deployment group away."
    ),
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service-options.html",
    tags=("scheduler", "ecs", "deployment", "codedeploy"),
    locked=True,
)
def rolling_deployment(resource: Resource, settings: Settings) -> Iterator[Finding]:
    if resource.canonical_type == _CODE_DEPLOY_GROUP:
        for service in resource["ecsService"].items():
            name = service["serviceName"]
            text = name.text()
            if text and settings.recognition.names_scheduler(text):
                yield Finding(f"{name.path} is {name.shown()}", "take the deployment group away")
        return
    if not service_evidence(resource, settings.recognition):
        return
    controller = resource["deploymentController"]
    kind = controller["type"]
    if not controller.surely_empty and kind.text() != "ECS" and not kind.missing:
        yield Finding(f"deploymentController.type is {kind.shown()}", "set deploymentController.type to ECS")
    configuration = resource["deploymentConfiguration"]
    strategy = configuration["strategy"]
    if not configuration.surely_empty and strategy.text() != "ROLLING" and not strategy.missing:
        yield Finding(
            f"deploymentConfiguration.strategy is {strategy.shown()}",
            "set deploymentConfiguration.strategy to ROLLING",
        )


@catalogue.resource(
    ECS_SERVICE,
    ECS_TASK_DEFINITION,
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
    locked=True,
)
def guarded_properties(resource: Resource, settings: Settings) -> Iterator[Finding]:
    if resource.canonical_type == ECS_SERVICE:
        if not service_evidence(resource, settings.recognition):
            return
        guarded = GUARDED_PROPERTIES
    else:
        if not task_evidence(resource, settings.recognition):
            return
        guarded = _GUARDED_TASK_PROPERTIES
    if "*" in resource.ignored_roots:
        yield Finding("ignoreChanges holds *", "take * out of ignoreChanges")
    for name in guarded:
        if folded(name) in resource.ignored_roots:
            yield Finding(f"ignoreChanges holds {name}", f"take {name} out of ignoreChanges")


@catalogue.resource(
    ECS_TASK_DEFINITION,
    name="scheduler-stop-timeout",
    description=(
        "a scheduler's containers stop within a set time, because an overlap lasts as long as they take"
    ),
    severity=Severity.MEDIUM,
    framework=_GUIDE,
    remediation="Set stopTimeout on every container, up to 120 seconds.",
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html",
    tags=("scheduler", "ecs"),
    locked=True,
    thresholds={
        "maximumSeconds": Threshold(
            _FARGATE_STOP_TIMEOUT_SECONDS,
            {"type": "integer", "minimum": 2, "maximum": _FARGATE_STOP_TIMEOUT_SECONDS},
            "the longest stop timeout, in seconds",
        )
    },
)
def stop_timeout(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Sidecars too: ECS counts a task as stopped only when its last container is."""
    if not task_evidence(resource, settings.recognition):
        return
    most = settings.integer("maximumSeconds")
    for container in read_containers(resource).containers:
        if container["essential"].boolean() is False:
            continue
        value = container["stopTimeout"]
        seconds = value.integer()
        if seconds is None or not 0 < seconds <= most:
            yield Finding(
                f"stopTimeout of container {container_name(container)} is {value.shown()}",
                f"set stopTimeout to at most {most} seconds",
            )
