"""The rules of listeners: what AWS refuses of their conditions, actions and priorities.

Deliberately leaves keeping them to ministack.
Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateRule.html,
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RuleCondition.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from local.emulator.completions.elbv2_listeners import checked_actions, shown_actions
from local.emulator.completions.elbv2_records import ask_elbv2, invalid, listener_of
from local.emulator.completions.patching import AwsError, Request
from local.emulator.completions.protocols import Action, Result

_CONDITION_CONFIGS = {"path-pattern": "PathPatternConfig", "host-header": "HostHeaderConfig"}


def _check_conditions(conditions: list[dict[str, Any]]) -> None:
    for condition in conditions:
        field = condition.get("Field", "")
        if field not in _CONDITION_CONFIGS:
            raise invalid(
                f"The emulated load balancing has conditions on {list(_CONDITION_CONFIGS)}, not on '{field}'"
            )
        if not (condition.get(_CONDITION_CONFIGS[field]) or condition).get("Values"):
            raise invalid(f"A condition value must be specified for the field '{field}'")


def _check_priorities(priorities: dict[str, int], listener: str) -> None:
    """Refuses priorities, by their rules, that other rules of the listener have."""
    others = ask_elbv2("DescribeRules", {"ListenerArn": listener})["Rules"]
    taken = {rule["Priority"] for rule in others if rule["RuleArn"] not in priorities}
    for priority in priorities.values():
        if not 1 <= priority <= 50000:
            raise invalid(f"Priority '{priority}' must be from 1 to 50000")
        if str(priority) in taken:
            raise AwsError("PriorityInUse", f"Priority '{priority}' is currently in use")


def _shown(rules: Iterable[dict[str, Any]]) -> Result:
    """The rules in the order in which they are tried."""
    in_order = sorted(rules, key=lambda rule: 50001 if rule["IsDefault"] else int(rule["Priority"]))
    return {"Rules": [rule | {"Actions": shown_actions(rule["Actions"])} for rule in in_order]}


def _create_rule(request: Request) -> Result:
    _check_priorities({"": request["Priority"]}, request["ListenerArn"])
    _check_conditions(request["Conditions"])
    asked = request | {"Actions": checked_actions(request["Actions"])}
    return _shown(ask_elbv2("CreateRule", asked)["Rules"])


def _describe_rules(request: Request) -> Result:
    found = ask_elbv2("DescribeRules", request)["Rules"]
    if len(found) < len(request.get("RuleArns") or ()):
        raise AwsError("RuleNotFound", "One or more rules not found")
    return _shown(found)


def _modify_rule(request: Request) -> Result:
    _check_conditions(request.get("Conditions") or [])
    asked = request | {"Actions": checked_actions(request.get("Actions") or [])}
    return _shown(ask_elbv2("ModifyRule", asked)["Rules"])


def _set_rule_priorities(request: Request) -> Result:
    priorities = {item["RuleArn"]: item["Priority"] for item in request["RulePriorities"]}
    for listener in {listener_of(arn) for arn in priorities}:
        _check_priorities(priorities, listener)
    return _shown(ask_elbv2("SetRulePriorities", request)["Rules"])


ACTIONS: dict[str, Action] = {
    "CreateRule": _create_rule,
    "DescribeRules": _describe_rules,
    "ModifyRule": _modify_rule,
    "SetRulePriorities": _set_rule_priorities,
}
