"""CloudWatch's alarm mute rules: an alarm goes on changing its state and tells nobody for a while.

ministack has none. A rule mutes once, by `at(…)`; one that recurs, by `cron(…)`, is refused by name. When its
window ends, or it is deleted, an alarm that is in ALARM tells so then, and another one tells what it became
meanwhile, where it is that still. Stricter than AWS is known to be: a rule names alarms that are there.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-mute-rules.html,
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-mute-rules-behaviour.html,
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutAlarmMuteRule.html
"""

from __future__ import annotations

import re
import threading
import time
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region, request_scope
from ministack.services import cloudwatch

from local.emulator.completions.inside import ask_json
from local.emulator.completions.patching import AwsError, Request, wrap
from local.emulator.completions.protocols import Action, Result

SHORTEST: Final = timedelta(minutes=1)
LONGEST: Final = timedelta(days=15)
_AT: Final = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2})\)")
_DURATION: Final = re.compile(r"P(?=\d|T\d)(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?)?")

invalid = partial(AwsError, "ValidationError")

_rules = AccountRegionScopedDict()


@dataclass(kw_only=True)
class _Rule:
    """A rule as it was put, its window, and which states its alarms had when they told nobody."""

    name: str
    arn: str
    put: Request
    updated: float
    begins: datetime
    ends: datetime
    tags: dict[str, str]
    """Of one that is there already, PutAlarmMuteRule leaves the tags as they are."""
    withheld: dict[str, str] = field(default_factory=dict)
    timer: threading.Timer | None = None

    @property
    def status(self) -> str:
        now = datetime.now(UTC)
        return "SCHEDULED" if now < self.begins else "ACTIVE" if now < self.ends else "EXPIRED"

    @property
    def alarm_names(self) -> list[str]:
        return list((self.put.get("MuteTargets") or {}).get("AlarmNames") or ())


def install() -> None:
    """Has alarms ask the rules before they tell anybody, and rules have tags as alarms have."""
    wrap(cloudwatch, "_dispatch_alarm_actions", _dispatch_alarm_actions)


def put_alarm_mute_rule(request: Request) -> Result:
    """Makes a rule, or replaces the one of that name; what that one withheld goes over to the new one."""
    begins, ends = _window(request)
    names = (request.get("MuteTargets") or {}).get("AlarmNames") or []
    known = _alarms(names)
    unknown = [each for each in names if each not in known]
    if unknown:
        raise invalid(f"There is no alarm {', '.join(unknown)}")
    name = request["Name"]
    former = _rules.get(name)
    given = {each["Key"]: each["Value"] for each in request.get("Tags") or ()}
    rule = _Rule(
        name=name,
        arn=f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm-mute-rule:{name}",
        put={key: value for key, value in request.items() if key != "Tags"},
        updated=int(time.time()),
        begins=begins,
        ends=ends,
        tags=former.tags if former else given,
    )
    _rules[name] = rule
    if former is not None:
        _cancel(former)
        rule.withheld = {each: state for each, state in former.withheld.items() if each in rule.alarm_names}
        _tell(former, except_for=rule.alarm_names)
    rule.timer = threading.Timer(
        max(0.0, (ends - datetime.now(UTC)).total_seconds()),
        _ended,
        (get_account_id(), get_region(), rule),
    )
    rule.timer.daemon = True
    rule.timer.start()
    return {}


def get_alarm_mute_rule(request: Request) -> Result:
    """The rule whole, with the state that its clock says."""
    rule = _rules.get(request["AlarmMuteRuleName"])
    if rule is None:
        raise AwsError(
            "ResourceNotFoundException", f"There is no mute rule {request['AlarmMuteRuleName']}", 404
        )
    schedule = {"Timezone": "UTC", **rule.put["Rule"]["Schedule"]}
    return {**rule.put, "Rule": {"Schedule": schedule}, "AlarmMuteRuleArn": rule.arn, **_summary(rule)}


def list_alarm_mute_rules(request: Request) -> Result:
    """All rules, or those of some states."""
    statuses = request.get("Statuses")
    return {
        "AlarmMuteRuleSummaries": [
            {"AlarmMuteRuleArn": rule.arn, **_summary(rule)}
            for _, rule in sorted(_rules.items())
            if not statuses or rule.status in statuses
        ]
    }


def delete_alarm_mute_rule(request: Request) -> Result:
    """Takes a rule away: its alarms tell at once. One that isn't there is no error."""
    rule = _rules.pop(request["AlarmMuteRuleName"], None)
    if rule is not None:
        _cancel(rule)
        if rule.status == "ACTIVE":
            _tell(rule)
    return {}


def _of_rule(action: str, answer: Callable[[dict[str, str], Request], Result], request: Request) -> Result:
    """What is answered of a rule's tags; ministack answers of an alarm's."""
    tags = next((rule.tags for rule in _rules.values() if rule.arn == request["ResourceARN"]), None)
    return ask_json("monitoring", action, request) if tags is None else answer(tags, request)


def _tag(tags: dict[str, str], request: Request) -> Result:
    tags.update({each["Key"]: each["Value"] for each in request["Tags"]})
    return {}


def _untag(tags: dict[str, str], request: Request) -> Result:
    for key in request["TagKeys"]:
        tags.pop(key, None)
    return {}


def _list_tags(tags: dict[str, str], _request: Request) -> Result:
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _alarms(names: list[str]) -> dict[str, dict[str, Any]]:
    """The alarms of these names that there are."""
    asked = {"AlarmNames": names, "MaxRecords": 100}
    found = ask_json("monitoring", "DescribeAlarms", asked) if names else {}
    return {alarm["AlarmName"]: alarm for alarm in found.get("MetricAlarms", [])}


ACTIONS: Final[dict[str, Action]] = {
    "PutAlarmMuteRule": put_alarm_mute_rule,
    "GetAlarmMuteRule": get_alarm_mute_rule,
    "ListAlarmMuteRules": list_alarm_mute_rules,
    "DeleteAlarmMuteRule": delete_alarm_mute_rule,
    "TagResource": partial(_of_rule, "TagResource", _tag),
    "UntagResource": partial(_of_rule, "UntagResource", _untag),
    "ListTagsForResource": partial(_of_rule, "ListTagsForResource", _list_tags),
}


def _summary(rule: _Rule) -> Result:
    return {"Status": rule.status, "MuteType": "ONE_TIME", "LastUpdatedTimestamp": rule.updated}


def _window(request: Request) -> tuple[datetime, datetime]:
    schedule = (request.get("Rule") or {}).get("Schedule") or {}
    expression, duration = schedule.get("Expression") or "", schedule.get("Duration") or ""
    if expression.startswith("cron("):
        raise invalid("The emulated CloudWatch knows mute rules by at(…) alone")
    if request.get("StartDate") or request.get("ExpireDate"):
        raise invalid("StartDate and ExpireDate can't be given with an at expression")
    given = _AT.fullmatch(expression)
    if given is None:
        raise invalid(f"{expression!r} isn't cron(…) or at(yyyy-MM-ddThh:mm)")
    try:
        zone = zoneinfo.ZoneInfo(schedule.get("Timezone") or "UTC")
        begins = datetime.fromisoformat(given[1]).replace(tzinfo=zone)
    except (ValueError, zoneinfo.ZoneInfoNotFoundError) as error:
        raise invalid(f"The schedule can't be read: {error}") from error
    parts = _DURATION.fullmatch(duration)
    days, hours, minutes = (int(part or 0) for part in parts.groups()) if parts else (0, 0, 0)
    length = timedelta(days=days, hours=hours, minutes=minutes)
    if not SHORTEST <= length <= LONGEST:
        raise invalid(f"Duration {duration!r} isn't between PT1M and P15D")
    return begins, begins + length


def _active_on(alarm_name: str) -> list[_Rule]:
    return [rule for rule in _rules.values() if alarm_name in rule.alarm_names and rule.status == "ACTIVE"]


def _dispatch_alarm_actions(
    original: Any, alarm: dict[str, Any], old_state: str, new_state: str, reason: str
) -> None:
    muting = _active_on(alarm["AlarmName"])
    for rule in muting:
        rule.withheld[alarm["AlarmName"]] = new_state
    if not muting:
        original(alarm, old_state, new_state, reason)


def _ended(account_id: str, region: str, rule: _Rule) -> None:
    with request_scope(account_id, region):
        if _rules.get(rule.name) is rule:
            _tell(rule)


def _tell(rule: _Rule, except_for: list[str] | None = None) -> None:
    """Has the alarms of a rule that no longer mutes tell what they are, where no other one mutes them."""
    alarms = _alarms(rule.alarm_names)
    for name in rule.alarm_names:
        alarm = alarms.get(name)
        if alarm is None or name in (except_for or ()) or _active_on(name):
            continue
        state = alarm["StateValue"]
        if state in ("ALARM", rule.withheld.get(name)):
            cloudwatch._dispatch_alarm_actions(alarm, state, state, alarm.get("StateReason", ""))
    rule.withheld.clear()


def _cancel(rule: _Rule) -> None:
    if rule.timer is not None:
        rule.timer.cancel()
