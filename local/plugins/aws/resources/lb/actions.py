"""Actions and conditions of listeners and rules, between Pulumi's form and AWS's. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ...documents import Same
from ..calls import given
from ..defaulting import if_given

_REDIRECT: Final = {
    "host": "#{host}",
    "path": "/#{path}",
    "port": "#{port}",
    "protocol": "#{protocol}",
    "query": "#{query}",
}
_FORWARD: Final = "forward"


def action_defaults(argument: str) -> dict[str, Any]:
    """What Check fills into actions; `argument` holds them."""
    return {
        **{f"{argument}.redirect.{name}": default for name, default in _REDIRECT.items()},
        f"{argument}.forward.targetGroups.weight": 1,
    }


def action_sets(argument: str) -> frozenset[str]:
    """Which lists of actions have no order."""
    return frozenset({f"{argument}.forward.targetGroups"})


def lacking_actions(argument: str) -> frozenset[str]:
    """What the stand-in doesn't serve of actions; `argument` holds them."""
    lacking = ("authenticateCognito", "authenticateOidc", "jwtValidation")
    return frozenset(f"{argument}.{name}" for name in lacking)


def same_actions(argument: str) -> dict[str, Same]:
    """How parts of actions compare that may be left out; `argument` holds the actions."""
    return dict.fromkeys(
        (
            f"{argument}.order",
            f"{argument}.fixedResponse.statusCode",
            f"{argument}.forward.stickiness",
        ),
        if_given,
    )


def actions_to_aws(actions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The actions of a request; their order is the list's where they give none."""
    return [_action_to_aws(action, index) for index, action in enumerate(actions, start=1)]


def _action_to_aws(action: Mapping[str, Any], index: int) -> dict[str, Any]:
    request: dict[str, Any] = {"Type": action["type"], "Order": action.get("order") or index}
    if action["type"] == _FORWARD:
        if action.get("forward"):
            request["ForwardConfig"] = _forward_to_aws(action["forward"])
        else:
            request["TargetGroupArn"] = action["targetGroupArn"]
    if redirect := action.get("redirect"):
        request["RedirectConfig"] = _renamed(redirect, _REDIRECT_NAMES)
    if response := action.get("fixedResponse"):
        request["FixedResponseConfig"] = _renamed(response, _FIXED_RESPONSE_NAMES)
    return request


def _forward_to_aws(forward: Mapping[str, Any]) -> dict[str, Any]:
    request: dict[str, Any] = {
        "TargetGroups": [
            given(group, TargetGroupArn="arn", Weight="weight") for group in forward["targetGroups"]
        ]
    }
    if stickiness := forward.get("stickiness"):
        request["TargetGroupStickinessConfig"] = {
            "Enabled": bool(stickiness.get("enabled")),
            "DurationSeconds": stickiness["duration"],
        }
    return request


_REDIRECT_NAMES: Final = {
    "host": "Host",
    "path": "Path",
    "port": "Port",
    "protocol": "Protocol",
    "query": "Query",
    "statusCode": "StatusCode",
}
_FIXED_RESPONSE_NAMES: Final = {
    "contentType": "ContentType",
    "messageBody": "MessageBody",
    "statusCode": "StatusCode",
}


def _renamed(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names[name]: value for name, value in values.items() if name in names and value is not None}


def _named_back(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {name: values[parameter] for name, parameter in names.items() if parameter in values}


def actions_from_aws(
    actions: Sequence[Mapping[str, Any]], known: Sequence[Mapping[str, Any]] | None
) -> list[dict[str, Any]]:
    """The actions as arguments. `known` are those given before.

    AWS names a single target group twice, as itself and inside of a forward block: the known actions say
    which form was given.
    """
    ordered = sorted(actions, key=lambda action: int(action.get("Order", 0)))
    before = [*(known or ())]
    return [
        _action_from_aws(action, before[index] if index < len(before) else {})
        for index, action in enumerate(ordered)
    ]


def _action_from_aws(action: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "order": action.get("Order", 1),
        "targetGroupArn": "",
        "type": action["Type"],
    }
    if action["Type"] == _FORWARD:
        found.update(_forward_from_aws(action, known))
    if redirect := action.get("RedirectConfig"):
        found["redirect"] = {**_REDIRECT, **_named_back(redirect, _REDIRECT_NAMES)}
    if response := action.get("FixedResponseConfig"):
        found["fixedResponse"] = _named_back(response, _FIXED_RESPONSE_NAMES)
    return found


def _forward_from_aws(action: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    config = action.get("ForwardConfig") or {}
    groups = config.get("TargetGroups") or []
    alone = action.get("TargetGroupArn") or (groups[0]["TargetGroupArn"] if len(groups) == 1 else "")
    sticky = config.get("TargetGroupStickinessConfig") or {}
    if not known.get("forward") and alone and not sticky.get("Enabled"):
        return {"targetGroupArn": alone}
    if not groups:
        groups = [{"TargetGroupArn": alone}]
    forward: dict[str, Any] = {
        "targetGroups": [
            {"arn": group["TargetGroupArn"], "weight": group.get("Weight", 1)} for group in groups
        ]
    }
    if sticky:
        forward["stickiness"] = {
            "duration": sticky.get("DurationSeconds", 0),
            "enabled": bool(sticky.get("Enabled")),
        }
    both = {"targetGroupArn": alone} if known.get("targetGroupArn") else {}
    return {"forward": forward, **both}


# --- conditions ---------------------------------------------------------------------------------------------

_CONDITION_FIELDS: Final = {
    "hostHeader": ("host-header", "HostHeaderConfig"),
    "httpHeader": ("http-header", "HttpHeaderConfig"),
    "httpRequestMethod": ("http-request-method", "HttpRequestMethodConfig"),
    "pathPattern": ("path-pattern", "PathPatternConfig"),
    "sourceIp": ("source-ip", "SourceIpConfig"),
}
_CONDITION_NAMES: Final = {
    "httpHeaderName": "HttpHeaderName",
    "ipAddressType": "IpAddressType",
    "regexValues": "RegexValues",
    "values": "Values",
}
CONDITION_SETS: Final = frozenset(
    {
        "conditions",
        "conditions.queryStrings",
        *(
            f"conditions.{field}.{values}"
            for field in _CONDITION_FIELDS
            for values in ("values", "regexValues")
        ),
    }
)


def conditions_to_aws(conditions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The conditions of a request. One argument may state several."""
    return [request for condition in conditions for request in _condition_to_aws(condition)]


def _condition_to_aws(condition: Mapping[str, Any]) -> list[dict[str, Any]]:
    requests = [
        {"Field": field, config: _renamed(condition[argument], _CONDITION_NAMES)}
        for argument, (field, config) in _CONDITION_FIELDS.items()
        if condition.get(argument)
    ]
    if condition.get("queryStrings"):
        values = [given(pair, Key="key", Value="value") for pair in condition["queryStrings"]]
        requests.append({"Field": "query-string", "QueryStringConfig": {"Values": values}})
    return requests


def conditions_from_aws(conditions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The conditions as arguments."""
    return sorted(map(_condition_from_aws, conditions), key=str)


def _condition_from_aws(condition: Mapping[str, Any]) -> dict[str, Any]:
    if condition["Field"] == "query-string":
        pairs = condition.get("QueryStringConfig", {}).get("Values", [])
        return {"queryStrings": [{"key": p.get("Key", ""), "value": p["Value"]} for p in pairs]}
    for argument, (field, config) in _CONDITION_FIELDS.items():
        if condition["Field"] == field:
            # The old form has the values beside the field.
            found = condition.get(config) or {"Values": condition.get("Values", [])}
            return {argument: _sorted_values(_named_back(found, _CONDITION_NAMES))}
    return {}


def _sorted_values(config: dict[str, Any]) -> dict[str, Any]:
    arrange: Callable[[Any], Any] = sorted
    return {name: arrange(value) if isinstance(value, list) else value for name, value in config.items()}
