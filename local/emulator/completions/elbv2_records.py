"""What Elastic Load Balancing's completions share: the records, their names, attributes and tags.

Owns finding them, and which load balancers use which target groups. What ministack's data plane reads lies in
its stores, in the form that it reads. Deliberately knows no action but those on tags and attributes.
Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from typing import Any

from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region
from ministack.services import alb

from local.emulator.completions.inside import ask
from local.emulator.completions.patching import AwsError, Request
from local.emulator.completions.protocols import Action, Result

SECURE = ("HTTPS", "TLS")


balancers = AccountRegionScopedDict()


tags_by_arn = AccountRegionScopedDict()
"""The tags of load balancers, target groups, listeners and rules, by ARN."""


def arn_of(resource: str) -> str:
    return f"arn:aws:elasticloadbalancing:{get_region()}:{get_account_id()}:{resource}"


def new_id() -> str:
    return secrets.token_hex(8)


def check_name(name: str, what: str) -> None:
    if len(name) > 32:
        raise AwsError("ValidationError", f"{what} name '{name}' cannot be longer than '32' characters")
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?", name) or name.startswith("internal-"):
        raise AwsError(
            "ValidationError",
            f"{what} name '{name}' can only contain characters that are alphanumeric characters and "
            "hyphens(-), must not begin or end with a hyphen, and must not begin with 'internal-'",
        )


def _kind(words: str) -> str:
    return words.title().replace(" ", "")


def _find(store: Any, arn: str, words: str) -> dict[str, Any]:
    record: dict[str, Any] | None = store.get(arn)
    if record is None:
        raise AwsError(f"{_kind(words)}NotFound", f"{words} '{arn}' not found")
    return record


def find_balancer(arn: str) -> dict[str, Any]:
    return _find(balancers, arn, "Load balancer")


def find_target_group(arn: str) -> dict[str, Any]:
    return _find(alb._tgs, arn, "Target group")


def find_listener(arn: str) -> dict[str, Any]:
    return _find(alb._listeners, arn, "Listener")


def find_rule(arn: str) -> dict[str, Any]:
    return _find(alb._rules, arn, "Rule")


def targets_of(group_arn: str) -> list[dict[str, Any]]:
    """What is registered in a target group, each with its port."""
    asked = ask("elbv2", "DescribeTargetHealth", {"TargetGroupArn": group_arn})
    return [each["Target"] for each in asked["TargetHealthDescriptions"]]


# Attributes

Attributes = dict[str, str]


def listed(attributes: Attributes) -> list[dict[str, str]]:
    """The attributes as they are stored and answered."""
    return [{"Key": key, "Value": value} for key, value in attributes.items()]


def attributes_of(store: Any, arn: str) -> Attributes:
    return {attribute["Key"]: attribute["Value"] for attribute in store.get(arn, [])}


def attribute_actions(
    words: str,
    store: Any,
    find: Callable[[str], dict[str, Any]],
    check: Callable[[str, Attributes, Attributes], None] = lambda _arn, _changed, _attributes: None,
) -> dict[str, Action]:
    """The actions on the attributes of a kind of resource; `check` refuses changes by what then holds."""
    kind = _kind(words)

    def describe(request: Request) -> Result:
        arn = find(request[f"{kind}Arn"])[f"{kind}Arn"]
        return {"Attributes": store[arn]}

    def modify(request: Request) -> Result:
        arn = find(request[f"{kind}Arn"])[f"{kind}Arn"]
        attributes = attributes_of(store, arn)
        changed = {each["Key"]: each.get("Value", "") for each in request.get("Attributes", [])}
        for key in changed:
            if key not in attributes:
                raise AwsError("ValidationError", f"{words} attribute key '{key}' is not recognized")
        attributes |= changed
        check(arn, changed, attributes)
        store[arn] = listed(attributes)
        return {"Attributes": store[arn]}

    return {f"Describe{kind}Attributes": describe, f"Modify{kind}Attributes": modify}


# Tags


def _add_tags(request: Request) -> Result:
    for arn in request["ResourceArns"]:
        given = {tag["Key"]: tag for tag in request["Tags"]}
        tags_by_arn[arn] = [tag for tag in _tagged(arn) if tag["Key"] not in given] + list(given.values())
    return {}


def _remove_tags(request: Request) -> Result:
    for arn in request["ResourceArns"]:
        tags_by_arn[arn] = [tag for tag in _tagged(arn) if tag["Key"] not in request["TagKeys"]]
    return {}


def _describe_tags(request: Request) -> Result:
    """Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html"""
    described = [{"ResourceArn": arn, "Tags": _tagged(arn)} for arn in request["ResourceArns"]]
    return {"TagDescriptions": described}


_KINDS = {"loadbalancer": "LoadBalancer", "targetgroup": "TargetGroup", "listener": "Listener"}


def _tagged(arn: str) -> list[dict[str, str]]:
    if arn not in tags_by_arn:
        kind = _KINDS.get(arn.rpartition(":")[2].partition("/")[0], "Rule")
        raise AwsError(f"{kind}NotFound", f"{kind} '{arn}' not found")
    tags: list[dict[str, str]] = tags_by_arn[arn]
    return tags


# Which load balancers use which target groups


def used_target_groups() -> Iterator[str]:
    for rule in alb._rules.values():
        for action in rule["_actions"]:
            yield from groups_of(action)


def groups_of(action: dict[str, Any]) -> list[str]:
    if action.get("TargetGroupArn"):
        return [action["TargetGroupArn"]]
    forward = action.get("ForwardConfig") or {}
    return [group["TargetGroupArn"] for group in forward.get("TargetGroups") or []]


def relink() -> None:
    """Writes into each target group which load balancers use it, by way of listeners and rules."""
    used: dict[str, list[str]] = {}
    for rule in alb._rules.values():
        balancer = alb._listeners[rule["ListenerArn"]]["LoadBalancerArn"]
        for action in rule["_actions"]:
            for group in groups_of(action):
                if balancer not in used.setdefault(group, []):
                    used[group].append(balancer)
    for arn, group in alb._tgs.items():
        group["LoadBalancerArns"] = used.get(arn, [])


ACTIONS: dict[str, Action] = {
    "AddTags": _add_tags,
    "RemoveTags": _remove_tags,
    "DescribeTags": _describe_tags,
}
