"""Whether a resource's policy lets a service of AWS in.

Owns the judgement for the three services that this project's policies name. Doesn't own where a policy is
stored, nor anybody's identity policies, which have no effect in the emulated AWS.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping
from typing import Any

_EQUALS = {"StringEquals", "ArnEquals", "Bool"}
_LIKE = {"StringLike", "ArnLike"}


def admits(policy: str | None, service: str, action: str, resource: str, context: Mapping[str, str]) -> bool:
    """Whether `policy` allows `service` the action, and nothing in it denies that.

    A condition on a key that isn't in `context`, or by an operator that isn't known here, isn't met.
    """
    statements = _listed(json.loads(policy).get("Statement")) if policy else []
    effects = {
        statement.get("Effect")
        for statement in statements
        if _names_service(statement.get("Principal"), service)
        and _matches(action.lower(), [each.lower() for each in _listed(statement.get("Action"))])
        and _matches(resource, _listed(statement.get("Resource")))
        and _conditions_met(statement.get("Condition") or {}, context)
    }
    return "Allow" in effects and "Deny" not in effects


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _names_service(principal: Any, service: str) -> bool:
    if not isinstance(principal, dict):
        return bool(principal == "*")
    return service in _listed(principal.get("Service")) or "*" in _listed(principal.get("AWS"))


def _matches(value: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(value, pattern) for pattern in patterns)


def _conditions_met(conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    known = {key.lower(): value for key, value in context.items()}
    for operator, keys in conditions.items():
        for key, wanted in keys.items():
            value = known.get(key.lower())
            values = [str(each) for each in _listed(wanted)]
            if value is None:
                return False
            if operator in _EQUALS and value not in values:
                return False
            if operator in _LIKE and not _matches(value, values):
                return False
            if operator not in _EQUALS | _LIKE:
                return False
    return True
