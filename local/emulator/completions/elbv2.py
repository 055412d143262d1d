"""Elastic Load Balancing v2: load balancers, target groups, listeners and rules, whole and validated.

Owns the control plane. Its records live in ministack's stores, in the form that ministack's data plane
reads, so that requests to a load balancer's name are still routed to targets. Deliberately doesn't check
targets' health itself: a registered target is healthy unless its task says that it isn't.
"""

from __future__ import annotations

import copy
import ipaddress
import random
import re
import secrets
import time
from collections.abc import Iterator
from typing import Any

from ministack import app as ministack_app
from ministack.core import responses
from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region
from ministack.services import alb, ecs

from local.emulator.completions.acm import find as find_certificate
from local.emulator.completions.acm import refresh
from local.emulator.completions.ec2 import own_interfaces, users
from local.emulator.completions.ec2_security_groups import security_groups
from local.emulator.completions.ec2_subnets import subnets, vpcs
from local.emulator.completions.ecs_containers import simulated
from local.emulator.completions.ecs_health import target_health
from local.emulator.completions.inside import ask
from local.emulator.completions.patching import AwsError, Request, replace, wrap
from local.emulator.completions.protocols import Action, ModelledService, Result, serve
from local.emulator.completions.resource_policies import admits

# The hosted zones that alias records to application load balancers name, per region (from AWS's endpoint
# reference).
HOSTED_ZONES = {
    "ap-northeast-1": "Z14GRHDCWA56QT",
    "ap-northeast-2": "ZWKZPGTI48KDX",
    "ap-southeast-1": "Z1LMS91P8CMLE5",
    "eu-central-1": "Z215JYRZR1TBD5",
    "eu-west-1": "Z32O12XQLNTSW2",
    "us-east-1": "Z35SXDOTRQ7X7K",
    "us-east-2": "Z3AADJGX6KTTL2",
    "us-west-2": "Z1H1FL5HABSF5",
}
LOG_DELIVERY = "logdelivery.elasticloadbalancing.amazonaws.com"
DEFAULT_SSL_POLICY = "ELBSecurityPolicy-2016-08"
SECURE = ("HTTPS", "TLS")

LOAD_BALANCER_ATTRIBUTES = {
    "access_logs.s3.bucket": "",
    "access_logs.s3.enabled": "false",
    "access_logs.s3.prefix": "",
    "client_keep_alive.seconds": "3600",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "health_check_logs.s3.bucket": "",
    "health_check_logs.s3.enabled": "false",
    "health_check_logs.s3.prefix": "",
    "idle_timeout.timeout_seconds": "60",
    "ipv6.deny_all_igw_traffic": "false",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
}
TARGET_GROUP_ATTRIBUTES = {
    "deregistration_delay.timeout_seconds": "300",
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "slow_start.duration_seconds": "0",
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
    "stickiness.enabled": "false",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "stickiness.type": "lb_cookie",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}
_RESPONSE_HEADERS = (
    "access_control_allow_credentials",
    "access_control_allow_headers",
    "access_control_allow_methods",
    "access_control_allow_origin",
    "access_control_expose_headers",
    "access_control_max_age",
    "content_security_policy",
    "strict_transport_security",
    "x_content_type_options",
    "x_frame_options",
)
LISTENER_ATTRIBUTES = {"routing.http.response.server.enabled": "true"} | {
    f"routing.http.response.{header}.header_value": "" for header in _RESPONSE_HEADERS
}
_REQUEST_HEADERS = (
    "x_amzn_mtls_clientcert",
    "x_amzn_mtls_clientcert_issuer",
    "x_amzn_mtls_clientcert_leaf",
    "x_amzn_mtls_clientcert_serial_number",
    "x_amzn_mtls_clientcert_subject",
    "x_amzn_mtls_clientcert_validity",
    "x_amzn_tls_cipher_suite",
    "x_amzn_tls_version",
)
SECURE_LISTENER_ATTRIBUTES = {f"routing.http.request.{header}.header_name": "" for header in _REQUEST_HEADERS}

_CONDITION_CONFIGS = {
    "path-pattern": "PathPatternConfig",
    "host-header": "HostHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "source-ip": "SourceIpConfig",
    "query-string": "QueryStringConfig",
    "http-header": "HttpHeaderConfig",
}


_balancers = AccountRegionScopedDict()
_tags = AccountRegionScopedDict()
"""The tags of load balancers, target groups, listeners and rules, by ARN."""


def install() -> None:
    """Serves the control plane through its model."""
    replace(alb, "find_lb_for_host", _balancer_of_host)
    wrap(alb, "_forward_to_tg", _forward)
    users.append(_uses)
    service = ModelledService("elbv2")
    served = serve(service, ACTIONS, alb.handle_request)
    ministack_app.SERVICE_HANDLERS["elasticloadbalancing"] = served


# Requests to a load balancer


def _balancer_of_host(host: str) -> dict[str, Any] | None:
    """The load balancer of a DNS name, whoever asks: a request to it carries no account."""
    name = host.partition(":")[0].lower()
    for (account, region, _), balancer in _balancers.all_items():
        if balancer["DNSName"].lower() == name:
            responses.set_request_account_id(account)
            responses.set_request_region(region)
            found: dict[str, Any] = balancer
            return found
    return None


def _forward(original: Any) -> Any:
    """Says that nothing listens, instead of trying for long to reach a simulated container."""

    async def forward(group_arn: str, *request: Any) -> Any:
        if simulated() and alb._targets.get(group_arn):
            text = "503: the targets are simulated, no container engine runs them, so nothing listens there\n"
            return 503, {"Content-Type": "text/plain"}, text.encode()
        return await original(group_arn, *request)

    return forward


def _arn(resource: str) -> str:
    return f"arn:aws:elasticloadbalancing:{get_region()}:{get_account_id()}:{resource}"


def _new_id() -> str:
    return secrets.token_hex(8)


def _check_name(name: str, what: str) -> None:
    if len(name) > 32:
        raise AwsError("ValidationError", f"{what} name '{name}' cannot be longer than '32' characters")
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?", name) or name.startswith("internal-"):
        raise AwsError(
            "ValidationError",
            f"{what} name '{name}' can only contain characters that are alphanumeric characters and "
            "hyphens(-), must "
            "not begin or end with a hyphen, and must not begin with 'internal-'",
        )


def _find(store: Any, arn: str, code: str, what: str) -> dict[str, Any]:
    record: dict[str, Any] | None = store.get(arn)
    if record is None:
        raise AwsError(code, f"{what} '{arn}' not found")
    return record


def _balancer(arn: str) -> dict[str, Any]:
    return _find(_balancers, arn, "LoadBalancerNotFound", "Load balancer")


def _target_group(arn: str) -> dict[str, Any]:
    return _find(alb._tgs, arn, "TargetGroupNotFound", "Target group")


def _listener(arn: str) -> dict[str, Any]:
    return _find(alb._listeners, arn, "ListenerNotFound", "Listener")


def _rule(arn: str) -> dict[str, Any]:
    return _find(alb._rules, arn, "RuleNotFound", "Rule")


def _uses(resource: str) -> bool:
    return any(
        resource in (*balancer["Subnets"], *balancer["SecurityGroups"]) for balancer in _balancers.values()
    )


# Attributes


def _listed(attributes: dict[str, str]) -> Result:
    return {"Attributes": [{"Key": key, "Value": value} for key, value in attributes.items()]}


def _stored(store: Any, arn: str) -> dict[str, str]:
    return {attribute["Key"]: attribute["Value"] for attribute in store.get(arn, [])}


def _modify_attributes(store: Any, arn: str, request: Request, what: str) -> Result:
    attributes = _stored(store, arn)
    for attribute in request.get("Attributes", []):
        key = attribute["Key"]
        if key not in attributes:
            raise AwsError("ValidationError", f"{what} attribute key '{key}' is not recognized")
        attributes[key] = attribute.get("Value", "")
    store[arn] = _listed(attributes)["Attributes"]
    return _listed(attributes)


def _add_tags(request: Request) -> Result:
    for arn in request["ResourceArns"]:
        given = {tag["Key"]: tag for tag in request["Tags"]}
        _tags[arn] = [tag for tag in _tagged(arn) if tag["Key"] not in given] + list(given.values())
    return {}


def _remove_tags(request: Request) -> Result:
    for arn in request["ResourceArns"]:
        _tags[arn] = [tag for tag in _tagged(arn) if tag["Key"] not in request["TagKeys"]]
    return {}


def _describe_tags(request: Request) -> Result:
    """Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html"""
    described = [{"ResourceArn": arn, "Tags": _tagged(arn)} for arn in request["ResourceArns"]]
    return {"TagDescriptions": described}


_KINDS = {"loadbalancer": "LoadBalancer", "targetgroup": "TargetGroup", "listener": "Listener"}


def _tagged(arn: str) -> list[dict[str, str]]:
    if arn not in _tags:
        kind = _KINDS.get(arn.rpartition(":")[2].partition("/")[0], "Rule")
        raise AwsError(f"{kind}NotFound", f"{kind} '{arn}' not found")
    tags: list[dict[str, str]] = _tags[arn]
    return tags


# Load balancers


def _zones(subnet_ids: list[str]) -> list[dict[str, Any]]:
    known = subnets()
    return [
        {
            "ZoneName": known.get(subnet, {}).get("AvailabilityZone", f"{get_region()}a"),
            "SubnetId": subnet,
            "LoadBalancerAddresses": [],
        }
        for subnet in subnet_ids
    ]


def _shown_balancer(balancer: dict[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in balancer.items() if name != "Subnets"}
    return shown | {
        "State": {"Code": balancer["State"]},
        "AvailabilityZones": _zones(balancer["Subnets"]),
        "CanonicalHostedZoneId": HOSTED_ZONES.get(get_region(), HOSTED_ZONES["us-east-1"]),
    }


def _subnets_of(request: Request) -> list[str]:
    mapped = [mapping["SubnetId"] for mapping in request.get("SubnetMappings") or []]
    return list(request.get("Subnets") or mapped)


def _check_subnets(wanted: list[str]) -> str:
    """Returns the VPC of the subnets, which must lie in two zones of it at least."""
    known = subnets()
    for subnet in wanted:
        if subnet not in known:
            raise AwsError("SubnetNotFound", f"The subnet ID '{subnet}' does not exist")
        # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
        if ipaddress.IPv4Network(known[subnet]["CidrBlock"]).prefixlen > 27:
            raise AwsError(
                "InvalidSubnet",
                f"Not enough IP space available in {subnet}. ELB requires a CIDR block of /27 or larger, "
                "with at least 8 free IP addresses in each subnet.",
            )
    vpcs = {known[subnet]["VpcId"] for subnet in wanted}
    zones = [known[subnet]["AvailabilityZone"] for subnet in wanted]
    if len(set(zones)) < 2:
        raise AwsError(
            "ValidationError", "At least two subnets in two different Availability Zones must be specified"
        )
    if len(set(zones)) < len(zones):
        raise AwsError(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    if len(vpcs) > 1:
        raise AwsError("InvalidConfigurationRequest", "The subnets must all be of the same VPC")
    return str(vpcs.pop())


def _check_groups(groups: list[str], vpc: str) -> None:
    known = security_groups()
    for group in groups:
        found = known.get(group)
        if found is None or found.get("VpcId") != vpc:
            raise AwsError(
                "InvalidSecurityGroup", f"The security group '{group}' does not exist in the VPC {vpc}"
            )


def _default_group(vpc: str) -> list[str]:
    return [
        group["GroupId"]
        for group in security_groups().values()
        if group.get("VpcId") == vpc and group["GroupName"] == "default"
    ]


def _create_load_balancer(request: Request) -> Result:
    name = request["Name"]
    _check_name(name, "The load balancer")
    if any(balancer["LoadBalancerName"] == name for balancer in _balancers.values()):
        raise AwsError("DuplicateLoadBalancerName", f"A load balancer with the same name '{name}' exists")
    kind = request.get("Type", "application")
    if kind != "application":
        raise AwsError(
            "ValidationError", f"The emulated load balancing serves the type application only, not {kind!r}"
        )
    subnet_ids = _subnets_of(request)
    vpc = _check_subnets(subnet_ids)
    groups = request.get("SecurityGroups") or _default_group(vpc)
    _check_groups(groups, vpc)
    scheme = request.get("Scheme", "internet-facing")
    prefix = "internal-" if scheme == "internal" else ""
    # A name resolves as DNS does: digits after the name, as AWS appends them.
    digits = random.randint(100_000_000, 2_147_483_647)
    arn = _arn(f"loadbalancer/app/{name}/{_new_id()}")
    balancer = {
        "LoadBalancerArn": arn,
        "LoadBalancerName": name,
        "DNSName": f"{prefix}{name}-{digits}.{get_region()}.elb.amazonaws.com",
        "Scheme": scheme,
        "VpcId": vpc,
        "State": "active",
        "Type": kind,
        "Subnets": subnet_ids,
        "SecurityGroups": groups,
        "IpAddressType": request.get("IpAddressType", "ipv4"),
        "CreatedTime": time.time(),
    }
    _balancers[arn] = balancer
    _tags[arn] = request.get("Tags") or []
    alb._lb_attrs[arn] = _listed(LOAD_BALANCER_ATTRIBUTES)["Attributes"]
    return {"LoadBalancers": [_shown_balancer(balancer)]}


def _describe_load_balancers(request: Request) -> Result:
    arns, names = request.get("LoadBalancerArns"), request.get("Names")
    for name in names or []:
        if len(name) > 32:
            raise AwsError(
                "ValidationError", f"The load balancer name '{name}' cannot be longer than '32' characters"
            )
    found = [
        balancer
        for balancer in _balancers.values()
        if (not arns or balancer["LoadBalancerArn"] in arns)
        and (not names or balancer["LoadBalancerName"] in names)
    ]
    if len(found) < len(arns or names or []):
        raise AwsError("LoadBalancerNotFound", "One or more load balancers not found")
    return {"LoadBalancers": [_shown_balancer(balancer) for balancer in found]}


def _delete_load_balancer(request: Request) -> Result:
    arn = request["LoadBalancerArn"]
    if arn not in _balancers:
        return {}
    if _stored(alb._lb_attrs, arn).get("deletion_protection.enabled") == "true":
        raise AwsError(
            "OperationNotPermitted",
            f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
        )
    for listener_arn in [key for key, value in alb._listeners.items() if value["LoadBalancerArn"] == arn]:
        _remove_listener(listener_arn)
    for store in (_balancers, alb._lb_attrs, _tags):
        store.pop(arn, None)
    _relink()
    return {}


def _describe_load_balancer_attributes(request: Request) -> Result:
    _balancer(request["LoadBalancerArn"])
    return _listed(_stored(alb._lb_attrs, request["LoadBalancerArn"]))


def _modify_load_balancer_attributes(request: Request) -> Result:
    balancer = _balancer(request["LoadBalancerArn"])
    _check_access_logs(balancer["LoadBalancerArn"], request)
    return _modify_attributes(alb._lb_attrs, request["LoadBalancerArn"], request, "Load balancer")


def _check_access_logs(arn: str, request: Request) -> None:
    """Refuses a bucket for access logs that the load balancer may not write to, as AWS does by trying.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
    """
    changed = {item["Key"]: item.get("Value", "") for item in request.get("Attributes", [])}
    if not any(key.startswith("access_logs.s3.") for key in changed):
        return
    attributes = _stored(alb._lb_attrs, arn) | changed
    if attributes["access_logs.s3.enabled"] != "true":
        return
    bucket, prefix = attributes["access_logs.s3.bucket"], attributes["access_logs.s3.prefix"]
    try:
        policy = ask("s3", "GetBucketPolicy", {"Bucket": bucket})["Policy"]
    except AwsError as error:
        if error.code == "NoSuchBucket":
            raise AwsError("InvalidConfigurationRequest", f"S3 bucket {bucket} does not exist") from error
        policy = None
    folder = f"{prefix}/" if prefix else ""
    test_file = f"arn:aws:s3:::{bucket}/{folder}AWSLogs/{get_account_id()}/ELBAccessLogTestFile"
    context = {"aws:SourceArn": arn, "aws:SecureTransport": "true"}
    if not admits(policy, LOG_DELIVERY, "s3:PutObject", test_file, context):
        raise AwsError(
            "InvalidConfigurationRequest",
            f"Access Denied for bucket: {bucket}. Please check S3bucket permission",
        )


def _set_subnets(request: Request) -> Result:
    balancer = _balancer(request["LoadBalancerArn"])
    subnet_ids = _subnets_of(request)
    if _check_subnets(subnet_ids) != balancer["VpcId"]:
        raise AwsError("InvalidConfigurationRequest", "The subnets must be of the load balancer's VPC")
    balancer["Subnets"] = subnet_ids
    balancer["IpAddressType"] = request.get("IpAddressType") or balancer["IpAddressType"]
    return {"AvailabilityZones": _zones(subnet_ids), "IpAddressType": balancer["IpAddressType"]}


def _set_security_groups(request: Request) -> Result:
    balancer = _balancer(request["LoadBalancerArn"])
    _check_groups(request["SecurityGroups"], balancer["VpcId"])
    balancer["SecurityGroups"] = request["SecurityGroups"]
    return {"SecurityGroupIds": request["SecurityGroups"]}


def _set_ip_address_type(request: Request) -> Result:
    balancer = _balancer(request["LoadBalancerArn"])
    balancer["IpAddressType"] = request["IpAddressType"]
    return {"IpAddressType": request["IpAddressType"]}


def _describe_capacity_reservation(request: Request) -> Result:
    balancer = _balancer(request["LoadBalancerArn"])
    minimum = balancer.get("MinimumLoadBalancerCapacity")
    return {"MinimumLoadBalancerCapacity": minimum, "CapacityReservationState": []}


# Target groups


def _create_target_group(request: Request) -> Result:
    name = request["Name"]
    _check_name(name, "Target group")
    if any(group["TargetGroupName"] == name for group in alb._tgs.values()):
        raise AwsError("DuplicateTargetGroupName", f"A target group with the same name '{name}' exists")
    target_type = request.get("TargetType", "instance")
    for needed in ("Protocol", "Port", "VpcId"):
        if target_type != "lambda" and not request.get(needed):
            raise AwsError("ValidationError", f"A {needed} must be specified")
    if request.get("VpcId") and request["VpcId"] not in vpcs():
        raise AwsError("ValidationError", f"The VPC ID '{request['VpcId']}' is not found")
    arn = _arn(f"targetgroup/{name}/{_new_id()}")
    group = {
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": "traffic-port",
        "HealthCheckEnabled": True,
        "HealthCheckPath": "/",
        "HealthCheckIntervalSeconds": 30,
        "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2,
        "Matcher": {"HttpCode": "200"},
        "ProtocolVersion": "HTTP1",
        "IpAddressType": "ipv4",
        "TargetType": target_type,
        **{name: value for name, value in request.items() if name not in {"Name", "Tags"}},
        "TargetGroupArn": arn,
        "TargetGroupName": name,
        "LoadBalancerArns": [],
    }
    _check_health_check(group)
    alb._tgs[arn] = group
    alb._targets[arn] = []
    _tags[arn] = request.get("Tags") or []
    alb._tg_attrs[arn] = _listed(TARGET_GROUP_ATTRIBUTES)["Attributes"]
    return {"TargetGroups": [group]}


def _check_health_check(group: dict[str, Any]) -> None:
    interval, timeout = group["HealthCheckIntervalSeconds"], group["HealthCheckTimeoutSeconds"]
    if not 5 <= interval <= 300:
        raise AwsError("ValidationError", f"Health check interval '{interval}' must be from 5 to 300 seconds")
    if not 2 <= timeout <= 120 or timeout >= interval:
        raise AwsError(
            "ValidationError",
            f"Health check timeout '{timeout}' must be from 2 to 120 seconds and smaller than the interval "
            f"'{interval}'",
        )
    for name in ("HealthyThresholdCount", "UnhealthyThresholdCount"):
        if not 2 <= group[name] <= 10:
            raise AwsError("ValidationError", f"{name} '{group[name]}' must be from 2 to 10")


def _describe_target_groups(request: Request) -> Result:
    arns, names = request.get("TargetGroupArns"), request.get("Names")
    balancer = request.get("LoadBalancerArn")
    found = [
        group
        for group in alb._tgs.values()
        if (not arns or group["TargetGroupArn"] in arns)
        and (not names or group["TargetGroupName"] in names)
        and (not balancer or balancer in group["LoadBalancerArns"])
    ]
    if len(found) < len(arns or names or []):
        raise AwsError("TargetGroupNotFound", "One or more target groups not found")
    return {"TargetGroups": found}


def _modify_target_group(request: Request) -> Result:
    group = _target_group(request["TargetGroupArn"])
    changed = group | request
    _check_health_check(changed)
    group.update(request)
    return {"TargetGroups": [group]}


def _delete_target_group(request: Request) -> Result:
    arn = request["TargetGroupArn"]
    if arn in set(_used_target_groups()):
        raise AwsError("ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule")
    for store in (alb._tgs, alb._targets, alb._tg_attrs, _tags):
        store.pop(arn, None)
    return {}


def _describe_target_group_attributes(request: Request) -> Result:
    _target_group(request["TargetGroupArn"])
    return _listed(_stored(alb._tg_attrs, request["TargetGroupArn"]))


def _modify_target_group_attributes(request: Request) -> Result:
    _target_group(request["TargetGroupArn"])
    return _modify_attributes(alb._tg_attrs, request["TargetGroupArn"], request, "Target group")


def _describe_target_health(request: Request) -> Result:
    group = _target_group(request["TargetGroupArn"])
    wanted = {target["Id"] for target in request.get("Targets") or []}
    descriptions = []
    for target in alb._targets.get(request["TargetGroupArn"], []):
        if wanted and target["Id"] not in wanted:
            continue
        port = target.get("Port", group["Port"])
        descriptions.append(
            {
                "Target": {"Id": target["Id"], "Port": port, "AvailabilityZone": _zone_of(target["Id"])},
                "HealthCheckPort": str(port),
                "TargetHealth": _health(group, target["Id"]),
            }
        )
    return {"TargetHealthDescriptions": descriptions}


def _zone_of(address: str) -> str:
    for interface in own_interfaces.values():
        if interface["PrivateIpAddress"] == address:
            return str(interface["AvailabilityZone"])
    return "all"


def _health(group: dict[str, Any], address: str) -> dict[str, str]:
    if not group["LoadBalancerArns"]:
        return {
            "State": "unused",
            "Reason": "Target.NotInUse",
            "Description": "Target group is not configured to receive traffic from the load balancer",
        }
    for task in ecs._tasks.values():
        if task.get("lastStatus") == "RUNNING" and ecs._task_ip(task) == address:
            return target_health(task, group["TargetGroupArn"])
    return {"State": "healthy"}


# Listeners and rules


def _used_target_groups() -> Iterator[str]:
    for rule in alb._rules.values():
        for action in rule["_actions"]:
            yield from _groups_of(action)


def _groups_of(action: dict[str, Any]) -> list[str]:
    if action.get("TargetGroupArn"):
        return [action["TargetGroupArn"]]
    forward = action.get("ForwardConfig") or {}
    return [group["TargetGroupArn"] for group in forward.get("TargetGroups") or []]


def _relink() -> None:
    """Writes into each target group which load balancers use it, by way of listeners and rules."""
    used: dict[str, list[str]] = {}
    for rule in alb._rules.values():
        balancer = alb._listeners[rule["ListenerArn"]]["LoadBalancerArn"]
        for action in rule["_actions"]:
            for group in _groups_of(action):
                if balancer not in used.setdefault(group, []):
                    used[group].append(balancer)
    for arn, group in alb._tgs.items():
        group["LoadBalancerArns"] = used.get(arn, [])


def _completed_actions(actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The actions as AWS returns them."""
    completed = []
    for number, given in enumerate(actions, start=1):
        action = {"Order": number} | copy.deepcopy(given)
        for group in _groups_of(action):
            _target_group(group)
        if action["Type"] == "forward":
            groups = _groups_of(action)
            if not groups:
                raise AwsError(
                    "ValidationError", "A target group must be specified for an action of type 'forward'"
                )
            forward = action.setdefault("ForwardConfig", {})
            forward.setdefault("TargetGroups", [{"TargetGroupArn": groups[0]}])
            for group_tuple in forward["TargetGroups"]:
                group_tuple.setdefault("Weight", 1)
            stickiness = forward.get("TargetGroupStickinessConfig", {})
            forward["TargetGroupStickinessConfig"] = {"Enabled": False} | stickiness
            if len(forward["TargetGroups"]) == 1:
                action["TargetGroupArn"] = groups[0]
        if action["Type"] == "redirect":
            action["RedirectConfig"] = {
                "Protocol": "#{protocol}",
                "Port": "#{port}",
                "Host": "#{host}",
                "Path": "/#{path}",
                "Query": "#{query}",
            } | action["RedirectConfig"]
        completed.append(action)
    return completed


def _routed(actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The actions as ministack's data plane reads them: a weighted forward goes to its heaviest target
    group."""
    routed = []
    for action in actions:
        groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
        weighted = action["Type"] == "forward" and len(groups) > 1
        heaviest = max(groups, key=lambda group: group.get("Weight", 1)) if weighted else {}
        routed.append(action | heaviest)
    return routed


def _shown_listener(listener: dict[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in listener.items() if not name.startswith("_")}
    shown["DefaultActions"] = listener["_actions"]
    shown["Certificates"] = [{"CertificateArn": arn} for arn in listener.get("Certificates", [])]
    if listener["Protocol"] in SECURE:
        shown.setdefault("MutualAuthentication", {"Mode": "off"})
    else:
        shown.pop("Certificates")
    return shown


def _store_listener(listener: dict[str, Any], request: Request) -> None:
    """Applies what a create or modify request says, after all of it was found valid."""
    protocol = request.get("Protocol") or listener.get("Protocol")
    port = request.get("Port") or listener.get("Port")
    for other in alb._listeners.values():
        same = other["LoadBalancerArn"] == listener["LoadBalancerArn"] and other["Port"] == port
        if same and other["ListenerArn"] != listener["ListenerArn"]:
            raise AwsError(
                "DuplicateListener", "A listener already exists on this port for this load balancer"
            )
    if protocol not in {"HTTP", "HTTPS"}:
        raise AwsError("ValidationError", f"Listener protocol '{protocol}' must be one of 'HTTPS, HTTP'")
    certificates = [item["CertificateArn"] for item in request.get("Certificates") or []]
    if len(certificates) > 1:
        raise AwsError("TooManyCertificates", "Up to '1' certificate ARNs can be specified")
    certificates = certificates or listener.get("Certificates") or []
    if protocol == "HTTPS":
        _check_certificate(certificates)
    elif request.get("Certificates") or request.get("SslPolicy"):
        raise AwsError(
            "ValidationError", "Certificates and SSL policies are only supported on HTTPS listeners"
        )
    actions = _completed_actions(request["DefaultActions"]) if request.get("DefaultActions") else None
    listener |= {"Protocol": protocol, "Port": port}
    if protocol == "HTTPS":
        listener["Certificates"] = certificates
        listener["SslPolicy"] = request.get("SslPolicy") or listener.get("SslPolicy") or DEFAULT_SSL_POLICY
        if request.get("MutualAuthentication"):
            listener["MutualAuthentication"] = request["MutualAuthentication"]
    else:
        for name in ("Certificates", "SslPolicy", "MutualAuthentication"):
            listener.pop(name, None)
    if actions is not None:
        listener["_actions"] = actions
        listener["DefaultActions"] = _routed(actions)


def _check_certificate(arns: list[str]) -> None:
    if not arns:
        raise AwsError("ValidationError", "A certificate must be specified for HTTPS listeners")
    for arn in arns:
        if ":acm:" not in arn:
            continue
        certificate = find_certificate(arn)
        if certificate is None:
            raise AwsError("CertificateNotFound", f"Certificate '{arn}' not found")
        refresh(certificate)
        if certificate["Status"] != "ISSUED":
            raise AwsError(
                "UnsupportedCertificate",
                f"The certificate '{arn}' is {certificate['Status']}; only one that is ISSUED can be used",
            )


def _create_listener(request: Request) -> Result:
    balancer = _balancer(request["LoadBalancerArn"])
    tail = balancer["LoadBalancerArn"].rpartition("loadbalancer/")[2]
    listener_id = _new_id()
    arn = _arn(f"listener/{tail}/{listener_id}")
    listener: dict[str, Any] = {"ListenerArn": arn, "LoadBalancerArn": balancer["LoadBalancerArn"]}
    _store_listener(listener, request)
    alb._listeners[arn] = listener
    attributes = LISTENER_ATTRIBUTES | (SECURE_LISTENER_ATTRIBUTES if listener["Protocol"] == "HTTPS" else {})
    alb._listener_attrs[arn] = _listed(attributes)["Attributes"]
    _tags[arn] = request.get("Tags") or []
    rule_arn = _arn(f"listener-rule/{tail}/{listener_id}/{_new_id()}")
    alb._rules[rule_arn] = {
        "RuleArn": rule_arn,
        "ListenerArn": arn,
        "Priority": "default",
        "Conditions": [],
        "Actions": listener["DefaultActions"],
        "IsDefault": True,
        "_actions": listener["_actions"],
        "_conditions": [],
        "Transforms": [],
    }
    _relink()
    return {"Listeners": [_shown_listener(listener)]}


def _describe_listeners(request: Request) -> Result:
    arns = request.get("ListenerArns")
    if arns:
        return {"Listeners": [_shown_listener(_listener(arn)) for arn in arns]}
    balancer = _balancer(request.get("LoadBalancerArn", ""))
    return {
        "Listeners": [
            _shown_listener(listener)
            for listener in alb._listeners.values()
            if listener["LoadBalancerArn"] == balancer["LoadBalancerArn"]
        ]
    }


def _modify_listener(request: Request) -> Result:
    listener = _listener(request["ListenerArn"])
    _store_listener(listener, request)
    for rule in alb._rules.values():
        if rule["ListenerArn"] == listener["ListenerArn"] and rule["IsDefault"]:
            rule["Actions"], rule["_actions"] = listener["DefaultActions"], listener["_actions"]
    _relink()
    return {"Listeners": [_shown_listener(listener)]}


def _remove_listener(arn: str) -> None:
    for rule_arn in [key for key, rule in alb._rules.items() if rule["ListenerArn"] == arn]:
        alb._rules.pop(rule_arn, None)
        _tags.pop(rule_arn, None)
    for store in (alb._listeners, alb._listener_attrs, _tags):
        store.pop(arn, None)


def _delete_listener(request: Request) -> Result:
    _listener(request["ListenerArn"])
    _remove_listener(request["ListenerArn"])
    _relink()
    return {}


def _describe_listener_attributes(request: Request) -> Result:
    _listener(request["ListenerArn"])
    return _listed(_stored(alb._listener_attrs, request["ListenerArn"]))


def _modify_listener_attributes(request: Request) -> Result:
    _listener(request["ListenerArn"])
    return _modify_attributes(alb._listener_attrs, request["ListenerArn"], request, "Listener")


def _completed_conditions(conditions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conditions as AWS returns them: values in the typed form, and in the flat one where there is
    one."""
    completed = []
    for given in conditions:
        condition = copy.deepcopy(given)
        field = condition.get("Field", "")
        if field not in _CONDITION_CONFIGS:
            raise AwsError(
                "ValidationError", f"Condition field '{field}' must be one of {list(_CONDITION_CONFIGS)}"
            )
        config = condition.setdefault(_CONDITION_CONFIGS[field], {})
        values = config.get("Values") or condition.get("Values") or []
        if not values and not config.get("RegexValues"):
            raise AwsError("ValidationError", f"A condition value must be specified for the field '{field}'")
        config["Values"] = values
        condition.pop("Values", None)
        if field in {"path-pattern", "host-header"}:
            condition["Values"] = values
        completed.append(condition)
    return completed


def _matched(conditions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conditions as ministack's data plane reads them."""
    matched = []
    for condition in conditions:
        values = condition[_CONDITION_CONFIGS[condition["Field"]]]["Values"]
        flat = [] if condition["Field"] in {"query-string", "http-header"} else values
        matched.append(condition | {"Values": flat})
    return matched


def _shown_rule(rule: dict[str, Any]) -> dict[str, Any]:
    return {
        "RuleArn": rule["RuleArn"],
        "Priority": rule["Priority"],
        "Conditions": rule["_conditions"],
        "Actions": rule["_actions"],
        "IsDefault": rule["IsDefault"],
        "Transforms": rule.get("Transforms") or [],
    }


def _check_priority(listener: str, priority: str, of_rules: set[str]) -> None:
    if not priority.isdigit() or not 1 <= int(priority) <= 50000:
        raise AwsError("ValidationError", f"Priority '{priority}' must be from 1 to 50000")
    for rule in alb._rules.values():
        same = rule["ListenerArn"] == listener and rule["Priority"] == priority
        if same and rule["RuleArn"] not in of_rules:
            raise AwsError("PriorityInUse", f"Priority '{priority}' is currently in use")


def _create_rule(request: Request) -> Result:
    listener = _listener(request["ListenerArn"])
    priority = str(request["Priority"])
    _check_priority(listener["ListenerArn"], priority, set())
    conditions = _completed_conditions(request["Conditions"])
    actions = _completed_actions(request["Actions"])
    tail = listener["ListenerArn"].rpartition(":listener/")[2]
    arn = _arn(f"listener-rule/{tail}/{_new_id()}")
    rule = {
        "RuleArn": arn,
        "ListenerArn": listener["ListenerArn"],
        "Priority": priority,
        "Conditions": _matched(conditions),
        "Actions": _routed(actions),
        "IsDefault": False,
        "_conditions": conditions,
        "_actions": actions,
        "Transforms": request.get("Transforms") or [],
    }
    alb._rules[arn] = rule
    _tags[arn] = request.get("Tags") or []
    _relink()
    return {"Rules": [_shown_rule(rule)]}


def _describe_rules(request: Request) -> Result:
    arns = request.get("RuleArns")
    if arns:
        return {"Rules": [_shown_rule(_rule(arn)) for arn in arns]}
    listener = _listener(request.get("ListenerArn", ""))
    rules = [rule for rule in alb._rules.values() if rule["ListenerArn"] == listener["ListenerArn"]]
    rules.sort(key=lambda rule: 50001 if rule["IsDefault"] else int(rule["Priority"]))
    return {"Rules": [_shown_rule(rule) for rule in rules]}


def _modify_rule(request: Request) -> Result:
    rule = _rule(request["RuleArn"])
    if rule["IsDefault"]:
        raise AwsError("OperationNotPermitted", f"Default rule '{rule['RuleArn']}' cannot be modified")
    conditions = _completed_conditions(request.get("Conditions") or []) or rule["_conditions"]
    actions = _completed_actions(request.get("Actions") or []) or rule["_actions"]
    rule |= {
        "_conditions": conditions,
        "Conditions": _matched(conditions),
        "_actions": actions,
        "Actions": _routed(actions),
    }
    if "Transforms" in request or request.get("ResetTransforms"):
        rule["Transforms"] = request.get("Transforms") or []
    _relink()
    return {"Rules": [_shown_rule(rule)]}


def _delete_rule(request: Request) -> Result:
    rule = _rule(request["RuleArn"])
    if rule["IsDefault"]:
        raise AwsError("OperationNotPermitted", f"Default rule '{rule['RuleArn']}' cannot be deleted")
    alb._rules.pop(rule["RuleArn"])
    _tags.pop(rule["RuleArn"], None)
    _relink()
    return {}


def _set_rule_priorities(request: Request) -> Result:
    changed = {item["RuleArn"]: str(item["Priority"]) for item in request["RulePriorities"]}
    rules = {arn: _rule(arn) for arn in changed}
    for arn, priority in changed.items():
        _check_priority(rules[arn]["ListenerArn"], priority, set(changed))
    for arn, priority in changed.items():
        rules[arn]["Priority"] = priority
    return {"Rules": [_shown_rule(rule) for rule in rules.values()]}


ACTIONS: dict[str, Action] = {
    "AddTags": _add_tags,
    "RemoveTags": _remove_tags,
    "DescribeTags": _describe_tags,
    "CreateLoadBalancer": _create_load_balancer,
    "DescribeLoadBalancers": _describe_load_balancers,
    "DeleteLoadBalancer": _delete_load_balancer,
    "DescribeLoadBalancerAttributes": _describe_load_balancer_attributes,
    "ModifyLoadBalancerAttributes": _modify_load_balancer_attributes,
    "SetSubnets": _set_subnets,
    "SetSecurityGroups": _set_security_groups,
    "SetIpAddressType": _set_ip_address_type,
    "DescribeCapacityReservation": _describe_capacity_reservation,
    "CreateTargetGroup": _create_target_group,
    "DescribeTargetGroups": _describe_target_groups,
    "ModifyTargetGroup": _modify_target_group,
    "DeleteTargetGroup": _delete_target_group,
    "DescribeTargetGroupAttributes": _describe_target_group_attributes,
    "ModifyTargetGroupAttributes": _modify_target_group_attributes,
    "DescribeTargetHealth": _describe_target_health,
    "CreateListener": _create_listener,
    "DescribeListeners": _describe_listeners,
    "ModifyListener": _modify_listener,
    "DeleteListener": _delete_listener,
    "DescribeListenerAttributes": _describe_listener_attributes,
    "ModifyListenerAttributes": _modify_listener_attributes,
    "CreateRule": _create_rule,
    "DescribeRules": _describe_rules,
    "ModifyRule": _modify_rule,
    "DeleteRule": _delete_rule,
    "SetRulePriorities": _set_rule_priorities,
}
