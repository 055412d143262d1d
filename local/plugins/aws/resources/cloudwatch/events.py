"""EventBridge rules and their targets, which pulumi_aws keeps under `cloudwatch`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from ...naming import AutoName
from ...resource import (
    Call,
    Inputs,
    Resource,
    State,
    name_of,
    tag_list,
    tag_map,
    without_none,
)
from ...session import AwsError
from ..calls import change_tags
from ..defaulting import if_given

_DEFAULT_BUS: Final = "default"
_MISSING: Final = frozenset({"ResourceNotFoundException"})


def _on_bus(name: str, bus: Any) -> str:
    """The id of what is called `name` on a bus: the default bus isn't spelled out."""
    return name if not bus or bus == _DEFAULT_BUS else f"{bus}/{name}"


class EventRule(Resource):
    token = "aws:cloudwatch/eventRule:EventRule"
    auto_name = AutoName(max_length=64)
    defaults = MappingProxyType({"eventBusName": _DEFAULT_BUS, "forceDestroy": False})
    exclusive = (("name", "namePrefix"), ("isEnabled", "state"))
    documents = frozenset({"eventPattern"})
    same = MappingProxyType({"isEnabled": if_given, "state": if_given})
    kept = frozenset({"forceDestroy"})
    missing = _MISSING

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        if "eventPattern" not in inputs and "scheduleExpression" not in inputs:
            yield "eventPattern", "a rule needs `eventPattern` or `scheduleExpression`"

    def compared(self, inputs: Inputs) -> Inputs:
        """A rule that says neither `state` nor, as it was formerly called, `isEnabled` is enabled."""
        return inputs if "state" in inputs or "isEnabled" in inputs else {**inputs, "state": "ENABLED"}

    def create(self, call: Call, inputs: Inputs) -> str:
        name = name_of(inputs)
        self._put(call, name, inputs, tag_list(inputs.get("tags")) or None)
        return _on_bus(name, inputs.get("eventBusName"))

    def _put(self, call: Call, name: str, inputs: Inputs, tags: Any = None) -> None:
        state = inputs.get("state") or ("DISABLED" if inputs.get("isEnabled") is False else "ENABLED")
        call.client("events").put_rule(
            Name=name,
            EventBusName=inputs["eventBusName"],
            State=state,
            **without_none(
                Description=inputs.get("description"),
                EventPattern=inputs.get("eventPattern"),
                RoleArn=inputs.get("roleArn"),
                ScheduleExpression=inputs.get("scheduleExpression"),
                Tags=tags,
            ),
        )

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        bus, _, name = resource_id.rpartition("/")
        rule = call.client("events").describe_rule(Name=name, EventBusName=bus or _DEFAULT_BUS)
        tags = call.client("events").list_tags_for_resource(ResourceARN=rule["Arn"]).get("Tags")
        return {
            "arn": rule["Arn"],
            "name": rule["Name"],
            "namePrefix": state.get("namePrefix", ""),
            "description": rule.get("Description", ""),
            "eventBusName": rule.get("EventBusName", _DEFAULT_BUS),
            "eventPattern": rule.get("EventPattern", ""),
            "isEnabled": rule.get("State") == "ENABLED",
            "state": rule.get("State", "ENABLED"),
            "roleArn": rule.get("RoleArn", ""),
            "scheduleExpression": rule.get("ScheduleExpression", ""),
            "tagsAll": tag_map(tags),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        if not changed or changed - {"tags", "forceDestroy"}:
            self._put(call, resource_id.rpartition("/")[2], new)
        change_tags(call.client("events"), old["arn"], old, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        bus, _, name = resource_id.rpartition("/")
        call.client("events").delete_rule(
            Name=name, EventBusName=bus or _DEFAULT_BUS, Force=bool(state.get("forceDestroy", False))
        )


class EventTarget(Resource):
    token = "aws:cloudwatch/eventTarget:EventTarget"
    auto_name = AutoName(property="targetId", max_length=64)
    defaults = MappingProxyType({"eventBusName": _DEFAULT_BUS, "forceDestroy": False})
    exclusive = (("input", "inputPath"),)
    documents = frozenset({"input"})
    lacking = frozenset(
        {
            *("appsyncTarget", "batchTarget", "deadLetterConfig", "ecsTarget", "httpTarget"),
            *("inputTransformer", "kinesisTarget", "redshiftTarget", "retryPolicy"),
            *("runCommandTargets", "sagemakerPipelineTarget", "sqsTarget"),
        }
    )
    kept = frozenset({"forceDestroy"})
    missing = _MISSING

    def create(self, call: Call, inputs: Inputs) -> str:
        self._put(call, inputs)
        rule = _on_bus(f"{inputs['rule']}-{inputs['targetId']}", None)
        bus = inputs["eventBusName"]
        return rule if bus == _DEFAULT_BUS else f"{bus}-{rule}"

    def _put(self, call: Call, inputs: Inputs) -> None:
        answer = call.client("events").put_targets(
            Rule=inputs["rule"], EventBusName=inputs["eventBusName"], Targets=[_target(inputs)]
        )
        for failed in answer.get("FailedEntries") or []:
            raise AwsError(f"PutTargets: {failed.get('ErrorCode')}: {failed.get('ErrorMessage')}")

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        if state.get("rule") and state.get("targetId"):
            bus, rule, identifier = state.get("eventBusName"), state["rule"], state["targetId"]
        else:  # the id of an import is [BUS/]RULE/TARGET
            before, _, identifier = resource_id.rpartition("/")
            bus, _, rule = before.rpartition("/")
        answer = call.client("events").list_targets_by_rule(Rule=rule, EventBusName=bus or _DEFAULT_BUS)
        found = next((t for t in answer["Targets"] if t["Id"] == identifier), None)
        if found is None:
            return None
        named = f"{rule}-{identifier}"
        return {
            "id": named if not bus or bus == _DEFAULT_BUS else f"{bus}-{named}",
            "rule": rule,
            "eventBusName": bus or _DEFAULT_BUS,
            "targetId": identifier,
            **_target_of(found),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        if changed != {"forceDestroy"}:
            self._put(call, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        answer = call.client("events").remove_targets(
            Rule=state["rule"],
            EventBusName=state.get("eventBusName") or _DEFAULT_BUS,
            Ids=[state["targetId"]],
            Force=bool(state.get("forceDestroy", False)),
        )
        for failed in answer.get("FailedEntries") or []:
            raise AwsError(f"RemoveTargets: {failed.get('ErrorCode')}: {failed.get('ErrorMessage')}")


def _target(inputs: Inputs) -> dict[str, Any]:
    target = {"Id": inputs["targetId"], "Arn": inputs["arn"]}
    for ours, theirs in (("roleArn", "RoleArn"), ("input", "Input"), ("inputPath", "InputPath")):
        if inputs.get(ours):
            target[theirs] = inputs[ours]
    return target


def _target_of(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "arn": found["Arn"],
        "roleArn": found.get("RoleArn", ""),
        "input": found.get("Input", ""),
        "inputPath": found.get("InputPath", ""),
    }
