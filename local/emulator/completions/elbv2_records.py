"""What Elastic Load Balancing's completions share: the records, their names, attributes and tags.

Owns finding them, and which load balancers use which target groups. Target groups, listeners and rules, and
all attributes, lie in ministack's stores, in the form that its data plane reads. Deliberately knows no action
but those on tags.
Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from typing import Any

from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region
from ministack.services import alb

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


def _find(store: Any, arn: str, code: str, what: str) -> dict[str, Any]:
    record: dict[str, Any] | None = store.get(arn)
    if record is None:
        raise AwsError(code, f"{what} '{arn}' not found")
    return record


def find_balancer(arn: str) -> dict[str, Any]:
    return _find(balancers, arn, "LoadBalancerNotFound", "Load balancer")


def find_target_group(arn: str) -> dict[str, Any]:
    return _find(alb._tgs, arn, "TargetGroupNotFound", "Target group")


def find_listener(arn: str) -> dict[str, Any]:
    return _find(alb._listeners, arn, "ListenerNotFound", "Listener")


def find_rule(arn: str) -> dict[str, Any]:
    return _find(alb._rules, arn, "RuleNotFound", "Rule")


def listed(attributes: dict[str, str]) -> Result:
    return {"Attributes": [{"Key": key, "Value": value} for key, value in attributes.items()]}


def stored(store: Any, arn: str) -> dict[str, str]:
    return {attribute["Key"]: attribute["Value"] for attribute in store.get(arn, [])}


def modify_attributes(store: Any, arn: str, request: Request, what: str) -> Result:
    attributes = stored(store, arn)
    for attribute in request.get("Attributes", []):
        key = attribute["Key"]
        if key not in attributes:
            raise AwsError("ValidationError", f"{what} attribute key '{key}' is not recognized")
        attributes[key] = attribute.get("Value", "")
    store[arn] = listed(attributes)["Attributes"]
    return listed(attributes)


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
