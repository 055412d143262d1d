"""EventBridge Scheduler: schedules.

Sources of what replaces and of the defaults: `ForceNew`, `Default` and `DiffSuppressFunc` in
https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/scheduler/schedule.go
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..modelled import Ask, Modelled
from ..naming import AutoName
from ..places import Places
from ..resource import Inputs, Resource, facts, names
from .defaulting import if_given

_NETWORK = "target.ecsParameters.networkConfiguration"


class Schedule(Modelled):
    token = "aws:scheduler/schedule:Schedule"
    key = "groupName/name"
    made_by = Ask("CreateSchedule", whole=True)
    read_by = (Ask("GetSchedule"),)
    changed_by = (Ask("UpdateSchedule", whole=True),)
    deleted_by = Ask("DeleteSchedule")
    places = Places(
        named={
            **{f"{_NETWORK}.{name}": f"awsvpcConfiguration.{name}" for name in ("assignPublicIp", "subnets")},
            f"{_NETWORK}.securityGroups": "awsvpcConfiguration.SecurityGroups",
            "target.ecsParameters.capacityProviderStrategies": "CapacityProviderStrategy",
            "target.ecsParameters.placementStrategies": "PlacementStrategy",
            "target.sagemakerPipelineParameters.pipelineParameters": "PipelineParameterList",
        }
    )
    replacing = names("groupName name namePrefix")
    auto_name = AutoName(max_length=64)
    defaults = facts(scheduleExpressionTimezone="UTC", state="ENABLED")
    exclusive = (("name", "namePrefix"),)
    sets = frozenset({f"{_NETWORK}.securityGroups", f"{_NETWORK}.subnets"})
    same = facts({"target.retryPolicy": if_given})
    kept = names("namePrefix")

    def shaped(self, inputs: Inputs) -> Mapping[str, Any]:
        return {**inputs, "groupName": inputs.get("groupName") or "default"}


RESOURCES: tuple[Resource, ...] = (Schedule(),)
