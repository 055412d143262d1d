"""Application Auto Scaling, which ministack doesn't have: targets, policies and scheduled actions of ECS
services.

Owns the API (what is stored, validated and returned) and the one effect that is visible at once:
registering a target moves a service's desired count into the range. Deliberately doesn't scale by metrics:
nothing runs that would have any. The alarms that AWS makes for a target tracking policy are made too, since
`DescribeScalingPolicies` names them.
"""

from __future__ import annotations

import functools
import re
import time
import uuid
import zoneinfo
from collections.abc import Callable, Container
from typing import Any

import botocore.loaders
from ministack import app as ministack_app
from ministack.core import router
from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region

from local.emulator.completions.cloudwatch import put_metric_alarm
from local.emulator.completions.ecs_records import asked, find_service
from local.emulator.completions.inside import ask_json
from local.emulator.completions.patching import AwsError, Request, Response, json_action

TARGET_PREFIX = "AnyScaleFrontendService"
SERVICE = "application-autoscaling"

# What this project may scale. AWS has more namespaces; they are refused by name instead of being half
# emulated.
DIMENSIONS = {"ecs": "ecs:service:DesiredCount"}
PREDEFINED_METRICS = {
    "ECSServiceAverageCPUUtilization": ("AWS/ECS", "CPUUtilization", "Average"),
    "ECSServiceAverageMemoryUtilization": ("AWS/ECS", "MemoryUtilization", "Average"),
    "ALBRequestCountPerTarget": ("AWS/ApplicationELB", "RequestCountPerTarget", "Sum"),
}
POLICY_TYPES = ("StepScaling", "TargetTrackingScaling", "PredictiveScaling")
_SCHEDULE = re.compile(
    r"^(rate\(\d+ (minute|hour|day)s?\)|cron\(\S+( \S+){5}\)|at\(\d{4}-\d{2}-\d{2}T[\d:]{5,8}\))$"
)

_targets = AccountRegionScopedDict()
_policies = AccountRegionScopedDict()
_scheduled_actions = AccountRegionScopedDict()
_activities = AccountRegionScopedDict()
_tags = AccountRegionScopedDict()


def install() -> None:
    """Serves Application Auto Scaling beside ministack's services."""
    router.SERVICE_PATTERNS[SERVICE] = {"target_prefixes": [TARGET_PREFIX]}
    ministack_app.SERVICE_HANDLERS[SERVICE] = handle_request


async def handle_request(
    _method: str, _path: str, headers: dict[str, str], body: bytes, _query: dict[str, list[str]]
) -> Response:
    """Answers one request; ministack has set account and region."""
    from json import JSONDecodeError, loads

    action = headers.get("x-amz-target", "").rpartition(".")[2]

    def dispatch(_: Request) -> dict[str, Any]:
        try:
            request: Request = loads(body or b"{}")
        except JSONDecodeError as error:
            raise AwsError("SerializationException", "The request body is not valid JSON.") from error
        if action not in ACTIONS:
            raise AwsError("UnknownOperationException", f"The operation {action!r} is unknown.")
        return ACTIONS[action](request)

    return json_action(dispatch)({})


def _required(request: Request, *names: str) -> None:
    missing = [name for name in names if request.get(name) in (None, "")]
    if missing:
        problems = "; ".join(
            f"Value null at '{name[0].lower()}{name[1:]}' failed to satisfy constraint: Member must not "
            "be null"
            for name in missing
        )
        count = len(missing)
        raise AwsError(
            "ValidationException", f"{count} validation error{'s' if count > 1 else ''} detected: {problems}"
        )


def _scaled(request: Request) -> tuple[str, str, str]:
    """The namespace, resource id and dimension that a request is about, validated."""
    _required(request, "ServiceNamespace", "ResourceId", "ScalableDimension")
    namespace, resource_id = request["ServiceNamespace"], request["ResourceId"]
    dimension = request["ScalableDimension"]
    _namespace(request)
    if dimension != DIMENSIONS[namespace]:
        raise AwsError(
            "ValidationException",
            f"Unsupported service namespace, resource type or scalable dimension: {namespace}, {dimension}",
        )
    if not re.fullmatch(r"service/[^/]+/[^/]+", resource_id):
        raise AwsError(
            "ValidationException",
            f"Unsupported service namespace, resource type or scalable dimension. ResourceId {resource_id!r} "
            "must have the form service/CLUSTER/SERVICE.",
        )
    return namespace, resource_id, dimension


def _namespace(request: Request, known: Container[str] = DIMENSIONS) -> str:
    _required(request, "ServiceNamespace")
    namespace = str(request["ServiceNamespace"])
    if namespace not in known:
        raise AwsError(
            "ValidationException",
            f"The emulated Application Auto Scaling serves the namespaces {sorted(DIMENSIONS)} only, not "
            f"{namespace!r}.",
        )
    return namespace


def _registered(request: Request) -> tuple[str, str, str]:
    scaled = _scaled(request)
    if scaled not in _targets:
        namespace, resource_id, dimension = scaled
        raise AwsError(
            "ObjectNotFoundException",
            f"No scalable target registered for service namespace: {namespace}, resource ID: {resource_id}, "
            f"scalable dimension: {dimension}",
        )
    return scaled


def _arn(kind: str) -> str:
    return f"arn:aws:{kind}:{get_region()}:{get_account_id()}"


def _service_of(resource_id: str) -> dict[str, Any] | None:
    _, cluster, name = resource_id.split("/")
    try:
        service = find_service({"cluster": cluster, "service": name})
    except AwsError:
        return None
    return service if service["status"] == "ACTIVE" else None


def _register_scalable_target(request: Request) -> dict[str, Any]:
    scaled = _scaled(request)
    namespace, resource_id, dimension = scaled
    known = _targets.get(scaled)
    if known is None:
        _required(request, "MinCapacity", "MaxCapacity")
        if _service_of(resource_id) is None:
            raise AwsError("ValidationException", f"ECS service doesn't exist: {resource_id}")
    minimum: Any = request.get("MinCapacity", known["MinCapacity"] if known else None)
    maximum: Any = request.get("MaxCapacity", known["MaxCapacity"] if known else None)
    for name, value in (("MinCapacity", minimum), ("MaxCapacity", maximum)):
        if not isinstance(value, int) or value < 0:
            raise AwsError("ValidationException", f"{name} must be 0 or more, not {value!r}")
    if minimum > maximum:
        raise AwsError("ValidationException", "Maximum capacity cannot be less than minimum capacity")
    suspended = {
        "DynamicScalingInSuspended": False,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": False,
    }
    target = known or {
        "ServiceNamespace": namespace,
        "ResourceId": resource_id,
        "ScalableDimension": dimension,
        "RoleARN": f"arn:aws:iam::{get_account_id()}:role/aws-service-role/"
        "ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService",
        "CreationTime": time.time(),
        "SuspendedState": suspended,
        "ScalableTargetARN": f"{_arn('application-autoscaling')}:scalable-target/{uuid.uuid4().hex[:24]}",
    }
    target["MinCapacity"], target["MaxCapacity"] = minimum, maximum
    if "SuspendedState" in request:
        target["SuspendedState"] = target["SuspendedState"] | request["SuspendedState"]
    _targets[scaled] = target
    if known is None and request.get("Tags"):
        _tags[target["ScalableTargetARN"]] = dict(request["Tags"])
    _bring_into_range(target)
    return {"ScalableTargetARN": target["ScalableTargetARN"]}


def _bring_into_range(target: dict[str, Any]) -> None:
    """Moves the service's desired count to the nearest end of the range, as AWS does on registration."""
    service = _service_of(target["ResourceId"])
    if service is None:
        return
    desired = service["desiredCount"]
    wanted = min(max(desired, target["MinCapacity"]), target["MaxCapacity"])
    if wanted == desired:
        return
    _, cluster, name = target["ResourceId"].split("/")
    asked("UpdateService", {"cluster": cluster, "service": name, "desiredCount": wanted})
    bound = "minimum" if wanted > desired else "maximum"
    limit = "below" if wanted > desired else "above"
    activity = {
        "ActivityId": str(uuid.uuid4()),
        "ServiceNamespace": target["ServiceNamespace"],
        "ResourceId": target["ResourceId"],
        "ScalableDimension": target["ScalableDimension"],
        "Description": f"Setting desired count to {wanted}.",
        "Cause": f"{bound} capacity was set to {wanted}",
        "StartTime": time.time(),
        "EndTime": time.time(),
        "StatusCode": "Successful",
        "StatusMessage": f"The desired count was {limit} the {bound}. Set desired count to {wanted}.",
    }
    _activities[activity["ActivityId"]] = activity


def _page(items: list[dict[str, Any]], request: Request, key: str) -> dict[str, Any]:
    start = int(request.get("NextToken") or 0)
    size = int(request.get("MaxResults") or 50)
    page: dict[str, Any] = {key: items[start : start + size]}
    if start + size < len(items):
        page["NextToken"] = str(start + size)
    return page


def _matching(store: Any, request: Request, names_key: str = "", name: str = "") -> list[dict[str, Any]]:
    namespace = _namespace(request)
    wanted = request.get(names_key) or [] if names_key else []
    return [
        item
        for item in store.values()
        if item["ServiceNamespace"] == namespace
        and (not request.get("ResourceId") or item["ResourceId"] == request["ResourceId"])
        and (
            not request.get("ScalableDimension") or item["ScalableDimension"] == request["ScalableDimension"]
        )
        and (not wanted or item[name] in wanted)
    ]


@functools.cache
def _namespaces() -> frozenset[str]:
    """AWS's namespaces: in the others nothing can have been registered here, which is an answer too."""
    model = botocore.loaders.Loader().load_service_model(SERVICE, "service-2")
    return frozenset(model["shapes"]["ServiceNamespace"]["enum"])


def _describe_scalable_targets(request: Request) -> dict[str, Any]:
    # The model is read for those alone who ask for another namespace than this project's.
    is_served = request.get("ServiceNamespace") in DIMENSIONS
    namespace = _namespace(request, DIMENSIONS if is_served else _namespaces())
    wanted = request.get("ResourceIds") or []
    found = [
        target
        for target in _targets.values()
        if target["ServiceNamespace"] == namespace
        and (not wanted or target["ResourceId"] in wanted)
        and (
            not request.get("ScalableDimension")
            or target["ScalableDimension"] == request["ScalableDimension"]
        )
    ]
    return _page(found, request, "ScalableTargets")


def _deregister_scalable_target(request: Request) -> dict[str, Any]:
    scaled = _registered(request)
    target = _targets.pop(scaled)
    _tags.pop(target["ScalableTargetARN"], None)
    for store in (_policies, _scheduled_actions):
        for key in [key for key in store if key[:3] == scaled]:
            _forget(store, key)
    return {}


def _forget(store: Any, key: tuple[str, str, str, str]) -> None:
    item = store.pop(key)
    _delete_alarms([alarm["AlarmName"] for alarm in item.get("Alarms", [])])


def _put_scaling_policy(request: Request) -> dict[str, Any]:
    _required(request, "PolicyName", "ServiceNamespace", "ResourceId", "ScalableDimension")
    scaled = _registered(request)
    key = (*scaled, request["PolicyName"])
    known = _policies.get(key)
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
    policy = known or {
        "PolicyARN": f"{_arn('autoscaling')}:scalingPolicy:{uuid.uuid4()}:resource/{scaled[0]}/{scaled[1]}"
        f":policyName/{request['PolicyName']}",
        "PolicyName": request["PolicyName"],
        "ServiceNamespace": scaled[0],
        "ResourceId": scaled[1],
        "ScalableDimension": scaled[2],
        "CreationTime": time.time(),
        "Alarms": [],
    }
    policy["PolicyType"] = policy_type
    policy[configuration_key] = configuration
    if policy_type == "TargetTrackingScaling":
        policy["Alarms"] = _target_tracking_alarms(policy)
    _policies[key] = policy
    return {"PolicyARN": policy["PolicyARN"], "Alarms": policy["Alarms"]}


def _check_target_tracking(configuration: dict[str, Any]) -> None:
    _required(configuration, "TargetValue")
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


def _target_tracking_alarms(policy: dict[str, Any]) -> list[dict[str, str]]:
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
        arn = f"{_arn('cloudwatch')}:alarm:{name}"
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


def _metric_of(policy: dict[str, Any]) -> dict[str, Any]:
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


def _describe_scaling_policies(request: Request) -> dict[str, Any]:
    return _page(_matching(_policies, request, "PolicyNames", "PolicyName"), request, "ScalingPolicies")


def _delete_scaling_policy(request: Request) -> dict[str, Any]:
    _required(request, "PolicyName", "ServiceNamespace", "ResourceId", "ScalableDimension")
    key = (*_scaled(request), request["PolicyName"])
    if key not in _policies:
        raise AwsError(
            "ObjectNotFoundException", f"No scaling policy found for policy name: {request['PolicyName']}"
        )
    _forget(_policies, key)
    return {}


def _check_schedule(request: Request) -> None:
    """Refuses a schedule and a time zone that AWS refuses.

    Source: https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
    """
    schedule, zone = request.get("Schedule"), request.get("Timezone")
    if schedule is not None and not _SCHEDULE.match(schedule):
        raise AwsError(
            "ValidationException",
            f"Schedule {schedule!r} must have the form at(…), rate(VALUE UNIT) or cron(SIX FIELDS)",
        )
    if schedule is not None and schedule.startswith("cron("):
        _, _, day_of_month, _, day_of_week, _ = schedule[5:-1].split()
        if (day_of_month == "?") == (day_of_week == "?"):
            raise AwsError(
                "ValidationException",
                f"Schedule {schedule!r} must have a ? in exactly one of its two fields for the day",
            )
    if zone is not None and zone not in zoneinfo.available_timezones():
        raise AwsError("ValidationException", f"Time zone {zone!r} is not supported")


def _put_scheduled_action(request: Request) -> dict[str, Any]:
    _required(request, "ScheduledActionName", "ServiceNamespace", "ResourceId", "ScalableDimension")
    scaled = _registered(request)
    name = request["ScheduledActionName"]
    key = (*scaled, name)
    known = _scheduled_actions.get(key)
    if known is None:
        _required(request, "Schedule")
    _check_schedule(request)
    action = known or {
        "ScheduledActionName": name,
        "ScheduledActionARN": f"{_arn('autoscaling')}:scheduledAction:{uuid.uuid4()}"
        f":resource/{scaled[0]}/{scaled[1]}:scheduledActionName/{name}",
        "ServiceNamespace": scaled[0],
        "ResourceId": scaled[1],
        "ScalableDimension": scaled[2],
        "CreationTime": time.time(),
    }
    for member in ("Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction"):
        if member in request:
            action[member] = request[member]
    _scheduled_actions[key] = action
    return {}


def _describe_scheduled_actions(request: Request) -> dict[str, Any]:
    found = _matching(_scheduled_actions, request, "ScheduledActionNames", "ScheduledActionName")
    return _page(found, request, "ScheduledActions")


def _delete_scheduled_action(request: Request) -> dict[str, Any]:
    _required(request, "ScheduledActionName", "ServiceNamespace", "ResourceId", "ScalableDimension")
    key = (*_scaled(request), request["ScheduledActionName"])
    if key not in _scheduled_actions:
        raise AwsError(
            "ObjectNotFoundException",
            f"No scheduled action found for scheduled action name: {request['ScheduledActionName']}",
        )
    _forget(_scheduled_actions, key)
    return {}


def _describe_scaling_activities(request: Request) -> dict[str, Any]:
    found = _matching(_activities, request)
    return _page(list(reversed(found)), request, "ScalingActivities")


def _taggable(request: Request) -> str:
    _required(request, "ResourceARN")
    arn = str(request["ResourceARN"])
    if all(target["ScalableTargetARN"] != arn for target in _targets.values()):
        raise AwsError("ResourceNotFoundException", f"The specified resource doesn't exist: {arn}")
    return arn


def _tag_resource(request: Request) -> dict[str, Any]:
    arn = _taggable(request)
    _tags[arn] = _tags.get(arn, {}) | request.get("Tags", {})
    return {}


def _untag_resource(request: Request) -> dict[str, Any]:
    arn = _taggable(request)
    dropped = set(request.get("TagKeys", []))
    _tags[arn] = {key: value for key, value in _tags.get(arn, {}).items() if key not in dropped}
    return {}


def _list_tags_for_resource(request: Request) -> dict[str, Any]:
    return {"Tags": _tags.get(_taggable(request), {})}


ACTIONS: dict[str, Callable[[Request], dict[str, Any]]] = {
    "RegisterScalableTarget": _register_scalable_target,
    "DescribeScalableTargets": _describe_scalable_targets,
    "DeregisterScalableTarget": _deregister_scalable_target,
    "PutScalingPolicy": _put_scaling_policy,
    "DescribeScalingPolicies": _describe_scaling_policies,
    "DeleteScalingPolicy": _delete_scaling_policy,
    "PutScheduledAction": _put_scheduled_action,
    "DescribeScheduledActions": _describe_scheduled_actions,
    "DeleteScheduledAction": _delete_scheduled_action,
    "DescribeScalingActivities": _describe_scaling_activities,
    "TagResource": _tag_resource,
    "UntagResource": _untag_resource,
    "ListTagsForResource": _list_tags_for_resource,
}
