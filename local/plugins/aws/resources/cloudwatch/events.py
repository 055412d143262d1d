"""EventBridge rules on the default bus and their targets, which pulumi_aws keeps under `cloudwatch`.

Doesn't own other buses, and what a target is told beyond the event itself.
Sources of what replaces and of the defaults: `ForceNew` and `Default` in rule.go and target.go of
https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/events
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from ...modelled import Ask, Modelled, Tags
from ...naming import AutoName
from ...places import Places
from ...resource import Inputs
from ..defaulting import if_given

_DEFAULTS: Final = MappingProxyType({"eventBusName": "default", "forceDestroy": False})
_MISSING: Final = frozenset({"ResourceNotFoundException"})


class EventRule(Modelled):
    token = "aws:cloudwatch/eventRule:EventRule"
    service = "events"
    made_by = Ask("PutRule", whole=True)
    read_by = (Ask("DescribeRule"),)
    changed_by = (made_by,)
    deleted_by = Ask("DeleteRule")
    tags = Tags()
    places = Places(named={"isEnabled": "State"})
    replacing = frozenset({"eventBusName", "name"})
    lacking = frozenset({"eventBusName", "forceDestroy", "isEnabled", "namePrefix", "roleArn"})
    auto_name = AutoName(max_length=64)
    defaults = _DEFAULTS
    documents = frozenset({"eventPattern"})
    same = MappingProxyType({"isEnabled": if_given})
    when_absent = MappingProxyType({"state": "ENABLED"})
    missing = _MISSING

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        if "eventPattern" not in inputs and "scheduleExpression" not in inputs:
            yield "eventPattern", "a rule needs `eventPattern` or `scheduleExpression`"

    def shaped(self, inputs: Inputs) -> Mapping[str, Any]:
        return {"state": "ENABLED", **inputs}


class EventTarget(Modelled):
    token = "aws:cloudwatch/eventTarget:EventTarget"
    service = "events"
    key = "rule/targetId"
    identity = "rule-targetId"
    made_by = Ask("PutTargets", whole=True)
    read_by = (Ask("ListTargetsByRule", "Targets", same=("targetId",)),)
    changed_by = (made_by,)
    deleted_by = Ask("RemoveTargets")
    places = Places(named={"arn": "Targets.Arn|Arn", "targetId": "Targets.Id|Ids|Id"})
    replacing = frozenset({"eventBusName", "rule", "targetId"})
    lacking = frozenset(
        {
            *("appsyncTarget", "batchTarget", "deadLetterConfig", "ecsTarget", "eventBusName"),
            *("forceDestroy", "httpTarget", "input", "inputPath", "inputTransformer", "kinesisTarget"),
            "redshiftTarget",
            *("retryPolicy", "roleArn", "runCommandTargets", "sagemakerPipelineTarget", "sqsTarget"),
        }
    )
    auto_name = AutoName(property="targetId", max_length=64)
    defaults = _DEFAULTS
    kept = frozenset({"eventBusName"})
    missing = _MISSING
