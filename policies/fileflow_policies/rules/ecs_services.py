"""Every ECS service and cluster: no public address, deployments that roll back, a current platform, watched
clusters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from ..neighbours import ecs_view
from ..recognition import standing_of
from ..resources import ECS_CLUSTER, ECS_SERVICE, ECS_TASK_DEFINITION, ECS_TASK_SET, Resource, Stack
from ..rule import FSBP, WELL_ARCHITECTED, Catalogue, Finding, Framework, Settings, Threshold

catalogue: Final = Catalogue()

_CONTROLS_URL: Final = "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html"


@catalogue.resource(
    ECS_SERVICE,
    ECS_TASK_SET,
    name="ecs-no-public-ip",
    description="a task of a service or task set gets no public address",
    severity=Severity.HIGH,
    framework=Framework(FSBP, "ECS.2, ECS.16"),
    remediation="Set networkConfiguration.assignPublicIp to false and use private subnets.",
    url=_CONTROLS_URL + "#ecs-2",
    tags=(
        "ecs",
        "network",
        "checkov:CKV_AWS_333",
        "prowler:ecs_service_no_assign_public_ip",
        "isms-p:2.6.1",
        "isms-p:2.10.2",
    ),
)
def no_public_ip(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Left out is off. Schedulers have a stricter rule of their own."""
    if standing_of(resource, settings.recognition).is_scheduler:
        return
    for network in resource["networkConfiguration"].items():
        value = network["assignPublicIp"]
        if not value.missing and value.boolean() is not False:
            yield Finding(
                f"networkConfiguration.assignPublicIp is {value.shown()}",
                "set networkConfiguration.assignPublicIp to false",
                advisory=value.unknown,
            )


@catalogue.resource(
    ECS_SERVICE,
    name="ecs-deployment-rolls-back",
    description="a deployment that doesn't come up is stopped and rolled back",
    severity=Severity.MEDIUM,
    framework=Framework(WELL_ARCHITECTED, "REL08-BP05"),
    remediation="Set deploymentCircuitBreaker to enable and rollback true.",
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html",
    tags=("ecs", "deployment"),
)
def deployment_rolls_back(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    """Blue/green and external deployments have their own ways back."""
    controller = resource["deploymentController"]["type"]
    strategy = resource["deploymentConfiguration"]["strategy"]
    if controller.text() in ("CODE_DEPLOY", "EXTERNAL") or strategy.text() in (
        "BLUE_GREEN",
        "LINEAR",
        "CANARY",
    ):
        return
    breaker = resource["deploymentCircuitBreaker"]
    wrong = [breaker[name] for name in ("enable", "rollback") if breaker[name].boolean() is not True]
    if wrong:
        yield Finding(
            " and ".join(f"{value.path} is {value.shown()}" for value in wrong),
            "set deploymentCircuitBreaker.enable and rollback to true",
            advisory=all(value.unknown for value in wrong),
        )


@catalogue.resource(
    ECS_SERVICE,
    name="ecs-platform-version",
    description="a Fargate service runs on the latest platform version",
    severity=Severity.MEDIUM,
    framework=Framework(FSBP, "ECS.10"),
    remediation="Set platformVersion to LATEST, or leave it out.",
    url=_CONTROLS_URL + "#ecs-10",
    tags=("ecs", "fargate", "checkov:CKV_AWS_332"),
)
def platform_version(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    value = resource["platformVersion"]
    if not value.missing and value.text() != "LATEST":
        yield Finding(
            f"platformVersion is {value.shown()}", "set platformVersion to LATEST", advisory=value.unknown
        )


@catalogue.stack(
    name="ecs-container-insights",
    description="a cluster has Container Insights on, because the alarms on running tasks read its metrics",
    severity=Severity.MEDIUM,
    framework=Framework(FSBP, "ECS.12"),
    remediation="Give the cluster the setting containerInsights with the value enabled or enhanced.",
    url=_CONTROLS_URL + "#ecs-12",
    tags=(
        "ecs",
        "cloudwatch",
        "checkov:CKV_AWS_65",
        "cdk-nag:AwsSolutions-ECS4",
        "prowler:ecs_cluster_container_insights_enabled",
        "isms-p:2.9.2",
    ),
)
def container_insights(stack: Stack, settings: Settings) -> Iterator[Finding]:
    """Advice in a stack without schedulers: nobody's alarms rest on the metrics, and they cost money."""
    watched = bool(ecs_view(stack, settings.recognition).schedulers)
    for cluster in stack.of(ECS_CLUSTER):
        chosen = cluster["settings"]
        shown = "not set" if chosen.surely_empty else chosen.shown()
        for setting in chosen.items():
            if setting["name"].text() == "containerInsights":
                shown = setting["value"].shown()
                if setting["value"].text() in ("enabled", "enhanced"):
                    break
        else:
            yield Finding(
                f"the setting containerInsights is {shown}",
                "set containerInsights to enabled",
                cluster,
                advisory=chosen.unknown or not watched,
            )


@catalogue.resource(
    ECS_CLUSTER,
    name="ecs-exec-logging",
    description="sessions of ECS Exec are logged",
    severity=Severity.MEDIUM,
    framework=Framework(WELL_ARCHITECTED, "SEC04-BP01"),
    remediation=(
        "Set configuration.executeCommandConfiguration.logging to OVERRIDE with a log group, or to DEFAULT."
    ),
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html",
    tags=("ecs", "logging", "checkov:CKV_AWS_223"),
)
def exec_logging(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    """Left out is DEFAULT, which logs to the task's own log group."""
    command = resource["configuration"]["executeCommandConfiguration"]
    value = command["logging"]
    path = "configuration.executeCommandConfiguration.logging"
    if value.missing:
        return
    if value.text() not in ("DEFAULT", "OVERRIDE"):
        yield Finding(f"{path} is {value.shown()}", f"set {path} to OVERRIDE", advisory=value.unknown)
    elif value.text() == "OVERRIDE":
        log = command["logConfiguration"]
        if log.surely_empty or (
            log.is_object and log["cloudWatchLogGroupName"].surely_empty and log["s3BucketName"].surely_empty
        ):
            yield Finding(f"{path} is OVERRIDE without a log group or bucket", "name a log group or a bucket")


@catalogue.resource(
    ECS_SERVICE,
    ECS_CLUSTER,
    ECS_TASK_DEFINITION,
    name="ecs-tags",
    description="a service, a cluster and a task definition say by tags whose they are",
    severity=Severity.LOW,
    framework=Framework("AWS Resource Tagging Standard", "ECS.13, ECS.14, ECS.15"),
    remediation=(
        "Give the resource a tag, or give the provider defaultTags. Which keys there must be is this rule's "
        "setting requiredTags."
    ),
    url=_CONTROLS_URL + "#ecs-13",
    level=EnforcementLevel.ADVISORY,
    tags=("ecs", "tagging"),
    thresholds={
        "requiredTags": Threshold(
            [], {"type": "array", "items": {"type": "string", "minLength": 1}}, "keys that every one has"
        )
    },
)
def tags(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Tags of AWS's own (`aws:…`) don't count, as in Security Hub."""
    given = resource.tags
    if given.unknown:
        return
    keys = {key for key, _ in given.entries() if not key.startswith("aws:")}
    missing = [key for key in settings.texts("requiredTags") if key not in keys]
    if missing:
        yield Finding(f"tags has no {', '.join(missing)}", f"tag it with {', '.join(missing)}")
    elif not keys:
        yield Finding(f"tags is {given.shown()}", "tag it")
