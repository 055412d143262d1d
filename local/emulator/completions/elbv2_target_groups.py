"""Target groups, and the health of what is registered in them.

Owns their actions and attributes. Deliberately doesn't check targets itself: a registered target is healthy
unless its task says that it isn't.
Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html, whose
default for a timeout isn't an application load balancer's, as in
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html;
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html,
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
"""

from __future__ import annotations

from typing import Any

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import alb, ecs

from local.emulator.completions.ec2 import own_interfaces
from local.emulator.completions.ec2_subnets import vpcs
from local.emulator.completions.ecs_health import target_health
from local.emulator.completions.ecs_records import address_of
from local.emulator.completions.elbv2_records import (
    arn_of,
    attribute_actions,
    check_name,
    find_target_group,
    listed,
    new_id,
    tags_by_arn,
    targets_of,
    used_target_groups,
)
from local.emulator.completions.patching import AwsError, Request
from local.emulator.completions.protocols import Action, Result

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

_attributes = AccountRegionScopedDict()


def _create_target_group(request: Request) -> Result:
    name = request["Name"]
    check_name(name, "Target group")
    if any(group["TargetGroupName"] == name for group in alb._tgs.values()):
        raise AwsError("DuplicateTargetGroupName", f"A target group with the same name '{name}' exists")
    target_type = request.get("TargetType", "instance")
    for needed in ("Protocol", "Port", "VpcId"):
        if target_type != "lambda" and not request.get(needed):
            raise AwsError("ValidationError", f"A {needed} must be specified")
    if request.get("VpcId") and request["VpcId"] not in vpcs():
        raise AwsError("ValidationError", f"The VPC ID '{request['VpcId']}' is not found")
    arn = arn_of(f"targetgroup/{name}/{new_id()}")
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
    tags_by_arn[arn] = request.get("Tags") or []
    _attributes[arn] = listed(TARGET_GROUP_ATTRIBUTES)
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
    group = find_target_group(request["TargetGroupArn"])
    changed = group | request
    _check_health_check(changed)
    group.update(request)
    return {"TargetGroups": [group]}


def _delete_target_group(request: Request) -> Result:
    arn = request["TargetGroupArn"]
    if arn in set(used_target_groups()):
        raise AwsError("ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule")
    if arn in alb._tgs:
        alb.set_targets_for_group(arn, [], [target["Id"] for target in targets_of(arn)])
    for store in (alb._tgs, _attributes, tags_by_arn):
        store.pop(arn, None)
    return {}


def _describe_target_health(request: Request) -> Result:
    group = find_target_group(request["TargetGroupArn"])
    wanted = {target["Id"] for target in request.get("Targets") or []}
    descriptions = []
    for target in targets_of(request["TargetGroupArn"]):
        if wanted and target["Id"] not in wanted:
            continue
        port = target["Port"]
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
        if task.get("lastStatus") == "RUNNING" and address_of(task) == address:
            return target_health(task, group["TargetGroupArn"])
    return {"State": "healthy"}


ACTIONS: dict[str, Action] = {
    "CreateTargetGroup": _create_target_group,
    "DescribeTargetGroups": _describe_target_groups,
    "ModifyTargetGroup": _modify_target_group,
    "DeleteTargetGroup": _delete_target_group,
    "DescribeTargetHealth": _describe_target_health,
} | attribute_actions("Target group", _attributes, find_target_group)
