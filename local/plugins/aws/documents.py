"""JSON documents in string arguments: policies, patterns, dashboards.

Owns when two documents say the same, and how an object is written as a document. A document that says the
same as the one before is kept as it was written, so that AWS's own spelling of it is never a change.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

Same = Callable[[Any, Any], bool]
"""Whether two values of a property mean the same to AWS."""


def to_text(document: Any) -> str:
    """An object as the real provider writes it: sorted keys, no spaces, HTML characters escaped."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _parsed(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def same_json(left: Any, right: Any) -> bool:
    """The same JSON value, whatever its spacing and the order of its keys."""
    return bool(_parsed(left) == _parsed(right))


def same_policy(left: Any, right: Any) -> bool:
    """The same IAM policy: a single member equals a list of it, and lists have no order."""
    return bool(_policy(_parsed(left)) == _policy(_parsed(right)))


_STATEMENT_LISTS: Final = frozenset({"Action", "NotAction", "Resource", "NotResource"})


def _policy(document: Any) -> Any:
    if not isinstance(document, Mapping):
        return document
    statements = document.get("Statement", [])
    if isinstance(statements, Mapping):
        statements = [statements]
    rest = {key: value for key, value in document.items() if key not in ("Statement", "Id") or value}
    rest["Statement"] = _unordered([_statement(statement) for statement in statements])
    return rest


def _statement(statement: Any) -> Any:
    if not isinstance(statement, Mapping):
        return statement
    return {
        key: _statement_value(key, value)
        for key, value in statement.items()
        if not (key == "Sid" and value == "")
    }


def _statement_value(key: str, value: Any) -> Any:
    if key in _STATEMENT_LISTS:
        members = value if isinstance(value, list) else [value]
        if key.endswith("Action"):
            members = [str(member).lower() for member in members]
        return _unordered(members)
    if key in ("Principal", "NotPrincipal"):
        if value == "*":
            return {"AWS": ["*"]}
        if isinstance(value, Mapping):
            return {kind: _unordered(who if isinstance(who, list) else [who]) for kind, who in value.items()}
    if key == "Condition" and isinstance(value, Mapping):
        return {
            operator: {
                name: _unordered([_scalar(m) for m in (wanted if isinstance(wanted, list) else [wanted])])
                for name, wanted in keys.items()
            }
            for operator, keys in value.items()
        }
    return value


def _scalar(value: Any) -> Any:
    """Conditions compare text: true and "true" are the same."""
    return str(value).lower() if isinstance(value, bool | int | float) else value


def _unordered(members: list[Any]) -> list[Any]:
    return sorted(members, key=lambda member: json.dumps(member, sort_keys=True, default=str))
