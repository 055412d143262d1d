"""Application Auto Scaling's policies, and the alarms that AWS keeps for one that tracks a target.

Owns what is stored and refused of them: all but tracking a metric that AWS itself has of a service.
Deliberately scales nothing by one.
Source: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScalingPolicy.html,
https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking.html
"""

from __future__ import annotations

import re
import uuid

from local.emulator.completions.application_autoscaling_records import Kind, Record, arn_of, invalid
from local.emulator.completions.cloudwatch import put_metric_alarm
from local.emulator.completions.inside import ask_json
from local.emulator.completions.patching import Request
from local.emulator.completions.protocols import Action

PREDEFINED_METRICS = {
    "ECSServiceAverageCPUUtilization": ("AWS/ECS", "CPUUtilization", "Average"),
    "ECSServiceAverageMemoryUtilization": ("AWS/ECS", "MemoryUtilization", "Average"),
    "ALBRequestCountPerTarget": ("AWS/ApplicationELB", "RequestCountPerTarget", "Sum"),
}
POLICY_TYPE = "TargetTrackingScaling"
CONFIGURATION = f"{POLICY_TYPE}PolicyConfiguration"


def _put_scaling_policy(request: Request) -> Record:
    known = POLICIES.find(request)
    if request.get("PolicyType") != POLICY_TYPE:
        raise invalid(
            f"The emulated Application Auto Scaling has policies of the PolicyType {POLICY_TYPE} only, not "
            f"{request.get('PolicyType')!r}."
        )
    configuration = request.get(CONFIGURATION)
    if configuration is None:
        raise invalid(f"{CONFIGURATION} is required for a policy of type {POLICY_TYPE}")
    _check_target_tracking(configuration)
    policy = known or POLICIES.new(request) | {"PolicyType": POLICY_TYPE, "Alarms": []}
    policy[CONFIGURATION] = configuration
    policy["Alarms"] = _target_tracking_alarms(policy)
    POLICIES.put(request, policy)
    return {"PolicyARN": policy["PolicyARN"], "Alarms": policy["Alarms"]}


def _check_target_tracking(configuration: Record) -> None:
    for name in ("ScaleInCooldown", "ScaleOutCooldown"):
        if configuration.get(name, 0) < 0:
            raise invalid(f"{name} must be 0 or more")
    predefined = configuration.get("PredefinedMetricSpecification") or {}
    metric = predefined.get("PredefinedMetricType")
    if metric not in PREDEFINED_METRICS:
        raise invalid(f"PredefinedMetricType {metric!r} isn't one of ECS services'")
    label = predefined.get("ResourceLabel", "")
    if (metric == "ALBRequestCountPerTarget") != bool(label):
        raise invalid(
            "ResourceLabel must be specified for ALBRequestCountPerTarget, and for no other predefined metric"
        )
    if label and not re.fullmatch(r"app/[^/]+/[^/]+/targetgroup/[^/]+/[^/]+", label):
        raise invalid(
            f"ResourceLabel {label!r} must have the form app/LOAD-BALANCER/ID/targetgroup/TARGET-GROUP/ID"
        )


def _target_tracking_alarms(policy: Record) -> list[dict[str, str]]:
    """The high and low alarm that AWS keeps for a target tracking policy; an update keeps their names."""
    names = [alarm["AlarmName"] for alarm in policy["Alarms"]] or [
        f"TargetTracking-{policy['ResourceId']}-{kind}-{uuid.uuid4()}" for kind in ("AlarmHigh", "AlarmLow")
    ]
    target = float(policy[CONFIGURATION]["TargetValue"])
    alarms = []
    for name in names:
        high = "-AlarmHigh-" in name
        arn = f"{arn_of('cloudwatch')}:alarm:{name}"
        alarm = {
            "AlarmName": name,
            "AlarmDescription": "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy "
            f"{policy['PolicyARN']}.",
            "ActionsEnabled": True,
            "AlarmActions": [policy["PolicyARN"]],
            "EvaluationPeriods": 3 if high else 15,
            "Threshold": target if high else target * 0.9,
            "ComparisonOperator": "GreaterThanThreshold" if high else "LessThanThreshold",
            "Period": 60,
            **_metric_of(policy),
        }
        put_metric_alarm(alarm)
        alarms.append({"AlarmName": name, "AlarmARN": arn})
    return alarms


def _metric_of(policy: Record) -> Record:
    specification = policy[CONFIGURATION]["PredefinedMetricSpecification"]
    namespace, metric, statistic = PREDEFINED_METRICS[specification["PredefinedMetricType"]]
    if "ResourceLabel" in specification:
        balancer, _, group = specification["ResourceLabel"].partition("/targetgroup/")
        dimensions = [
            {"Name": "LoadBalancer", "Value": balancer},
            {"Name": "TargetGroup", "Value": f"targetgroup/{group}"},
        ]
    else:
        _, cluster, service = policy["ResourceId"].split("/")
        dimensions = [{"Name": "ClusterName", "Value": cluster}, {"Name": "ServiceName", "Value": service}]
    return {"Namespace": namespace, "MetricName": metric, "Statistic": statistic, "Dimensions": dimensions}


POLICIES = Kind(
    "scaling policy",
    "PolicyName",
    "ScalingPolicies",
    end=lambda policy: ask_json(
        "monitoring", "DeleteAlarms", {"AlarmNames": [alarm["AlarmName"] for alarm in policy["Alarms"]]}
    ),
)
ACTIONS: dict[str, Action] = {
    "PutScalingPolicy": _put_scaling_policy,
    "DescribeScalingPolicies": POLICIES.describe,
    "DeleteScalingPolicy": POLICIES.delete,
}
