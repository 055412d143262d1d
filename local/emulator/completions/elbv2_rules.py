"""The rules of listeners: their conditions, actions and priorities.

Owns their actions, and how a condition is completed and handed to ministack's data plane.
Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateRule.html,
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RuleCondition.html
"""

from __future__ import annotations

import copy
from typing import Any

from ministack.services import alb

from local.emulator.completions.elbv2_listeners import completed_actions, routed
from local.emulator.completions.elbv2_records import (
    arn_of,
    find_listener,
    find_rule,
    new_id,
    relink,
    tags_by_arn,
)
from local.emulator.completions.patching import AwsError, Request
from local.emulator.completions.protocols import Action, Result

_CONDITION_CONFIGS = {
    "path-pattern": "PathPatternConfig",
    "host-header": "HostHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "source-ip": "SourceIpConfig",
    "query-string": "QueryStringConfig",
    "http-header": "HttpHeaderConfig",
}


def _completed_conditions(conditions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conditions as AWS returns them: values in the typed form, and in the flat one where there is
    one."""
    completed = []
    for given in conditions:
        condition = copy.deepcopy(given)
        field = condition.get("Field", "")
        if field not in _CONDITION_CONFIGS:
            raise AwsError(
                "ValidationError", f"Condition field '{field}' must be one of {list(_CONDITION_CONFIGS)}"
            )
        config = condition.setdefault(_CONDITION_CONFIGS[field], {})
        values = config.get("Values") or condition.get("Values") or []
        if not values and not config.get("RegexValues"):
            raise AwsError("ValidationError", f"A condition value must be specified for the field '{field}'")
        config["Values"] = values
        condition.pop("Values", None)
        if field in {"path-pattern", "host-header"}:
            condition["Values"] = values
        completed.append(condition)
    return completed


def _matched(conditions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conditions as ministack's data plane reads them."""
    matched = []
    for condition in conditions:
        values = condition[_CONDITION_CONFIGS[condition["Field"]]]["Values"]
        flat = [] if condition["Field"] in {"query-string", "http-header"} else values
        matched.append(condition | {"Values": flat})
    return matched


def _shown_rule(rule: dict[str, Any]) -> dict[str, Any]:
    return {
        "RuleArn": rule["RuleArn"],
        "Priority": rule["Priority"],
        "Conditions": rule["_conditions"],
        "Actions": rule["_actions"],
        "IsDefault": rule["IsDefault"],
        "Transforms": rule.get("Transforms") or [],
    }


def _check_priority(listener: str, priority: str, of_rules: set[str]) -> None:
    if not priority.isdigit() or not 1 <= int(priority) <= 50000:
        raise AwsError("ValidationError", f"Priority '{priority}' must be from 1 to 50000")
    for rule in alb._rules.values():
        same = rule["ListenerArn"] == listener and rule["Priority"] == priority
        if same and rule["RuleArn"] not in of_rules:
            raise AwsError("PriorityInUse", f"Priority '{priority}' is currently in use")


def _create_rule(request: Request) -> Result:
    listener = find_listener(request["ListenerArn"])
    priority = str(request["Priority"])
    _check_priority(listener["ListenerArn"], priority, set())
    conditions = _completed_conditions(request["Conditions"])
    actions = completed_actions(request["Actions"])
    tail = listener["ListenerArn"].rpartition(":listener/")[2]
    arn = arn_of(f"listener-rule/{tail}/{new_id()}")
    rule = {
        "RuleArn": arn,
        "ListenerArn": listener["ListenerArn"],
        "Priority": priority,
        "Conditions": _matched(conditions),
        "Actions": routed(actions),
        "IsDefault": False,
        "_conditions": conditions,
        "_actions": actions,
        "Transforms": request.get("Transforms") or [],
    }
    alb._rules[arn] = rule
    tags_by_arn[arn] = request.get("Tags") or []
    relink()
    return {"Rules": [_shown_rule(rule)]}


def _describe_rules(request: Request) -> Result:
    arns = request.get("RuleArns")
    if arns:
        return {"Rules": [_shown_rule(find_rule(arn)) for arn in arns]}
    listener = find_listener(request.get("ListenerArn", ""))
    rules = [rule for rule in alb._rules.values() if rule["ListenerArn"] == listener["ListenerArn"]]
    rules.sort(key=lambda rule: 50001 if rule["IsDefault"] else int(rule["Priority"]))
    return {"Rules": [_shown_rule(rule) for rule in rules]}


def _modify_rule(request: Request) -> Result:
    rule = find_rule(request["RuleArn"])
    if rule["IsDefault"]:
        raise AwsError("OperationNotPermitted", f"Default rule '{rule['RuleArn']}' cannot be modified")
    conditions = _completed_conditions(request.get("Conditions") or []) or rule["_conditions"]
    actions = completed_actions(request.get("Actions") or []) or rule["_actions"]
    rule |= {
        "_conditions": conditions,
        "Conditions": _matched(conditions),
        "_actions": actions,
        "Actions": routed(actions),
    }
    if "Transforms" in request or request.get("ResetTransforms"):
        rule["Transforms"] = request.get("Transforms") or []
    relink()
    return {"Rules": [_shown_rule(rule)]}


def _delete_rule(request: Request) -> Result:
    rule = find_rule(request["RuleArn"])
    if rule["IsDefault"]:
        raise AwsError("OperationNotPermitted", f"Default rule '{rule['RuleArn']}' cannot be deleted")
    alb._rules.pop(rule["RuleArn"])
    tags_by_arn.pop(rule["RuleArn"], None)
    relink()
    return {}


def _set_rule_priorities(request: Request) -> Result:
    changed = {item["RuleArn"]: str(item["Priority"]) for item in request["RulePriorities"]}
    rules = {arn: find_rule(arn) for arn in changed}
    for arn, priority in changed.items():
        _check_priority(rules[arn]["ListenerArn"], priority, set(changed))
    for arn, priority in changed.items():
        rules[arn]["Priority"] = priority
    return {"Rules": [_shown_rule(rule) for rule in rules.values()]}


ACTIONS: dict[str, Action] = {
    "CreateRule": _create_rule,
    "DescribeRules": _describe_rules,
    "ModifyRule": _modify_rule,
    "DeleteRule": _delete_rule,
    "SetRulePriorities": _set_rule_priorities,
}
