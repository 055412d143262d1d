"""Application Auto Scaling: targets, policies that track a metric, and scheduled actions.

Doesn't own scaling by steps and by forecast, nor metrics of one's own: they are refused.
Sources of what replaces and of the defaults: `ForceNew` and `Default` in target.go, policy.go and
scheduled_action.go of
https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/appautoscaling
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ..modelled import Ask, Modelled, names_in
from ..naming import AutoName
from ..resource import Call, Inputs, Outputs, State, facts, names, pairs

_PLACE: Final = "serviceNamespace/resourceId/scalableDimension"
_TRACKING: Final = "targetTrackingScalingPolicyConfiguration"


class _OfTarget(Modelled):
    service = "application-autoscaling"
    replacing = frozenset({*names_in(_PLACE), "name"})
    passing = names("ConcurrentUpdateException FailedResourceAccessException")

    def read(self, call: Call, resource_id: str, state: State) -> Outputs | None:
        if state.get("serviceNamespace"):
            return super().read(call, resource_id, state)
        # The id of what is scaled has slashes itself.
        names, (namespace, _, rest) = names_in(self.key), resource_id.partition("/")
        said = [namespace, *rest.rsplit("/", len(names) - 2)]
        if len(said) != len(names):
            raise ValueError(f"the id {resource_id!r} isn't of the form {self.key}")
        return super().read(call, resource_id, dict(zip(names, said, strict=True)))


class Target(_OfTarget):
    token = "aws:appautoscaling/target:Target"
    key = _PLACE
    identity = "resourceId"
    made_by = Ask("RegisterScalableTarget", whole=True)
    read_by = (Ask("DescribeScalableTargets", "ScalableTargets"),)
    deleted_by = Ask("DeregisterScalableTarget")
    noun = "ScalableTarget"
    replacing = frozenset(names_in(_PLACE))


class Policy(_OfTarget):
    token = "aws:appautoscaling/policy:Policy"
    key = f"{_PLACE}/name"
    identity = "name"
    made_by = Ask("PutScalingPolicy", whole=True)
    read_by = (Ask("DescribeScalingPolicies", "ScalingPolicies"),)
    deleted_by = Ask("DeleteScalingPolicy")
    noun = "Policy"
    named = pairs("alarmArns=Alarms.AlarmARN")
    lacking = frozenset(
        {
            *("predictiveScalingPolicyConfiguration", "stepScalingPolicyConfiguration"),
            f"{_TRACKING}.customizedMetricSpecification",
        }
    )
    auto_name = AutoName(max_length=255)
    defaults = facts(policyType="StepScaling")

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        kind = inputs.get("policyType")
        if isinstance(kind, str) and kind != "TargetTrackingScaling":
            reason = "the aws stand-in tracks targets only; use the real aws plugin (7.x)"
            yield "policyType", f"`policyType` is {kind!r}: {reason}"


class ScheduledAction(_OfTarget):
    token = "aws:appautoscaling/scheduledAction:ScheduledAction"
    key = f"{_PLACE}/name"
    identity = "name-serviceNamespace-resourceId"
    made_by = Ask("PutScheduledAction", whole=True)
    read_by = (Ask("DescribeScheduledActions", "ScheduledActions"),)
    deleted_by = Ask("DeleteScheduledAction")
    noun = "ScheduledAction"
    lacking = names("endTime startTime")
    auto_name = AutoName(max_length=255)
    defaults = facts(timezone="UTC")

    def read(self, call: Call, resource_id: str, state: State) -> Outputs | None:
        if not state.get("serviceNamespace"):
            raise ValueError(
                f"the real aws plugin can't import a scheduled action, nor can this ({resource_id})"
            )
        return super().read(call, resource_id, state)
