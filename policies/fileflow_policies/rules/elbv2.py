"""Load balancers: encrypted, logged, protected, in more than one zone, and checking their targets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from ..resources import Resource
from ..rule import FSBP, PASSING_STACKS, WELL_ARCHITECTED, Catalogue, Finding, Framework, Settings, Threshold
from ..values import Value

catalogue: Final = Catalogue()

LOAD_BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
LISTENER: Final = "aws:lb/listener:Listener"
TARGET_GROUP: Final = "aws:lb/targetGroup:TargetGroup"
_CONTROLS_URL: Final = "https://docs.aws.amazon.com/securityhub/latest/userguide/elb-controls.html"
_TEXTS: Final = {"type": "array", "items": {"type": "string", "minLength": 1}}


def _is_application(resource: Resource) -> bool:
    """An application load balancer, which is what a load balancer without a type is."""
    kind = resource["loadBalancerType"]
    return kind.text() not in ("network", "gateway")


@catalogue.resource(
    LISTENER,
    name="elbv2-redirects-to-https",
    description="a listener for HTTP does nothing but redirect to HTTPS",
    severity=Severity.HIGH,
    framework=Framework(FSBP, "ELB.1"),
    remediation="Give the HTTP listener one action of type redirect with the protocol HTTPS.",
    url=_CONTROLS_URL + "#elb-1",
    tags=(
        "elbv2",
        "tls",
        "checkov:CKV_AWS_2",
        "checkov:CKV_AWS_103",
        "prowler:elbv2_ssl_listeners",
        "isms-p:2.7.1",
        "isms-p:2.10.2",
    ),
    production=True,
    setting="web_api.load_balancer.certificate_arn, or host_name, in place of plain_http",
)
def redirects_to_https(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    """A listener without a protocol speaks HTTP on the ports where AWS takes it for that."""
    protocol, port = resource["protocol"], resource["port"]
    if protocol.missing:
        speaks_http = port.integer() in (80, 8080)
    else:
        speaks_http = protocol.text() == "HTTP" or not protocol.known
    if not speaks_http:
        return
    actions = resource["defaultActions"].items()
    for action in actions:
        kind = action["type"]
        target = action["redirect"]["protocol"]
        if kind.text() != "redirect":
            yield Finding(
                f"{kind.path} is {kind.shown()} for HTTP", "redirect to HTTPS", advisory=kind.unknown
            )
        elif target.text() != "HTTPS":
            yield Finding(
                f"{target.path} is {target.shown()}",
                "set the redirect's protocol to HTTPS",
                advisory=target.unknown,
            )
    if not actions:
        yield Finding("defaultActions is not set", "redirect to HTTPS")


@catalogue.resource(
    LISTENER,
    name="elbv2-tls-policy",
    description="a listener for HTTPS or TLS takes a policy with TLS 1.3",
    severity=Severity.MEDIUM,
    framework=Framework(FSBP, "ELB.17"),
    remediation="Set sslPolicy to ELBSecurityPolicy-TLS13-1-2-2021-06, or a later one.",
    url=_CONTROLS_URL + "#elb-17",
    tags=(
        "elbv2",
        "tls",
        "checkov:CKV_AWS_103",
        "prowler:elbv2_insecure_ssl_ciphers",
        "isms-p:2.7.1",
        "isms-p:2.10.2",
    ),
    thresholds={
        "policyPrefixes": Threshold(
            ["ELBSecurityPolicy-TLS13-1-2", "ELBSecurityPolicy-TLS13-1-3"],
            {**_TEXTS, "minItems": 1},
            "how the names of acceptable policies begin",
        )
    },
)
def tls_policy(resource: Resource, settings: Settings) -> Iterator[Finding]:
    if resource["protocol"].text() not in ("HTTPS", "TLS"):
        return
    value = resource["sslPolicy"]
    if not (value.text() or "").startswith(tuple(settings.texts("policyPrefixes"))):
        yield Finding(
            f"sslPolicy is {value.shown()}",
            "set sslPolicy to ELBSecurityPolicy-TLS13-1-2-2021-06",
            advisory=value.unknown,
        )


@catalogue.resource(
    LOAD_BALANCER,
    name="elbv2-drops-invalid-headers",
    description="a load balancer drops HTTP headers that aren't valid",
    severity=Severity.MEDIUM,
    framework=Framework(FSBP, "ELB.4"),
    remediation="Set dropInvalidHeaderFields to true.",
    url=_CONTROLS_URL + "#elb-4",
    tags=("elbv2", "checkov:CKV_AWS_131"),
)
def drops_invalid_headers(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    value = resource["dropInvalidHeaderFields"]
    if _is_application(resource) and value.boolean() is not True:
        yield Finding(
            f"dropInvalidHeaderFields is {value.shown()}",
            "set dropInvalidHeaderFields to true",
            advisory=value.unknown,
        )


@catalogue.resource(
    LOAD_BALANCER,
    name="elbv2-access-logs",
    description="a load balancer keeps access logs",
    severity=Severity.MEDIUM,
    framework=Framework(FSBP, "ELB.5"),
    remediation="Set accessLogs with a bucket and enabled true.",
    url=_CONTROLS_URL + "#elb-5",
    tags=(
        "elbv2",
        "logging",
        "checkov:CKV_AWS_91",
        "cdk-nag:AwsSolutions-ELB2",
        "prowler:elbv2_logging_enabled",
        "isms-p:2.9.4",
        "isms-p:2.10.2",
    ),
    production=True,
    setting="web_api.load_balancer.access_logs",
)
def access_logs(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    value = resource["accessLogs"]["enabled"]
    if value.boolean() is not True:
        yield Finding(
            f"accessLogs.enabled is {value.shown()}",
            "set accessLogs.enabled to true and give a bucket",
            advisory=value.unknown,
        )


@catalogue.resource(
    LOAD_BALANCER,
    name="elbv2-deletion-protection",
    description="a load balancer isn't deleted by mistake",
    severity=Severity.MEDIUM,
    framework=Framework(FSBP, "ELB.6"),
    remediation="Set enableDeletionProtection to true.",
    url=_CONTROLS_URL + "#elb-6",
    tags=(
        "elbv2",
        "checkov:CKV_AWS_150",
        "prowler:elbv2_deletion_protection",
        "isms-p:2.9.2",
    ),
    production=True,
    setting="web_api.load_balancer.deletion_protection: true",
    thresholds={"developmentStacks": PASSING_STACKS},
)
def deletion_protection(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    value = resource["enableDeletionProtection"]
    if value.boolean() is not True:
        yield Finding(
            f"enableDeletionProtection is {value.shown()}",
            "set enableDeletionProtection to true",
            advisory=value.unknown,
        )


@catalogue.resource(
    LOAD_BALANCER,
    name="elbv2-desync-mitigation",
    description="a load balancer guards its targets against HTTP desynchronisation",
    severity=Severity.MEDIUM,
    framework=Framework(FSBP, "ELB.12"),
    remediation="Set desyncMitigationMode to defensive or strictest.",
    url=_CONTROLS_URL + "#elb-12",
    tags=(
        "elbv2",
        "checkov:CKV_AWS_328",
        "prowler:elbv2_desync_mitigation_mode",
        "isms-p:2.10.2",
    ),
)
def desync_mitigation(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    """Left out is defensive."""
    value = resource["desyncMitigationMode"]
    if _is_application(resource) and not value.missing and value.text() not in ("defensive", "strictest"):
        yield Finding(
            f"desyncMitigationMode is {value.shown()}",
            "set desyncMitigationMode to defensive",
            advisory=value.unknown,
        )


@catalogue.resource(
    LOAD_BALANCER,
    name="elbv2-two-zones",
    description="a load balancer lies in two zones or more",
    severity=Severity.MEDIUM,
    framework=Framework(FSBP, "ELB.13"),
    remediation="Give subnets of two availability zones or more.",
    url=_CONTROLS_URL + "#elb-13",
    tags=(
        "elbv2",
        "availability",
        "prowler:elbv2_is_in_multiple_az",
        "isms-p:2.9.2",
    ),
)
def two_zones(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    """By the number of subnets, since their zones aren't known here; a list that is unknown as a whole
    passes.
    """
    subnets, mappings = resource["subnets"], resource["subnetMappings"]
    if subnets.unknown or mappings.unknown:
        return
    if _count(subnets) + _count(mappings) < 2:
        shown = mappings if subnets.missing else subnets
        yield Finding(
            f"{shown.path} is {shown.shown()}", "give subnets of two zones or more", advisory=shown.unknown
        )


def _count(value: Value) -> int:
    return len(value.raw) if value.known and isinstance(value.raw, list) else 0


@catalogue.resource(
    TARGET_GROUP,
    name="elbv2-target-health-check",
    description="a target group checks the health of its targets by a path of the application",
    severity=Severity.MEDIUM,
    framework=Framework(WELL_ARCHITECTED, "REL11-BP01"),
    remediation="Set healthCheck with enabled true and the path, such as /actuator/health.",
    url="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html",
    tags=("elbv2", "availability", "checkov:CKV_AWS_261"),
)
def target_health_check(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    check = resource["healthCheck"]
    enabled = check["enabled"]
    if not enabled.missing and enabled.boolean() is not True:
        yield Finding(
            f"healthCheck.enabled is {enabled.shown()}",
            "set healthCheck.enabled to true",
            advisory=enabled.unknown,
        )
        return
    own = check["protocol"]
    protocol = (resource["protocol"] if own.missing else own).text()
    path = check["path"]
    if protocol in ("HTTP", "HTTPS") and not path.text():
        yield Finding(f"healthCheck.path is {path.shown()}", "set healthCheck.path", advisory=path.unknown)
