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
from ..recognition import component_and_role_evidence, service_evidence
from ..resources import ECS_SERVICE, SCHEDULER_COMPONENT, Resource, Stack
from ..rule import FILEFLOW, Catalogue, Finding, Framework, Settings, Threshold

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
_RANGES: Final = Threshold(
    list(PRIVATE_RANGES),
    {"type": "array", "items": {"type": "string", "minLength": 1}},
    "address ranges that count as inside the VPC",
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


@catalogue.resource(
    ECS_SERVICE,
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
)
def no_load_balancer(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """An attachment that can't be read counts as one."""
    if not service_evidence(resource, settings.recognition):
        return
    for name in ("loadBalancers", "vpcLatticeConfigurations"):
        value = resource[name]
        if not value.surely_empty:
            yield Finding(f"{name} is {value.shown()}", f"take {name} off the scheduler")


@catalogue.resource(
    *_TARGET_TYPES,
    *_BALANCER_TYPES,
    name="scheduler-no-target-group",
    description="no target group, listener or load balancer is made for a scheduler",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation=(
        "Take the target group and its attachments away; the Actuator answers inside the VPC without."
    ),
    url=_ATTACHMENT_URL,
    tags=("scheduler", "elbv2", "vpc-lattice"),
    locked=True,
)
def no_target_group(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """By the component around it, its role tag, its name, or a scheduler's port."""
    evidence = list(component_and_role_evidence(resource, settings.recognition))
    name = resource["name"]
    text = name.text()
    if text and settings.recognition.names_scheduler(text):
        evidence.append(f"its name {name.shown()} is a scheduler's")
    if resource.canonical_type in _TARGET_TYPES:
        for port in (resource["port"], resource["target"]["port"], resource["config"]["port"]):
            if port.integer() in settings.recognition.ports:
                evidence.append(f"{port.path} is {port.shown()}, a scheduler's port")
    if evidence:
        yield Finding(evidence[0], "take it away; a scheduler takes no traffic from a load balancer")


@catalogue.stack(
    name="scheduler-no-target-by-reference",
    description="no target group attachment refers to a scheduler's service or task",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation="Take the attachment away; the Actuator answers inside the VPC without a load balancer.",
    url=_ATTACHMENT_URL,
    tags=("scheduler", "elbv2", "vpc-lattice"),
    locked=True,
)
def no_target_by_reference(stack: Stack, settings: Settings) -> Iterator[Finding]:
    """By what the attachment depends on, since a task's address is never known beforehand."""
    view = ecs_view(stack, settings.recognition)
    for resource in stack.of(*_TARGET_TYPES):
        if list(no_target_group(resource, settings)):
            continue
        for other in stack.referenced(resource, *resource.property_dependencies):
            if view.is_scheduler(other):
                yield Finding(
                    f"it refers to the scheduler {other.name}", "take the attachment away", resource
                )
                break


@catalogue.resource(
    ECS_SERVICE,
    name="scheduler-no-service-registry",
    description="a scheduler is in no Cloud Map registry and no Service Connect namespace as a server",
    severity=Severity.HIGH,
    framework=_GUIDE,
    remediation=(
        "Take serviceRegistries and serviceConnectConfiguration off the service. Two tasks at once were "
        "seen at "
        "0/100 percent with a registry attached; Prometheus finds the task by ECS discovery instead."
    ),
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-discovery.html",
    tags=("scheduler", "ecs", "cloud-map"),
    locked=True,
)
def no_service_registry(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Service Connect is fine where it is off, or where the scheduler only calls others."""
    if not service_evidence(resource, settings.recognition):
        return
    registries = resource["serviceRegistries"]
    if not registries.surely_empty:
        yield Finding(
            f"serviceRegistries is {registries.shown()}", "take serviceRegistries off the scheduler"
        )
    connect = resource["serviceConnectConfiguration"]
    if connect.surely_empty or connect["enabled"].boolean() is False:
        return
    if not connect["services"].surely_empty or not connect.is_object:
        yield Finding(
            f"serviceConnectConfiguration.services is {connect['services'].shown()}",
            "take the services off, so that the scheduler is a client only",
        )


@catalogue.resource(
    ECS_SERVICE,
    name="scheduler-no-public-ip",
    description="a scheduler has no public address",
    severity=Severity.CRITICAL,
    framework=Framework("AWS Foundational Security Best Practices", "ECS.2"),
    remediation="Set networkConfiguration.assignPublicIp to false and use private subnets.",
    url=_NETWORK_URL,
    tags=("scheduler", "ecs", "checkov:CKV_AWS_333"),
    locked=True,
)
def no_public_ip(resource: Resource, settings: Settings) -> Iterator[Finding]:
    value = resource["networkConfiguration"]["assignPublicIp"]
    if service_evidence(resource, settings.recognition) and value.boolean() is not False:
        yield Finding(
            f"networkConfiguration.assignPublicIp is {value.shown()}",
            "set networkConfiguration.assignPublicIp to false",
        )


@catalogue.resource(
    *INGRESS_TYPES,
    name="scheduler-port-not-public",
    description="no security group opens a scheduler's port to addresses outside the VPC",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation="Open the Actuator's port to the VPC's range or to Prometheus' security group only.",
    url="https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html",
    tags=("scheduler", "ec2", "network"),
    locked=True,
    thresholds={"privateRanges": _RANGES},
)
def port_not_public(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """What can't be read here is judged where the group is attached (scheduler-ingress-from-vpc)."""
    ranges = settings.texts("privateRanges")
    for ingress in ingress_of(resource):
        open_ports = sorted(port for port in settings.recognition.ports if ingress.covers(port))
        for cidr in ingress.cidrs:
            text = cidr.text()
            if open_ports and text is not None and not within(text, ranges):
                yield Finding(
                    f"{cidr.path} {cidr.shown()} reaches port {open_ports[0]}, a scheduler's",
                    "narrow the rule to the VPC's range or to other ports",
                )


@catalogue.stack(
    name="scheduler-ingress-from-vpc",
    description="the security groups of a scheduler let in the VPC's addresses and other groups only",
    severity=Severity.CRITICAL,
    framework=_GUIDE,
    remediation=(
        "Give the inbound rules of the scheduler's security groups the VPC's range in plain text, or another "
        "security group as their source."
    ),
    url="https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html",
    tags=("scheduler", "ec2", "network"),
    locked=True,
    thresholds={"privateRanges": _RANGES},
)
def ingress_from_vpc(stack: Stack, settings: Settings) -> Iterator[Finding]:
    """Every port, not only the scheduler's own: nothing outside has business with the task."""
    ranges = settings.texts("privateRanges")
    view = ecs_view(stack, settings.recognition)
    groups = {group.urn_text for service in view.scheduler_services for group in _groups_of(service, view)}
    for resource in stack.of(*INGRESS_TYPES):
        attached = resource.urn_text in groups or any(
            group.urn_text in groups for group in stack.referenced(resource, "securityGroupId")
        )
        if attached and not list(port_not_public(resource, settings)):
            yield from _outside(resource, stack, ranges)


def _groups_of(service: Resource, view: EcsView) -> list[Resource]:
    found = [
        other
        for other in view.stack.referenced(service, "networkConfiguration")
        if other.canonical_type == SECURITY_GROUP
    ]
    ids = set(service["networkConfiguration"]["securityGroups"].texts() or ())
    if ids:
        found.extend(group for group in view.stack.of(SECURITY_GROUP) if group["id"].text() in ids)
    return found


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
        for prefix_list in ingress.prefix_lists:
            yield Finding(
                f"{prefix_list.path} is {prefix_list.shown()}, whose addresses can't be seen",
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
