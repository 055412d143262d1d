"""What Check does to arguments: refuse the wrong ones, fill in the absent ones.

Owns names and types of arguments by schema, default tags, documents given as objects, defaults and generated
names. Pure: nothing here talks to AWS.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..common.values import UNKNOWN, has_unknown
from . import documents, naming
from .comparison import is_nothing
from .resource import Resource
from .schema import Property, Type

DEFAULTS = "__defaults"
"""The key under which checked inputs name the arguments that Check filled in."""


@dataclass(frozen=True)
class Failure:
    """An argument that can't be accepted, and why."""

    property: str
    reason: str


@dataclass
class Checked:
    inputs: dict[str, Any]
    failures: list[Failure] = field(default_factory=list)


@dataclass(frozen=True)
class Surroundings:
    """What else Check depends on: provider configuration and the engine's naming."""

    region: str
    default_tags: Mapping[str, str]
    resource_name: str
    seed: bytes
    autonaming: naming.Autonaming | None


def check(kind: Resource, old: Mapping[str, Any], new: Mapping[str, Any], around: Surroundings) -> Checked:
    """The inputs to create or update with, and every failure found."""
    checked, schema = Checked({}), kind.described
    given = {name: value for name, value in new.items() if name != DEFAULTS and value is not None}
    given = _documents_as_text(given, schema.inputs, kind.policies | kind.documents)
    checked.inputs = _members(given, schema.inputs, kind.token, "", checked.failures)
    inputs = checked.inputs
    defaults, exclusive = kind.all_defaults(), list(kind.all_exclusive())
    for name, property_ in schema.inputs.items():
        required = property_.required or name in kind.required
        if required and inputs.get(name) is None and name not in defaults:
            checked.failures.append(Failure(name, f"the required argument `{name}` is missing"))
    for group in exclusive:
        both = [name for name in group if name in inputs]
        if len(both) > 1:
            checked.failures.append(
                Failure(both[1], f"at most one of {', '.join(f'`{name}`' for name in both)} may be given")
            )
    if "tags" in schema.inputs and around.default_tags and inputs.get("tags") is not UNKNOWN:
        inputs["tags"] = {**around.default_tags, **(inputs.get("tags") or {})}
    if "region" in schema.inputs:
        inputs.setdefault("region", around.region)
    checked.failures += [
        Failure(path, f"the aws stand-in has no `{path}` of {kind.token}; use the real aws plugin (7.x)")
        for path in sorted(kind.all_lacking())
        if _is_given(inputs, path.split("."))
    ]
    filled = _fill_in(defaults, exclusive, inputs)
    filled += _name(kind, old, inputs, around, checked.failures)
    if not checked.failures:
        checked.failures += [Failure(name, reason) for name, reason in kind.check(inputs)]
    inputs[DEFAULTS] = sorted(filled)
    return checked


def _fill_in(
    defaults: Mapping[str, Any], exclusive: Iterable[tuple[str, ...]], inputs: dict[str, Any]
) -> list[str]:
    filled = []
    for name, default in defaults.items():
        if "." in name:
            _fill_in_below(inputs, name.split("."), default)
            continue
        excluded = any(name in group and any(other in inputs for other in group) for group in exclusive)
        if name not in inputs and not excluded:
            inputs[name] = default
            filled.append(name)
    return filled


def _is_given(value: Any, path: list[str]) -> bool:
    """Whether something is at a dotted path, through lists; what isn't known yet counts as something."""
    if not path:
        return has_unknown(value) or not is_nothing(value)
    if isinstance(value, list):
        return any(_is_given(member, path) for member in value)
    return isinstance(value, Mapping) and _is_given(value.get(path[0]), path[1:])


def _fill_in_below(value: Any, path: list[str], default: Any) -> None:
    """Fills in a member of every object that is given at a dotted path, through lists."""
    if isinstance(value, list):
        for member in value:
            _fill_in_below(member, path, default)
    elif isinstance(value, dict) and len(path) == 1:
        value.setdefault(path[0], default)
    elif isinstance(value, dict):
        _fill_in_below(value.get(path[0]), path[1:], default)


def _name(
    kind: Resource,
    old: Mapping[str, Any],
    inputs: dict[str, Any],
    around: Surroundings,
    failures: list[Failure],
) -> list[str]:
    rule = kind.auto_name
    if rule is None or rule.property in inputs or "namePrefix" in inputs:
        return []
    if rule.property in old.get(DEFAULTS, ()) and old.get(rule.property):
        inputs[rule.property] = old[rule.property]
        return [rule.property]
    try:
        inputs[rule.property] = naming.generate(rule, around.resource_name, around.seed, around.autonaming)
    except naming.NamingError as error:
        failures.append(Failure(rule.property, str(error)))
        return []
    return [rule.property]


def _documents_as_text(
    inputs: dict[str, Any], properties: Mapping[str, Property], names: Iterable[str]
) -> dict[str, Any]:
    for name in names:
        if isinstance(inputs.get(name), Mapping | list):
            inputs[name] = documents.to_text(inputs[name]) if not has_unknown(inputs[name]) else UNKNOWN
    for name, value in inputs.items():
        if (
            isinstance(value, Mapping | list)
            and (described := properties.get(name))
            and described.type.kind == "json"
        ):
            inputs[name] = UNKNOWN if has_unknown(value) else documents.to_text(value)
    return inputs


def arguments(
    given: Mapping[str, Any], properties: Mapping[str, Property], token: str, required: Iterable[str]
) -> Checked:
    """Arguments of a function: names and types only."""
    checked = Checked({})
    present = {name: value for name, value in given.items() if value is not None}
    checked.inputs = _members(present, properties, token, "", checked.failures)
    for name in sorted(set(required) - set(checked.inputs)):
        checked.failures.append(Failure(name, f"the required argument `{name}` is missing"))
    return checked


def _members(
    given: Mapping[str, Any],
    properties: Mapping[str, Property],
    owner: str,
    path: str,
    failures: list[Failure],
) -> dict[str, Any]:
    accepted: dict[str, Any] = {}
    for name, value in given.items():
        here = f"{path}.{name}" if path else name
        described = properties.get(name)
        if name == DEFAULTS:
            continue
        if described is None:
            near = difflib.get_close_matches(name, properties, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else f"; it has {', '.join(sorted(properties))}"
            failures.append(Failure(here, f"`{here}` is no argument of {owner}{hint}"))
            continue
        if value is not None:
            accepted[name] = _value(value, described.type, owner, here, failures)
    if path:
        failures += [
            Failure(f"{path}.{name}", f"the required argument `{path}.{name}` is missing")
            for name, described in properties.items()
            if described.required and accepted.get(name) is None
        ]
    return accepted


def _value(value: Any, kind: Type, owner: str, path: str, failures: list[Failure]) -> Any:
    if value is UNKNOWN or kind.kind == "any" or value is None:
        return value
    if kind.properties is not None:
        if isinstance(value, Mapping):
            return _members(value, kind.properties, owner, path, failures)
    elif kind.kind == "list" and kind.element is not None:
        if isinstance(value, list):
            return [
                _value(member, kind.element, owner, f"{path}[{index}]", failures)
                for index, member in enumerate(value)
            ]
    elif kind.kind == "map" and kind.element is not None:
        if isinstance(value, Mapping):
            return {
                key: _value(member, kind.element, owner, f"{path}.{key}", failures)
                for key, member in value.items()
                if key != DEFAULTS and member is not None
            }
    else:
        converted = _scalar(value, kind.kind)
        if converted is not None:
            return converted
    article = "an" if kind.kind[0] in "aio" else "a"
    failures.append(Failure(path, f"`{path}` of {owner} must be {article} {kind.kind}{_described(value)}"))
    return value


def _scalar(value: Any, kind: str) -> Any:
    """The value as the kind, where nothing is lost (the real provider converts the same); else None."""
    if kind in ("string", "json"):
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value) if isinstance(value, str | int | float) else None
    if kind == "boolean":
        return value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value))
    return _number(value, kind)


def _number(value: Any, kind: str) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    if number.is_integer():
        return int(number)
    return number if kind == "number" else None


def _described(value: Any) -> str:
    """What was given instead, where that is another structure. Never the value: it may be a secret."""
    if isinstance(value, Mapping):
        return ", not an object"
    return ", not a list" if isinstance(value, list) else ""
