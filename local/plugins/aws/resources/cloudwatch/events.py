"""EventBridge rules on the default bus and their targets, which pulumi_aws keeps under `cloudwatch`.

Doesn't own other buses, and what a target is told beyond the event itself.
Sources of what replaces and of the defaults: `ForceNew` and `Default` in rule.go and target.go of
https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/events
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ...modelled import Ask, Modelled
from ...naming import AutoName
from ...resource import Inputs, facts, names, pairs
from ..defaulting import if_given

_DEFAULTS: Final = facts(eventBusName="default", forceDestroy=False)


class EventRule(Modelled):
    token = "aws:cloudwatch/eventRule:EventRule"
    service = "events"
    made_by = Ask("PutRule", whole=True)
    read_by = (Ask("DescribeRule"),)
    deleted_by = Ask("DeleteRule")
    named = pairs("isEnabled=State")
    replacing = names("eventBusName name")
    lacking = names("eventBusName forceDestroy isEnabled namePrefix roleArn")
    auto_name = AutoName(max_length=64)
    defaults = _DEFAULTS
    documents = names("eventPattern")
    same = facts(isEnabled=if_given)
    when_absent = facts(state="ENABLED")

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        if "eventPattern" not in inputs and "scheduleExpression" not in inputs:
            yield "eventPattern", "a rule needs `eventPattern` or `scheduleExpression`"

    def shaped(self, inputs: Inputs) -> Inputs:
        return {"state": "ENABLED", **inputs}


class EventTarget(Modelled):
    token = "aws:cloudwatch/eventTarget:EventTarget"
    service = "events"
    key = "rule/targetId"
    identity = "rule-targetId"
    made_by = Ask("PutTargets", whole=True)
    read_by = (Ask("ListTargetsByRule", "Targets", same=("targetId",)),)
    deleted_by = Ask("RemoveTargets")
    named = pairs("arn=Targets.Arn|Arn targetId=Targets.Id|Ids|Id")
    replacing = names("eventBusName rule targetId")
    lacking = names("""appsyncTarget batchTarget deadLetterConfig ecsTarget eventBusName forceDestroy
        httpTarget input inputPath inputTransformer kinesisTarget redshiftTarget retryPolicy roleArn
        runCommandTargets sagemakerPipelineTarget sqsTarget""")
    auto_name = AutoName(property="targetId", max_length=64)
    defaults = _DEFAULTS
    kept = names("eventBusName")
