"""EventBridge Scheduler: schedules.

Sources of what replaces and of the defaults: `ForceNew`, `Default` and `DiffSuppressFunc` in
https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/scheduler/schedule.go
"""

from __future__ import annotations

from ..modelled import Ask, Modelled
from ..naming import AutoName
from ..resource import Inputs, facts, names
from .defaulting import if_given

_NETWORK = "target.ecsParameters.networkConfiguration"


class Schedule(Modelled):
    token = "aws:scheduler/schedule:Schedule"
    key = "groupName/name"
    made_by = Ask("CreateSchedule", whole=True)
    read_by = (Ask("GetSchedule"),)
    changed_by = (Ask("UpdateSchedule", whole=True),)
    deleted_by = Ask("DeleteSchedule")
    named = facts(
        {
            _NETWORK: "NetworkConfiguration.awsvpcConfiguration",
            "target.sagemakerPipelineParameters.pipelineParameters": "PipelineParameterList",
        }
    )
    replacing = names("groupName name")
    auto_name = AutoName(max_length=64)
    defaults = facts(scheduleExpressionTimezone="UTC", state="ENABLED")
    sets = names(f"{_NETWORK}.securityGroups {_NETWORK}.subnets")
    same = facts({"target.retryPolicy": if_given})

    def shaped(self, inputs: Inputs) -> Inputs:
        return {**inputs, "groupName": inputs.get("groupName") or "default"}
