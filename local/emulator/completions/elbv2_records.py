"""What Elastic Load Balancing's completions share: who uses a target group, names, and all attributes.

The records are ministack's, whose data plane reads them; it is asked for them. Deliberately knows no action
but those on attributes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from local.emulator.completions.inside import ask
from local.emulator.completions.patching import AwsError, Request
from local.emulator.completions.protocols import Action, Result

Record = dict[str, Any]

invalid = partial(AwsError, "ValidationError")
"""The error of most of what the service refuses."""

Attributes = dict[str, str]


def ask_elbv2(action: str, request: Request | None = None) -> Result:
    """ministack's own answer."""
    return ask("elbv2", action, request or {})


def check_name(name: str, what: str) -> None:
    if len(name) > 32:
        raise invalid(f"{what} name '{name}' cannot be longer than '32' characters")
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?", name) or name.startswith("internal-"):
        raise invalid(
            f"{what} name '{name}' can only contain characters that are alphanumeric characters and "
            "hyphens(-), must not begin or end with a hyphen, and must not begin with 'internal-'"
        )


def listeners() -> list[Record]:
    """All listeners of account and region."""
    found: list[Record] = ask_elbv2("DescribeListeners")["Listeners"]
    return found


def listener_of(rule_arn: str) -> str:
    """The ARN of the listener that a rule is of."""
    return rule_arn.replace(":listener-rule/", ":listener/").rpartition("/")[0]


def balancers_of(group_arn: str) -> list[str]:
    """The load balancers that use a target group, by way of listeners and rules."""
    of_rules = (
        listener_of(rule["RuleArn"])
        for rule in ask_elbv2("DescribeRules")["Rules"]
        if any(action.get("TargetGroupArn") == group_arn for action in rule["Actions"])
    )
    return sorted({arn.replace(":listener/", ":loadbalancer/").rpartition("/")[0] for arn in of_rules})


def find_target_group(arn: str) -> Record:
    """A target group, with the load balancers that use it; an error where there is none."""
    found: Record = ask_elbv2("DescribeTargetGroups", {"TargetGroupArns": [arn]})["TargetGroups"][0]
    return found | {"LoadBalancerArns": balancers_of(arn)}


def target_group(arn: str) -> Record | None:
    """A target group, or None where there is none."""
    try:
        return find_target_group(arn)
    except AwsError:
        return None


def targets_of(group_arn: str) -> list[Record]:
    """What is registered in a target group, each with its port."""
    asked = ask_elbv2("DescribeTargetHealth", {"TargetGroupArn": group_arn})
    return [each["Target"] for each in asked["TargetHealthDescriptions"]]


def attributes_of(kind: str, arn: str) -> Attributes:
    """The attributes of a load balancer or target group that ministack keeps."""
    asked = ask_elbv2(f"Describe{kind}Attributes", {f"{kind}Arn": arn})
    return {each["Key"]: each["Value"] for each in asked["Attributes"]}


def attribute_actions(
    kind: str,
    defaults: Mapping[str, str],
    check: Callable[[str, Attributes, Attributes], None] = lambda _arn, _changed, _attributes: None,
) -> dict[str, Action]:
    """The actions on attributes, of which all show; `check` refuses changes by what then holds."""

    def describe(request: Request) -> Result:
        attributes = {**defaults, **attributes_of(kind, request[f"{kind}Arn"])}
        return {"Attributes": [{"Key": key, "Value": value} for key, value in attributes.items()]}

    def modify(request: Request) -> Result:
        arn = request[f"{kind}Arn"]
        changed = {each["Key"]: each.get("Value", "") for each in request.get("Attributes", [])}
        for key in changed.keys() - defaults.keys():
            raise invalid(f"{kind} attribute key '{key}' is not recognized")
        check(arn, changed, {**defaults, **attributes_of(kind, arn), **changed})
        ask_elbv2(f"Modify{kind}Attributes", request)
        return describe(request)

    return {f"Describe{kind}Attributes": describe, f"Modify{kind}Attributes": modify}
