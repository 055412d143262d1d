"""Application Auto Scaling, which ministack doesn't have: the targets, and what is tagged.

Owns how it is served, and the one effect that is visible at once: registering a target moves a service's
desired count into the range. Policies and scheduled actions have modules of their own. Deliberately doesn't
scale by metrics: nothing runs that would have any.
Source: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
"""

from __future__ import annotations

import time
import uuid
from typing import Any

from ministack.core import router
from ministack.core.responses import AccountRegionScopedDict, get_account_id

from local.emulator.completions import application_autoscaling_policies, application_autoscaling_schedules
from local.emulator.completions.application_autoscaling_policies import POLICIES
from local.emulator.completions.application_autoscaling_records import (
    DIMENSIONS,
    PLACE,
    Record,
    arn_of,
    invalid,
    matching,
    registered,
    required,
    scaled_by,
    targets,
)
from local.emulator.completions.application_autoscaling_schedules import SCHEDULED_ACTIONS
from local.emulator.completions.ecs_records import asked, find_service
from local.emulator.completions.patching import AwsError, Request
from local.emulator.completions.protocols import Action, serve

TARGET_PREFIX = "AnyScaleFrontendService"
SERVICE = "application-autoscaling"

_tags = AccountRegionScopedDict()


def install() -> None:
    """Serves Application Auto Scaling beside ministack's services."""
    router.SERVICE_PATTERNS[SERVICE] = {"target_prefixes": [TARGET_PREFIX]}
    serve(SERVICE, ACTIONS)


def _service_of(resource_id: str) -> Record | None:
    _, cluster, name = resource_id.split("/")
    try:
        service = find_service({"cluster": cluster, "service": name})
    except AwsError:
        return None
    return service if service["status"] == "ACTIVE" else None


def _register_scalable_target(request: Request) -> Record:
    scaled = scaled_by(request)
    resource_id = scaled[1]
    known = targets.get(scaled)
    if known is None:
        required(request, "MinCapacity", "MaxCapacity")
        if _service_of(resource_id) is None:
            raise invalid(f"ECS service doesn't exist: {resource_id}")
    minimum: Any = request.get("MinCapacity", known["MinCapacity"] if known else None)
    maximum: Any = request.get("MaxCapacity", known["MaxCapacity"] if known else None)
    for name, value in (("MinCapacity", minimum), ("MaxCapacity", maximum)):
        if not isinstance(value, int) or value < 0:
            raise invalid(f"{name} must be 0 or more, not {value!r}")
    if minimum > maximum:
        raise invalid("Maximum capacity cannot be less than minimum capacity")
    target = known or {
        **dict(zip(PLACE, scaled, strict=True)),
        "RoleARN": f"arn:aws:iam::{get_account_id()}:role/aws-service-role/"
        "ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService",
        "CreationTime": time.time(),
        "SuspendedState": dict.fromkeys(
            ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended"), False
        ),
        "ScalableTargetARN": f"{arn_of('application-autoscaling')}:scalable-target/{uuid.uuid4().hex[:24]}",
    }
    target["MinCapacity"], target["MaxCapacity"] = minimum, maximum
    if "SuspendedState" in request:
        target["SuspendedState"] = target["SuspendedState"] | request["SuspendedState"]
    targets[scaled] = target
    if known is None and request.get("Tags"):
        _tags[target["ScalableTargetARN"]] = dict(request["Tags"])
    _bring_into_range(target)
    return {"ScalableTargetARN": target["ScalableTargetARN"]}


def _bring_into_range(target: Record) -> None:
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


def _describe_scalable_targets(request: Request) -> Record:
    # In AWS's other namespaces nothing can have been registered here, which is an answer too.
    is_served = request["ServiceNamespace"] in DIMENSIONS
    return {"ScalableTargets": matching(targets, request, "ResourceId", "ResourceIds") if is_served else []}


def _deregister_scalable_target(request: Request) -> Record:
    place = registered(request)
    _tags.pop(targets.pop(place)["ScalableTargetARN"], None)
    for kind in (POLICIES, SCHEDULED_ACTIONS):
        kind.delete_all(place)
    return {}


def _taggable(request: Request) -> str:
    arn = str(request["ResourceARN"])
    if all(target["ScalableTargetARN"] != arn for target in targets.values()):
        raise AwsError("ResourceNotFoundException", f"The specified resource doesn't exist: {arn}")
    return arn


def _tag_resource(request: Request) -> Record:
    arn = _taggable(request)
    _tags[arn] = _tags.get(arn, {}) | request.get("Tags", {})
    return {}


def _untag_resource(request: Request) -> Record:
    arn = _taggable(request)
    dropped = set(request.get("TagKeys", []))
    _tags[arn] = {key: value for key, value in _tags.get(arn, {}).items() if key not in dropped}
    return {}


def _list_tags_for_resource(request: Request) -> Record:
    return {"Tags": _tags.get(_taggable(request), {})}


ACTIONS: dict[str, Action] = {
    "RegisterScalableTarget": _register_scalable_target,
    "DescribeScalableTargets": _describe_scalable_targets,
    "DeregisterScalableTarget": _deregister_scalable_target,
    "TagResource": _tag_resource,
    "UntagResource": _untag_resource,
    "ListTagsForResource": _list_tags_for_resource,
    **application_autoscaling_policies.ACTIONS,
    **application_autoscaling_schedules.ACTIONS,
}
