"""A scheduler takes no traffic from outside the VPC: no load balancer, no registry, no public address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from ..neighbours import EcsView, ecs_view
from ..networks import (
    INGRESS_TYPES,
    PRIVATE_RANGES,
    SECURITY_GROUP,
    Ingress,
    ingress_of,
    within,
)
from ..recognition import Standing, is_guides_name
from ..resources import SCHEDULER_COMPONENT, Resource, Stack
from ..rule import FILEFLOW, Catalogue, Finding, Framework, Settings, Threshold, service_check

catalogue: Final = Catalogue()

_GUIDE: Final = Framework(FILEFLOW, "Load Balancer 없음")
_ATTACHMENT_URL: Final = (
    "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-load-balancing.html"
)
_NETWORK_URL: Final = (
    "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-networking.html"
)

_TARGET_TYPES: Final = (
    "aws:lb/targetGroup:TargetGroup",
    "aws:lb/targetGroupAttachment:TargetGroupAttachment",
    "aws:vpclattice/targetGroup:TargetGroup",
    "aws:vpclattice/targetGroupAttachment:TargetGroupAttachment",
)
_BALANCER_TYPES: Final = (
    "aws:lb/loadBalancer:LoadBalancer",
    "aws:lb/listener:Listener",
    "aws:lb/listenerRule:ListenerRule",
    "aws:elb/loadBalancer:LoadBalancer",
    "aws:elb/attachment:Attachment",
)
_TARGET_FIX: Final = "take it away; a scheduler takes no traffic from a load balancer"
_RANGES: Final = Threshold(
    [],
    {"type": "array", "items": {"type": "string", "minLength": 1}},
    "more ranges that count as inside the VPC; one that isn't private takes a reason",
)
# What a range of addresses may come from and still be the VPC's own.
_NETWORK_TYPES: Final = frozenset(
    {
        "aws:ec2/vpc:Vpc",
        "aws:ec2/subnet:Subnet",
        "aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation",
        "awsx:ec2:Vpc",
    }
)


@catalogue.service(
    SCHEDULER_COMPONENT,
    name="scheduler-no-load-balancer",
    description=(
        "a scheduler takes no outside traffic, so no load balancer and no VPC Lattice group is attached"
    ),
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation=(
        "Take loadBalancers and vpcLatticeConfigurations off the service. Prometheus reads the Actuator port "
        "inside the VPC by ECS discovery and needs neither."
    ),
    url=_ATTACHMENT_URL,
    tags=("scheduler", "ecs", "elbv2", "vpc-lattice"),
    locked=True,
    scheduler=True,
)
@service_check
def no_load_balancer(service: Resource, standing: Standing, _settings: Settings) -> Iterator[Finding]:
    """An attachment that can't be read counts as one."""
    if not standing.is_scheduler and not standing.is_suspected:
        return
    for name in ("loadBalancers", "vpcLatticeConfigurations", "gatewayConnectors"):
        value = service[name]
        if value.surely_empty:
            continue
        looks = "" if standing.is_scheduler else f" and {standing.evidence}"
        shown = next((each["containerPort"] for each in value.items()), value)
        shown = shown if shown.known else value
        yield Finding(
            f"{shown.path} is {shown.shown()}{looks}",
            f"take {name} off the scheduler" + ("" if standing.is_scheduler else ", or declare what it is"),
            advisory=standing.is_suspected and value.unknown,
        )


def _made_for_scheduler(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """By the component around it, and by the deployment guide's names."""
    name = resource["name"]
    inside = next((c for c in settings.recognition.all_components if resource.in_component(c)), None)
    if inside is not None:
        yield Finding(f"it is part of a {inside}", _TARGET_FIX)
    elif name.text() and is_guides_name(name.text() or ""):
        yield Finding(f"its name is {name.shown()}, a scheduler's", _TARGET_FIX)


def _target_of_scheduler(stack: Stack, settings: Settings) -> Iterator[Finding]:
    """By what it depends on, by a scheduler's name, and by a scheduler's port that nothing else serves."""
    view = ecs_view(stack, settings.recognition)
    if not view.schedulers:
        return
    served = {
        group.urn_text
        for service in view.services
        if not view.is_scheduler(service)
        for group in stack.referenced(service, "loadBalancers")
    }
    for resource in stack.of(*_TARGET_TYPES):
        if list(_made_for_scheduler(resource, settings)):
            continue
        related = [
            other
            for other in stack.referenced(resource, *resource.property_dependencies)
            if view.is_scheduler(other)
        ]
        name = resource["name"]
        if related:
            yield Finding(f"it refers to the scheduler {related[0].name}", _TARGET_FIX, resource)
        elif name.text() in view.scheduler_names:
            yield Finding(f"its name is {name.shown()}, a scheduler's", _TARGET_FIX, resource)
        elif resource.urn_text not in served:
            yield from _target_on_port(resource, view)


def _target_on_port(resource: Resource, view: EcsView) -> Iterator[Finding]:
    others = {
        mapping["containerPort"].integer()
        for service in view.services
        if not view.is_scheduler(service)
        for mapping in service["loadBalancers"].items()
    }
    for port in (resource["port"], resource["target"]["port"], resource["config"]["port"]):
        number = port.integer()
        if number is not None and number in view.scheduler_ports and number not in others:
            owner = view.scheduler_ports[number].name
            yield Finding(
                f"{port.path} is {port.shown()}, that of the scheduler {owner}", _TARGET_FIX, resource
            )
            return


catalogue.both(
    *_TARGET_TYPES,
    *_BALANCER_TYPES,
    name="scheduler-no-target-group",
    description="no target group, listener or load balancer is made for a scheduler",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation=(
        "Take the target group and its attachments away; the Actuator answers inside the VPC without. A "
        "target group on a scheduler's port that serves something else is attached to that service in the "
        "same program."
    ),
    url=_ATTACHMENT_URL,
    tags=("scheduler", "elbv2", "vpc-lattice"),
    scheduler=True,
)((_made_for_scheduler, _target_of_scheduler))


@catalogue.service(
    name="scheduler-no-service-registry",
    description="a scheduler is in no Cloud Map registry and no Service Connect namespace as a server",
    severity=Severity.HIGH,
    framework=_GUIDE,
    remediation=(
        "Take serviceRegistries and serviceConnectConfiguration off the service. Two tasks at once were seen "
        "at 0/100 percent with a registry attached; Prometheus finds the task by ECS discovery instead."
    ),
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-discovery.html",
    tags=("scheduler", "ecs", "cloud-map"),
    scheduler=True,
)
@service_check
def no_service_registry(service: Resource, standing: Standing, _settings: Settings) -> Iterator[Finding]:
    """Service Connect is fine where it is off, or where the scheduler only calls others."""
    if not standing.is_scheduler:
        return
    registries = service["serviceRegistries"]
    if not registries.surely_empty:
        yield Finding(
            f"serviceRegistries is {registries.shown()}", "take serviceRegistries off the scheduler"
        )
    connect = service["serviceConnectConfiguration"]
    if connect.surely_empty or connect["enabled"].boolean() is False:
        return
    if not connect["services"].surely_empty or not connect.is_object:
        yield Finding(
            f"serviceConnectConfiguration.services is {connect['services'].shown()}",
            "take the services off, so that the scheduler is a client only",
        )


@catalogue.service(
    name="scheduler-no-public-ip",
    description="a scheduler has no public address",
    severity=Severity.CRITICAL,
    framework=Framework("AWS Foundational Security Best Practices", "ECS.2"),
    remediation="Set networkConfiguration.assignPublicIp to false, or leave it out, and use private subnets.",
    url=_NETWORK_URL,
    tags=("scheduler", "ecs", "checkov:CKV_AWS_333"),
    scheduler=True,
)
@service_check
def no_public_ip(service: Resource, standing: Standing, _settings: Settings) -> Iterator[Finding]:
    """Left out is off, in ECS's API and in the provider."""
    network = service["networkConfiguration"]
    value = network["assignPublicIp"]
    if standing.is_scheduler and not value.missing and value.boolean() is not False:
        yield Finding(
            f"networkConfiguration.assignPublicIp is {value.shown()}",
            "set networkConfiguration.assignPublicIp to false",
        )


@catalogue.stack(
    name="scheduler-ingress-from-vpc",
    description="the security groups of a scheduler let in the VPC's addresses and other groups only",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation=(
        "Give the inbound rules of the scheduler's security groups the VPC's range in plain text, another "
        "security group, or a prefix list as their source."
    ),
    url="https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html",
    tags=("scheduler", "ec2", "network"),
    scheduler=True,
    thresholds={"privateRanges": _RANGES},
)
def ingress_from_vpc(stack: Stack, settings: Settings) -> Iterator[Finding]:
    """Every port, not only the scheduler's own: nothing outside has business with the task."""
    ranges = [*PRIVATE_RANGES, *settings.texts("privateRanges")]
    view = ecs_view(stack, settings.recognition)
    groups: set[str] = set()
    ids: set[str] = set()
    for service in view.schedulers:
        named = service["networkConfiguration"]["securityGroups"].items()
        ids.update(text for item in named if (text := item.text()))
        groups.update(
            other.urn_text
            for other in stack.referenced(service, "networkConfiguration")
            if other.canonical_type == SECURITY_GROUP
        )
    for resource in stack.of(*INGRESS_TYPES) if groups or ids else ():
        own = resource["id"].text() or "", resource["securityGroupId"].text() or ""
        attached = (
            resource.urn_text in groups
            or any(identifier in ids for identifier in own if identifier)
            or any(group.urn_text in groups for group in stack.referenced(resource, "securityGroupId"))
        )
        if attached:
            yield from _outside(resource, stack, ranges)


def _outside(resource: Resource, stack: Stack, ranges: list[str]) -> Iterator[Finding]:
    if resource["ingress"].unknown and not resource.property_dependencies.get("ingress"):
        return  # the provider works the list out from standalone rules, which are judged on their own
    for ingress in ingress_of(resource):
        for cidr in ingress.cidrs:
            text = cidr.text()
            if text is not None and within(text, ranges):
                continue
            if text is None and _comes_from_network(resource, ingress, stack):
                continue
            yield Finding(
                f"{cidr.path} is {cidr.shown()} and opens {ingress.ports_shown()} of a scheduler",
                "give the VPC's range in plain text",
                resource,
            )


def _comes_from_network(resource: Resource, ingress: Ingress, stack: Stack) -> bool:
    """Whether an unknown range is an output of a VPC or a subnet, and of nothing else."""
    names = (
        ("ingress",)
        if ingress.path.startswith("ingress")
        else ("cidrBlocks", "ipv6CidrBlocks", "cidrIpv4", "cidrIpv6")
    )
    sources = [
        other for other in stack.referenced(resource, *names) if other.canonical_type != SECURITY_GROUP
    ]
    return bool(sources) and all(source.canonical_type in _NETWORK_TYPES for source in sources)
