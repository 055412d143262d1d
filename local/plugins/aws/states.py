"""What becomes of a resource's properties: differences, plans, whole outputs, arguments read back, secrets.

Owns what follows from a type's schema and its rules alone. Deliberately doesn't own the protocol
(`provider`), nor how two values are compared (`comparison`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..common.values import UNKNOWN, Path
from . import comparison, schema
from .checking import DEFAULTS
from .comparison import Difference, Rules, is_nothing
from .resource import Resource

Properties = dict[str, Any]


def _rules(kind: Resource) -> Rules:
    return Rules(sets=kind.sets, same=kind.all_same(), when_absent=kind.when_absent)


def differences(
    kind: Resource,
    state: Mapping[str, Any],
    old_inputs: Mapping[str, Any],
    new: Mapping[str, Any],
    ignored: Iterable[str],
) -> list[Difference]:
    """The arguments that differ from the state, but for those at ignored paths.

    What has no output is compared with the old inputs.
    """
    inputs, outputs = kind.described.inputs, kind.described.outputs
    old = {name: state.get(name) if name in outputs else old_inputs.get(name) for name in inputs}
    properties = {name: outputs.get(name, property_) for name, property_ in inputs.items()}
    paths = [comparison.parse(path) for path in ignored]
    found = comparison.differences(old, new, properties, _rules(kind))
    return [difference for difference in found if not comparison.is_ignored(difference.path, paths)]


def deletes_first(kind: Resource, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """A name that the program fixed is free only after the old resource is gone."""
    if kind.delete_before_replace:
        return True
    if kind.auto_name is None:
        return False
    name = kind.auto_name.property
    return name not in new.get(DEFAULTS, ()) and new.get(name) is not None and old.get(name) == new.get(name)


def planned(kind: Resource, inputs: Mapping[str, Any], state: Mapping[str, Any] | None) -> Properties:
    """What a preview can say of the outputs."""
    described = kind.described
    planned: Properties = {}
    for name, property_ in described.outputs.items():
        given = inputs.get(name)
        if given is not None:
            planned[name] = given
        elif state is not None and (property_.computed or name not in described.inputs):
            planned[name] = state.get(name)
        else:
            planned[name] = UNKNOWN if property_.computed and name not in kind.kept else None
    if "tagsAll" in described.outputs:
        planned["tagsAll"] = planned.get("tags") or {}
    planned.update(kind.plan(inputs, state))
    return planned


def keep_spelling(outputs: Properties, known: Mapping[str, Any], same: Mapping[str, Any]) -> None:
    """Keeps the known spelling of values that mean the same."""
    for path, means_same in same.items():
        _keep_at(outputs, known, path.split("."), means_same)


def _keep_at(outputs: Any, known: Any, path: list[str], means_same: Callable[[Any, Any], bool]) -> None:
    if isinstance(outputs, list) and isinstance(known, list):
        for output, before in zip(outputs, known, strict=False):
            _keep_at(output, before, path, means_same)
        return
    if not (isinstance(outputs, dict) and isinstance(known, Mapping)):
        return
    head, rest = path[0], path[1:]
    output, before = outputs.get(head), known.get(head)
    if output is None or before is None:
        return
    if rest:
        _keep_at(output, before, rest, means_same)
    elif means_same(output, before):
        outputs[head] = before


def complete(
    values: Mapping[str, Any], properties: Mapping[str, schema.Property], owner: str, *, strict: bool
) -> Properties:
    """All the SDK's names, absent ones null, inside of objects too. Strict: a surplus name is a bug."""
    surplus = sorted(set(values) - set(properties))
    if strict and surplus:
        raise AssertionError(f"{owner} gave outputs that the SDK doesn't have: {', '.join(surplus)}")
    return {
        name: _complete_value(values.get(name), property_.type, f"{owner}.{name}", strict=strict)
        for name, property_ in properties.items()
    }


def _complete_value(value: Any, kind: schema.Type, owner: str, *, strict: bool) -> Any:
    if kind.properties is not None and isinstance(value, Mapping):
        return complete(value, kind.properties, owner, strict=strict)
    if kind.kind == "list" and kind.element is not None and isinstance(value, list):
        return [_complete_value(member, kind.element, owner, strict=strict) for member in value]
    return value


def imported_inputs(kind: Resource, outputs: Mapping[str, Any]) -> Properties:
    """Arguments that would make the resource as it is."""
    lacking = kind.all_lacking()
    inputs: Properties = {
        name: _as_argument(outputs[name], property_.type)
        for name, property_ in kind.described.inputs.items()
        if name in outputs and name not in lacking and not is_nothing(outputs[name])
    }
    for name, default in kind.all_defaults().items():
        if "." in name or name in lacking:
            continue
        inputs.setdefault(name, outputs.get(name) if outputs.get(name) is not None else default)
    for group in kind.all_exclusive():
        for surplus in [name for name in group if name in inputs][1:]:
            del inputs[surplus]
    inputs[DEFAULTS] = []
    return inputs


def refreshed_inputs(kind: Resource, outputs: Mapping[str, Any], old: Mapping[str, Any]) -> Properties:
    """The old arguments, with AWS's value where it differs."""
    described, rules = kind.described, _rules(kind)
    inputs: Properties = {}
    for name, value in old.items():
        property_ = described.inputs.get(name)
        if property_ is None or name not in outputs:
            inputs[name] = value
            continue
        now = outputs[name]
        compared = {name: described.outputs[name]}
        if not comparison.differences({name: now}, {name: value}, compared, rules):
            inputs[name] = value
        elif not is_nothing(now) or isinstance(now, bool | int):
            inputs[name] = _as_argument(now, property_.type, value)
    return inputs


def _as_argument(value: Any, kind: schema.Type, old: Any = None) -> Any:
    """An output without what an argument can't say or says by leaving out.

    Where the old argument is known, an object keeps to its members.
    """
    if kind.properties is not None and isinstance(value, Mapping):
        return {
            name: _as_argument(
                value[name], property_.type, old.get(name) if isinstance(old, Mapping) else None
            )
            for name, property_ in kind.properties.items()
            if name in value
            and value[name] is not None
            and (
                not is_nothing(value[name])
                or property_.required
                or (isinstance(old, Mapping) and name in old)
            )
        }
    if kind.kind == "list" and kind.element is not None and isinstance(value, list):
        return [_as_argument(member, kind.element) for member in value]
    return value


def outer(secrets: Iterable[Path]) -> frozenset[Path]:
    """Whole outputs to keep secret: AWS may give a secret's surroundings another shape."""
    names = {path[0] for path in secrets}
    if "tags" in names:
        names.add("tagsAll")
    return frozenset((name,) for name in names)


def inner_or_outer(inputs: Mapping[str, Any], secrets: frozenset[Path]) -> frozenset[Path]:
    """The paths themselves where they lead to a value, else the whole argument: text made of an object."""
    kept = set()
    for path in secrets:
        value: Any = inputs
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        kept.add(path if value is not None else path[:1])
    return frozenset(kept)
