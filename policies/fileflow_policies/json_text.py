"""JSON that arrives as text inside a property: container definitions, policy documents, states, templates.

Owns reading it without trusting it: nested deeper than anything that AWS takes, it is unreadable instead of
an exhausted stack. Deliberately not here: what the text means.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from .values import State, Value

# The engine's own protocol ends at about a hundred levels; container definitions and policies have ten.
DEEPEST: Final = 64

_OUTSIDE_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])', re.DOTALL)


class UnreadableTextError(ValueError):
    """The text isn't JSON, or is nested too deeply; the message says which."""


def nesting(text: str, brackets: re.Pattern[str]) -> int:
    """How deep a text is nested by `brackets`, whose first group begins a level and whose second ends one."""
    depth = deepest = 0
    for match in brackets.finditer(text):
        if match[1]:
            depth += 1
            deepest = max(deepest, depth)
        elif match[2]:
            depth -= 1
    return deepest


def parse(text: str) -> Any:
    """The parsed text. Raises UnreadableTextError."""
    deepest = nesting(text, _OUTSIDE_STRINGS)
    if deepest > DEEPEST:
        raise UnreadableTextError(f"nested {deepest} levels deep")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableTextError("not JSON") from error


def read(value: Value) -> Value:
    """The value behind a JSON text, or the value itself where it is none; unreadable where the text is."""
    text = value.text()
    if text is None:
        return value
    try:
        return Value.of(parse(text), value.path, value.secret)
    except UnreadableTextError:
        return Value(State.UNREADABLE, None, value.path, value.secret)


# Members whose own keys are the user's words, not ECS's.
_FREE: Final = frozenset({"options", "dockerlabels", "driveropts", "labels", "tags", "tagsall", "dimensions"})


def lower_first(name: str) -> str:
    """A key of CloudFormation as ECS and the AWS provider spell it: `ContainerPort` is `containerPort`."""
    return name[:1].lower() + name[1:]


def spelled(raw: Any, keys: dict[str, str] | None = None, free: bool = False) -> Any:
    """A structure with its keys begun in lower case, as ECS reads them in any case.

    `keys` gives the right spelling of a key by its lower-case form. Where a key comes twice in two spellings
    the last one counts, as in the decoder of the AWS provider.
    """
    if isinstance(raw, list):
        return [spelled(item, keys) for item in raw]
    if not isinstance(raw, dict):
        return raw
    if free:
        return raw
    result: dict[Any, Any] = {}
    for key, value in raw.items():
        if isinstance(key, str):
            folded = key.lower()
            name = (keys or {}).get(folded, lower_first(key))
            result[name] = spelled(value, keys, folded in _FREE)
        else:
            result[key] = value
    return result
