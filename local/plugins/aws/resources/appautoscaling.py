"""Application Auto Scaling: targets, policies and scheduled actions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from ..naming import AutoName
from ..resource import Call, Inputs, Resource, State, tag_changes, without_none
from .calls import retried
from .spelling import camel, pascal

_SERVICE: Final = "application-autoscaling"
_ROLE_SECONDS: Final = 120


def _place(source: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "ServiceNamespace": source["serviceNamespace"],
        "ResourceId": source["resourceId"],
        "ScalableDimension": source["scalableDimension"],
    }


def _place_of(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "serviceNamespace": found["ServiceNamespace"],
        "resourceId": found["ResourceId"],
        "scalableDimension": found["ScalableDimension"],
    }


def _from_import(resource_id: str, trailing: int) -> dict[str, Any]:
    """The place that an import's id names: NAMESPACE/RESOURCE/DIMENSION, then `trailing` parts more."""
    parts = resource_id.split("/")
    end = len(parts) - trailing
    if end < 3:
        wanted = "SERVICE-NAMESPACE/RESOURCE-ID/SCALABLE-DIMENSION" + "/NAME" * trailing
        raise ValueError(f"the import id {resource_id!r} isn't of the form {wanted}")
    return {
        "serviceNamespace": parts[0],
        "resourceId": "/".join(parts[1 : end - 1]),
        "scalableDimension": parts[end - 1],
    }


class Target(Resource):
    token = "aws:appautoscaling/target:Target"
    missing = frozenset({"ObjectNotFoundException"})

    def create(self, call: Call, inputs: Inputs) -> str:
        self._register(call, inputs, tags=dict(inputs.get("tags") or {}) or None)
        return str(inputs["resourceId"])

    def _register(self, call: Call, inputs: Inputs, tags: dict[str, str] | None = None) -> None:
        retried(
            call,
            "IAM shows the role to Application Auto Scaling",
            lambda: call.client(_SERVICE).register_scalable_target(
                **_place(inputs),
                MinCapacity=inputs["minCapacity"],
                MaxCapacity=inputs["maxCapacity"],
                **without_none(
                    RoleARN=inputs.get("roleArn") or None,
                    SuspendedState=pascal(inputs.get("suspendedState")),
                    Tags=tags,
                ),
            ),
            "ConcurrentUpdateException",
            default_timeout_seconds=_ROLE_SECONDS,
        )

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        place = state if state.get("serviceNamespace") else _from_import(resource_id, 0)
        client = call.client(_SERVICE)
        found = client.describe_scalable_targets(
            ServiceNamespace=place["serviceNamespace"],
            ResourceIds=[place["resourceId"]],
            ScalableDimension=place["scalableDimension"],
        )["ScalableTargets"]
        if not found:
            return None
        target = found[0]
        arn = target.get("ScalableTargetARN", "")
        tags = client.list_tags_for_resource(ResourceARN=arn).get("Tags", {}) if arn else {}
        return {
            "id": target["ResourceId"],
            "arn": arn,
            **_place_of(target),
            "minCapacity": target["MinCapacity"],
            "maxCapacity": target["MaxCapacity"],
            "roleArn": target.get("RoleARN", ""),
            "suspendedState": camel(target.get("SuspendedState")),
            "tagsAll": dict(tags),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        if not changed or changed - {"tags"}:
            self._register(call, new)
        wanted, surplus = tag_changes(old, new)
        if surplus:
            call.client(_SERVICE).untag_resource(ResourceARN=old["arn"], TagKeys=surplus)
        if wanted:
            call.client(_SERVICE).tag_resource(ResourceARN=old["arn"], Tags=wanted)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        call.client(_SERVICE).deregister_scalable_target(**_place(state))


def same_number(left: Any, right: Any) -> bool:
    """The same number, as text or not."""
    try:
        return float(left) == float(right)
    except (TypeError, ValueError):
        return bool(left == right)


class Policy(Resource):
    token = "aws:appautoscaling/policy:Policy"
    auto_name = AutoName(max_length=255)
    defaults = MappingProxyType({"policyType": "StepScaling"})
    sets = frozenset(
        {
            "targetTrackingScalingPolicyConfiguration.customizedMetricSpecification.dimensions",
            "targetTrackingScalingPolicyConfiguration.customizedMetricSpecification.metrics",
        }
    )
    lacking = frozenset({"predictiveScalingPolicyConfiguration", "stepScalingPolicyConfiguration"})
    missing = frozenset({"ObjectNotFoundException"})

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        kind = inputs.get("policyType")
        if isinstance(kind, str) and kind != "TargetTrackingScaling":
            reason = "the aws stand-in tracks targets only; use the real aws plugin (7.x)"
            yield "policyType", f"`policyType` is {kind!r}: {reason}"

    def create(self, call: Call, inputs: Inputs) -> str:
        self._put(call, inputs)
        return str(inputs["name"])

    def _put(self, call: Call, inputs: Inputs) -> None:
        retried(
            call,
            f"the scalable target of {inputs['name']} is registered",
            lambda: call.client(_SERVICE).put_scaling_policy(
                PolicyName=inputs["name"],
                PolicyType=inputs["policyType"],
                **_place(inputs),
                **without_none(
                    TargetTrackingScalingPolicyConfiguration=pascal(
                        inputs.get("targetTrackingScalingPolicyConfiguration")
                    )
                ),
            ),
            "FailedResourceAccessException",
            "ConcurrentUpdateException",
            default_timeout_seconds=_ROLE_SECONDS,
        )

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        if state.get("serviceNamespace"):
            place, name = state, state.get("name") or resource_id
        else:
            place, name = _from_import(resource_id, 1), resource_id.rpartition("/")[2]
        found = call.client(_SERVICE).describe_scaling_policies(**_place(place), PolicyNames=[name])[
            "ScalingPolicies"
        ]
        if not found:
            return None
        policy = found[0]
        tracking = camel(policy.get("TargetTrackingScalingPolicyConfiguration"))
        return {
            "id": policy["PolicyName"],
            "arn": policy["PolicyARN"],
            "name": policy["PolicyName"],
            "policyType": policy["PolicyType"],
            **_place_of(policy),
            "alarmArns": [alarm["AlarmARN"] for alarm in policy.get("Alarms") or []],
            "targetTrackingScalingPolicyConfiguration": tracking,
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        self._put(call, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        call.client(_SERVICE).delete_scaling_policy(PolicyName=state["name"], **_place(state))


class ScheduledAction(Resource):
    token = "aws:appautoscaling/scheduledAction:ScheduledAction"
    auto_name = AutoName(max_length=255)
    defaults = MappingProxyType({"timezone": "UTC"})
    same = MappingProxyType(
        {
            "scalableTargetAction.minCapacity": same_number,
            "scalableTargetAction.maxCapacity": same_number,
        }
    )
    missing = frozenset({"ObjectNotFoundException"})

    def create(self, call: Call, inputs: Inputs) -> str:
        self._put(call, inputs)
        return f"{inputs['name']}-{inputs['serviceNamespace']}-{inputs['resourceId']}"

    def _put(self, call: Call, inputs: Inputs) -> None:
        action = {
            name: int(value) for name, value in inputs["scalableTargetAction"].items() if value is not None
        }
        retried(
            call,
            f"the scalable target of {inputs['name']} is registered",
            lambda: call.client(_SERVICE).put_scheduled_action(
                ScheduledActionName=inputs["name"],
                Schedule=inputs["schedule"],
                ScalableTargetAction=pascal(action),
                **_place(inputs),
                **without_none(
                    Timezone=inputs.get("timezone"),
                    StartTime=inputs.get("startTime"),
                    EndTime=inputs.get("endTime"),
                ),
            ),
            "ObjectNotFoundException",
            "ConcurrentUpdateException",
            default_timeout_seconds=_ROLE_SECONDS,
        )

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        if not state.get("serviceNamespace"):
            raise ValueError(
                f"the real aws plugin can't import a scheduled action, nor can this ({resource_id})"
            )
        found = call.client(_SERVICE).describe_scheduled_actions(
            **_place(state), ScheduledActionNames=[state["name"]]
        )["ScheduledActions"]
        if not found:
            return None
        action = found[0]
        return {
            "arn": action["ScheduledActionARN"],
            "name": action["ScheduledActionName"],
            "schedule": action["Schedule"],
            "timezone": action.get("Timezone") or "UTC",
            **_place_of(action),
            "startTime": _time(action.get("StartTime")),
            "endTime": _time(action.get("EndTime")),
            "scalableTargetAction": camel(action.get("ScalableTargetAction")),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        self._put(call, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        call.client(_SERVICE).delete_scheduled_action(ScheduledActionName=state["name"], **_place(state))


def _time(moment: Any) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment is not None else ""


RESOURCES: tuple[Resource, ...] = (Target(), Policy(), ScheduledAction())
