"""Application Auto Scaling's policies, and the alarms that AWS keeps for one that tracks a target.

Owns what is stored and refused of them. Deliberately scales nothing by a metric.
Source: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScalingPolicy.html,
https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking.html
"""

from __future__ import annotations

import re
import uuid

from local.emulator.completions.application_autoscaling_records import Kind, Record, arn_of, required
from local.emulator.completions.cloudwatch import put_metric_alarm
from local.emulator.completions.inside import ask_json
from local.emulator.completions.patching import AwsError, Request
from local.emulator.completions.protocols import Action

PREDEFINED_METRICS = {
    "ECSServiceAverageCPUUtilization": ("AWS/ECS", "CPUUtilization", "Average"),
    "ECSServiceAverageMemoryUtilization": ("AWS/ECS", "MemoryUtilization", "Average"),
    "ALBRequestCountPerTarget": ("AWS/ApplicationELB", "RequestCountPerTarget", "Sum"),
}
POLICY_TYPES = ("StepScaling", "TargetTrackingScaling", "PredictiveScaling")


def _put_scaling_policy(request: Request) -> Record:
    known = POLICIES.find(request)
    policy_type = request.get("PolicyType") or (known["PolicyType"] if known else "StepScaling")
    if policy_type not in POLICY_TYPES:
        raise AwsError(
            "ValidationException", f"PolicyType {policy_type!r} must be one of {list(POLICY_TYPES)}"
        )
    configuration_key = f"{policy_type}PolicyConfiguration"
    others = [
        name for name in request if name.endswith("ScalingPolicyConfiguration") and name != configuration_key
    ]
    if others:
        raise AwsError(
            "ValidationException", f"{others[0]} can't be given for a policy of type {policy_type}"
        )
    configuration = request.get(configuration_key)
    if configuration is None:
        raise AwsError(
            "ValidationException", f"{configuration_key} is required for a policy of type {policy_type}"
        )
    if policy_type == "TargetTrackingScaling":
        _check_target_tracking(configuration)
    policy = known or POLICIES.new(request) | {"Alarms": []}
    policy["PolicyType"] = policy_type
    policy[configuration_key] = configuration
    if policy_type == "TargetTrackingScaling":
        policy["Alarms"] = _target_tracking_alarms(policy)
    POLICIES.put(request, policy)
    return {"PolicyARN": policy["PolicyARN"], "Alarms": policy["Alarms"]}


def _check_target_tracking(configuration: Record) -> None:
    required(configuration, "TargetValue")
    predefined = configuration.get("PredefinedMetricSpecification")
    if (predefined is None) == (configuration.get("CustomizedMetricSpecification") is None):
        raise AwsError(
            "ValidationException",
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be "
            "specified",
        )
    for name in ("ScaleInCooldown", "ScaleOutCooldown"):
        if configuration.get(name, 0) < 0:
            raise AwsError("ValidationException", f"{name} must be 0 or more")
    if predefined is None:
        return
    metric = predefined.get("PredefinedMetricType")
    if metric not in PREDEFINED_METRICS:
        raise AwsError("ValidationException", f"PredefinedMetricType {metric!r} isn't one of ECS services'")
    label = predefined.get("ResourceLabel", "")
    if (metric == "ALBRequestCountPerTarget") != bool(label):
        raise AwsError(
            "ValidationException",
            "ResourceLabel must be specified for ALBRequestCountPerTarget, and for no other predefined "
            "metric",
        )
    if label and not re.fullmatch(r"app/[^/]+/[^/]+/targetgroup/[^/]+/[^/]+", label):
        raise AwsError(
            "ValidationException",
            f"ResourceLabel {label!r} must have the form app/LOAD-BALANCER/ID/targetgroup/TARGET-GROUP/ID",
        )


def _target_tracking_alarms(policy: Record) -> list[dict[str, str]]:
    """The high and low alarm that AWS keeps for a target tracking policy; an update keeps their names."""
    names = [alarm["AlarmName"] for alarm in policy["Alarms"]] or [
        f"TargetTracking-{policy['ResourceId']}-{kind}-{uuid.uuid4()}" for kind in ("AlarmHigh", "AlarmLow")
    ]
    configuration = policy["TargetTrackingScalingPolicyConfiguration"]
    if configuration.get("DisableScaleIn"):
        _delete_alarms(names[1:])
        names = names[:1]
    target = float(configuration["TargetValue"])
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


def _delete_alarms(names: list[str]) -> None:
    ask_json("monitoring", "DeleteAlarms", {"AlarmNames": names})


def _metric_of(policy: Record) -> Record:
    configuration = policy["TargetTrackingScalingPolicyConfiguration"]
    customized = configuration.get("CustomizedMetricSpecification")
    if customized is not None:
        if customized.get("Metrics"):
            return {"Metrics": customized["Metrics"]}
        return {
            name: customized[name]
            for name in ("MetricName", "Namespace", "Dimensions", "Statistic", "Unit")
            if name in customized
        }
    specification = configuration["PredefinedMetricSpecification"]
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
    end=lambda policy: _delete_alarms([alarm["AlarmName"] for alarm in policy["Alarms"]]),
)
ACTIONS: dict[str, Action] = {
    "PutScalingPolicy": _put_scaling_policy,
    "DescribeScalingPolicies": POLICIES.describe,
    "DeleteScalingPolicy": POLICIES.delete,
}
