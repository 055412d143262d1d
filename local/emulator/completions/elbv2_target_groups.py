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

from ministack.services import ecs

from local.emulator.completions.ec2 import own_interfaces
from local.emulator.completions.ec2_subnets import vpcs
from local.emulator.completions.ecs_health import target_health
from local.emulator.completions.ecs_records import address_of
from local.emulator.completions.elbv2_records import (
    Record,
    ask_elbv2,
    attribute_actions,
    balancers_of,
    check_name,
    find_target_group,
    invalid,
    targets_of,
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


def _create_target_group(request: Request) -> Result:
    check_name(request["Name"], "Target group")
    for needed in ("Protocol", "Port", "VpcId"):
        if not request.get(needed):
            raise invalid(f"A {needed} must be specified")
    if request["VpcId"] not in vpcs():
        raise invalid(f"The VPC ID '{request['VpcId']}' is not found")
    _check_health_check(request)
    return _shown(ask_elbv2("CreateTargetGroup", request)["TargetGroups"])


def _shown(groups: list[Record]) -> Result:
    more = {"ProtocolVersion": "HTTP1", "IpAddressType": "ipv4"}
    return {
        "TargetGroups": [
            group | more | {"LoadBalancerArns": balancers_of(group["TargetGroupArn"])} for group in groups
        ]
    }


def _check_health_check(group: dict[str, Any]) -> None:
    interval, timeout = group.get("HealthCheckIntervalSeconds", 30), group.get("HealthCheckTimeoutSeconds", 5)
    if not 5 <= interval <= 300:
        raise invalid(f"Health check interval '{interval}' must be from 5 to 300 seconds")
    if not 2 <= timeout <= 120 or timeout >= interval:
        raise invalid(
            f"Health check timeout '{timeout}' must be from 2 to 120 seconds and smaller than the interval "
            f"'{interval}'"
        )
    for name in ("HealthyThresholdCount", "UnhealthyThresholdCount"):
        if not 2 <= group.get(name, 2) <= 10:
            raise invalid(f"{name} '{group[name]}' must be from 2 to 10")


def _describe_target_groups(request: Request) -> Result:
    arns, names, balancer = (request.get(name) for name in ("TargetGroupArns", "Names", "LoadBalancerArn"))
    found = ask_elbv2("DescribeTargetGroups", {"TargetGroupArns": arns or [], "Names": names or []})
    if len(found["TargetGroups"]) < len(arns or names or []):
        raise AwsError("TargetGroupNotFound", "One or more target groups not found")
    groups = _shown(found["TargetGroups"])["TargetGroups"]
    return {"TargetGroups": [each for each in groups if not balancer or balancer in each["LoadBalancerArns"]]}


def _modify_target_group(request: Request) -> Result:
    _check_health_check(find_target_group(request["TargetGroupArn"]) | request)
    return _shown(ask_elbv2("ModifyTargetGroup", request)["TargetGroups"])


def _delete_target_group(request: Request) -> Result:
    arn = request["TargetGroupArn"]
    if balancers_of(arn):
        raise AwsError("ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule")
    return ask_elbv2("DeleteTargetGroup", request)


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
} | attribute_actions("TargetGroup", TARGET_GROUP_ATTRIBUTES)
