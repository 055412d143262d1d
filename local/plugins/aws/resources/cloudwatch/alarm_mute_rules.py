"""CloudWatch's alarm mute rules.

Source: https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/cloudwatch/alarm_mute_rule.go
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from ...naming import AutoName
from ...resource import Call, Inputs, State, without_none
from ...values import UNKNOWN
from ..spelling import camel, pascal
from .put_again import PutAgain, tags_of


def _moment(found: datetime | None) -> str | None:
    return None if found is None else found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class AlarmMuteRule(PutAgain):
    token = "aws:cloudwatch/alarmMuteRule:AlarmMuteRule"
    auto_name = AutoName(max_length=255)
    when_absent = MappingProxyType({"rule.schedule.timezone": "UTC"})
    missing = frozenset({"ResourceNotFoundException"})

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        rule = inputs.get("rule")
        if rule is None:
            yield "rule", "the required argument `rule` is missing"
        elif rule is not UNKNOWN and rule.get("schedule") is None:
            yield "rule.schedule", "the required argument `rule.schedule` is missing"
        for name in ("startDate", "expireDate"):
            given = inputs.get(name)
            if isinstance(given, str) and not given.endswith(":00Z"):
                yield name, f"`{name}` is {given!r}, a time in whole minutes is expected"

    def put(self, call: Call, inputs: Inputs, tags: Any = None) -> None:
        call.client("cloudwatch").put_alarm_mute_rule(
            Name=inputs["name"],
            Rule=pascal(inputs["rule"]),
            **without_none(
                Description=inputs.get("description"),
                MuteTargets=pascal(inputs.get("muteTargets")),
                StartDate=inputs.get("startDate"),
                ExpireDate=inputs.get("expireDate"),
                Tags=tags,
            ),
        )

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        del state
        found = call.client("cloudwatch").get_alarm_mute_rule(AlarmMuteRuleName=resource_id)
        arn = found["AlarmMuteRuleArn"]
        return {
            "arn": arn,
            "name": found["Name"],
            "description": found.get("Description"),
            "rule": camel(found["Rule"]),
            "muteTargets": camel(found.get("MuteTargets")),
            "startDate": _moment(found.get("StartDate")),
            "expireDate": _moment(found.get("ExpireDate")),
            "status": found["Status"],
            "muteType": found["MuteType"],
            "lastUpdatedTimestamp": _moment(found["LastUpdatedTimestamp"]),
            "tagsAll": tags_of(call, arn),
        }

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        del state
        call.client("cloudwatch").delete_alarm_mute_rule(AlarmMuteRuleName=resource_id)
