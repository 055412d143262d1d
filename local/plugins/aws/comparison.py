"""What differs between a resource as it is and as the program wants it.

Owns the comparison of property values by schema, pure. The rules are those of the real provider's:
- an argument that the program leaves out equals AWS's value when AWS fills it in (`computed`), else it equals
  nothing, and nothing equals false, 0, "" and an empty collection;
- sets have no order; documents are compared by meaning;
- an unknown value is a change.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..common.values import UNKNOWN, has_unknown
from .documents import Same
from .schema import Property, Type

Step = str | int


@dataclass(frozen=True)
class Difference:
    """`kind` is add, delete or update; `path` leads to the value from the top of the properties."""

    path: tuple[Step, ...]
    kind: str


@dataclass(frozen=True)
class Rules:
    """What a type's schema doesn't say, by dotted path without indices (`networkConfiguration.subnets`)."""

    sets: Collection[str] = frozenset()
    same: Mapping[str, Same] = field(default_factory=dict)
    when_absent: Mapping[str, Any] = field(default_factory=dict)


def differences(
    old: Mapping[str, Any], new: Mapping[str, Any], properties: Mapping[str, Property], rules: Rules
) -> list[Difference]:
    """Every difference of the arguments `new` from the outputs `old`; `properties` are the outputs' own."""
    return _object(old, new, properties, rules, (), "")


def is_nothing(value: Any) -> bool:
    """Whether AWS wouldn't tell the value from an absent one."""
    if isinstance(value, Mapping):
        return all(is_nothing(member) for member in value.values())
    return value is None or value in (False, 0, "") or (isinstance(value, Sequence) and len(value) == 0)


def equal(old: Any, new: Any, kind: Type, rules: Rules, dotted: str) -> bool:
    """Whether two values of one property are the same by these rules."""
    return not _value(old, new, kind, rules, (), dotted)


def _object(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    properties: Mapping[str, Property],
    rules: Rules,
    path: tuple[Step, ...],
    dotted: str,
) -> list[Difference]:
    found: list[Difference] = []
    for name in sorted({*old, *new} - {"__defaults"}):
        described = properties.get(name)
        if described is None:
            continue
        here = f"{dotted}.{name}" if dotted else name
        if new.get(name) is None and described.computed:
            continue
        found += _value(old.get(name), new.get(name), described.type, rules, (*path, name), here)
    return found


def _value(
    old: Any, new: Any, kind: Type, rules: Rules, path: tuple[Step, ...], dotted: str
) -> list[Difference]:
    if new is UNKNOWN:
        return [Difference(path, "add" if is_nothing(old) else "update")]
    if new is None:
        new = rules.when_absent.get(dotted)
    if _both_nothing(old, new):
        return []
    if kind.properties is not None and isinstance(old, Mapping) and isinstance(new, Mapping):
        return _object(old, new, kind.properties, rules, path, dotted)
    if kind.element is not None and dotted not in rules.same:
        if kind.kind == "map":
            return _map(old, new, kind.element, rules, path, dotted)
        compare = _set if dotted in rules.sets else _list
        return compare(old, new, kind.element, rules, path, dotted)
    same = rules.same.get(dotted, _equal)
    return [] if not has_unknown(new) and same(old, new) else [_change(old, new, path)]


def _equal(old: Any, new: Any) -> bool:
    return bool(old == new)


def _both_nothing(old: Any, new: Any) -> bool:
    return is_nothing(old) and is_nothing(new)


def _change(old: Any, new: Any, path: tuple[Step, ...]) -> Difference:
    if is_nothing(old) and not is_nothing(new):
        return Difference(path, "add")
    if new is None:
        return Difference(path, "delete")
    return Difference(path, "update")


def _map(
    old: Mapping[str, Any] | None,
    new: Mapping[str, Any] | None,
    element: Type,
    rules: Rules,
    path: tuple[Step, ...],
    dotted: str,
) -> list[Difference]:
    old, new = old or {}, new or {}
    found: list[Difference] = []
    for key in sorted({*old, *new}):
        if key not in new:
            found.append(Difference((*path, key), "delete"))
        elif key not in old:
            found.append(Difference((*path, key), "add"))
        elif new[key] is UNKNOWN or not equal(old[key], new[key], element, rules, dotted):
            found.append(Difference((*path, key), "update"))
    return found


def _list(
    old: Sequence[Any] | None,
    new: Sequence[Any] | None,
    element: Type,
    rules: Rules,
    path: tuple[Step, ...],
    dotted: str,
) -> list[Difference]:
    old, new = old or [], new or []
    found: list[Difference] = []
    for index in range(max(len(old), len(new))):
        if index >= len(new):
            found.append(Difference((*path, index), "delete"))
        elif index >= len(old):
            found.append(Difference((*path, index), "add"))
        else:
            found += _value(old[index], new[index], element, rules, (*path, index), dotted)
    return found


def _set(
    old: Sequence[Any] | None,
    new: Sequence[Any] | None,
    element: Type,
    rules: Rules,
    path: tuple[Step, ...],
    dotted: str,
) -> list[Difference]:
    old, new = old or [], new or []
    left = list(range(len(old)))
    added = []
    for index, member in enumerate(new):
        for candidate in left:
            if equal(old[candidate], member, element, rules, dotted):
                left.remove(candidate)
                break
        else:
            added.append(index)
    both = [Difference((*path, index), "update") for index in added if index in left]
    return [
        *both,
        *(Difference((*path, index), "add") for index in added if index not in left),
        *(Difference((*path, index), "delete") for index in left if index not in added),
    ]


def render(path: Iterable[Step]) -> str:
    """The engine's spelling of a property path: `a.b[0]["c.d"]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.fullmatch(r"[A-Za-z_$][A-Za-z0-9_$]*", step):
            text += f".{step}" if text else step
        else:
            escaped = step.replace("\\", "\\\\").replace('"', '\\"')
            text += f'["{escaped}"]'
    return text


def parse(path: str) -> tuple[Step, ...]:
    """The steps of a property path as `ignoreChanges` gives it; `*` stands for every member."""
    steps: list[Step] = []
    for match in re.finditer(r'\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|\[\*\]|([^.\[\]]+)', path):
        index, quoted, name = match.groups()
        if index is not None:
            steps.append(int(index))
        elif quoted is not None:
            steps.append(re.sub(r"\\(.)", r"\1", quoted))
        else:
            steps.append(name or "*")
    return tuple(steps)


def is_ignored(path: Sequence[Step], ignored: Iterable[Sequence[Step]]) -> bool:
    """Whether a difference lies at or below an ignored path."""
    return any(
        len(pattern) <= len(path)
        and all(want in ("*", got) for want, got in zip(pattern, path, strict=False))
        for pattern in ignored
    )
