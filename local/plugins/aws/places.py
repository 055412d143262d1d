"""Where AWS has what a type's arguments and outputs say: Pulumi's names against botocore's models.

Owns the way of values between the two, in both directions. Pure. Doesn't own which operations are asked, nor
what the names are: the SDK's schema has Pulumi's, botocore's model has AWS's, and a type says where they
differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from .comparison import is_nothing
from .documents import to_text
from .schema import Property, Type, nothing

Shape = Any
"""A `botocore.model.Shape`; botocore is loaded when something is asked of AWS, not before."""

_PAIRS: Final = (
    ("Name", "Value"),
    ("Name", "Values"),
    ("Key", "Value"),
    ("key", "value"),
    ("TagKey", "TagValue"),
    ("KeyType", "AttributeName"),
)
_NOTHING_UNSAID: Final[Mapping[str, Any]] = {}
_SCALARS: Final = frozenset({"string", "integer", "number", "boolean"})
_TRUE: Final = frozenset({"true", "enabled", "enabling"})


@dataclass(frozen=True)
class Places:
    """Where each argument is on AWS.

    The member of its own name, without case, or of that name after one of the type's `noun`s (`AlarmName`),
    in a block after the block's (`attributes.name` is `AttributeName`); or of several of it, or of one, or
    the `Value` in it, where it has nothing else. Of a name that says `Enabled` also the member that says
    `Enable` before it, nothing, or `Status`; of one that is two, the one in the other (`Endpoint.Address`).
    Else `named` says it, by the argument's dotted path: a place leads through structures, through lists, and
    by key into a map or pairs of text (`Attributes.slow_start.enabled`); `A|B` are alternatives, as
    operations differ; "" says that the members of the argument lie where it would be itself. What is nowhere
    else may be in one of the members that `within` names.
    """

    noun: str = ""
    within: str = ""
    named: Mapping[str, str] = field(default_factory=dict)

    def find(self, shape: Shape, path: str) -> tuple[str, ...] | None:
        """The steps to an argument below a structure; None where the structure has no place for it."""
        found = (() if not place else _steps(shape, place) for place in self._alternatives(path))
        return next((steps for steps in found if steps is not None), None)

    def _alternatives(self, path: str) -> Iterator[str]:
        names = self.named[path].split("|") if path in self.named else self._names(path)
        yield from names
        yield from (f"{member}.{name}" for member in self.within.split() for name in names if name)

    def _names(self, path: str) -> list[str]:
        block, _, name = path.rpartition(".")
        before = ["", *(map(_singular, block.rpartition(".")[2:]) if block else self.noun.split())]
        names = [f"{word}{name}" for word in before]
        others = [f"{word}{other}" for word in before for other in _otherwise(name)]
        parted = [f"{name[: at.start()]}.{name[at.start() :]}" for at in re.finditer("[A-Z]", name)]
        return [*names, *map(_plural_or_singular, names), *others, *parted]

    def has(self, shape: Shape, path: str, kind: Type) -> bool:
        """Whether a structure has a place for an argument, or for a part of it."""
        steps = self.find(shape, path)
        if steps == ():
            return any(self.has(shape, f"{path}.{name}", p.type) for name, p in _members(kind).items())
        return steps is not None

    def lost(self, shape: Shape, path: str, kind: Type) -> Iterator[str]:
        """The parts of an argument that have no place in a structure."""
        steps = self.find(shape, path)
        if steps is None:
            yield path
            return
        inner = _leaf(shape, steps)
        inner = inner.member if inner.type_name == "list" else inner
        for name, described in _members(kind).items():
            yield from self.lost(inner, f"{path}.{name}", described.type)

    def request(self, arguments: Mapping[str, Any], shape: Shape, path: str = "") -> dict[str, Any]:
        """The members of a structure that arguments ask for, without those that it doesn't admit."""
        members: dict[str, Any] = {}
        self._fill(members, arguments, shape, path)
        return members

    def _fill(self, members: dict[str, Any], arguments: Mapping[str, Any], shape: Shape, path: str) -> None:
        # In one order always, which a list of pairs may have: a table's HASH key comes before its RANGE key.
        for name, value in sorted(arguments.items()):
            here = f"{path}.{name}" if path else name
            steps = self.find(shape, here)
            if steps == () and value:
                self._fill(members, value[0] if isinstance(value, list) else value, shape, here)
            elif steps and value is not None:
                leaf = _leaf(shape, steps)
                sent = self._to_aws(value, leaf, here)
                if _admits(leaf, sent):
                    _put(members, shape, steps, sent)

    def _to_aws(self, value: Any, shape: Shape, path: str) -> Any:
        if shape.type_name == "list" and not isinstance(value, list):
            if isinstance(value, Mapping) and (pair := _pair(shape)):
                return [{pair[0]: key, pair[1]: text_of(text)} for key, text in value.items()]
            value = [value]
        if isinstance(value, list) and shape.type_name == "list":
            return [self._to_aws(member, shape.member, path) for member in value]
        if isinstance(value, list):
            value = value[0] if value else None
        if isinstance(value, Mapping) and shape.type_name == "structure":
            return self.request(value, shape, path)
        return _as_scalar(value, shape)

    def outputs(
        self,
        found: Mapping[str, Any],
        shape: Shape,
        properties: Mapping[str, Property],
        path: str = "",
        unsaid: Mapping[str, Any] = _NOTHING_UNSAID,
    ) -> dict[str, Any]:
        """Every output that a structure has a place for; what isn't said is as `unsaid` has it, by path."""
        told: dict[str, Any] = {}
        silent = []
        for name, described in properties.items():
            here = f"{path}.{name}" if path else name
            steps, kind = self.find(shape, here), described.type
            if steps == ():
                inner = self.outputs(found, shape, _members(kind), here, unsaid)
                told[name] = nothing(kind) if is_nothing(inner) else [inner] if kind.element else inner
            elif steps is not None:
                value = _get(found, shape, steps, every=kind.kind == "list")
                told[name] = self._to_pulumi(value, _leaf(shape, steps), kind, here, unsaid)
                silent += [name] if value is None and here in unsaid else []
        # Of a block that is off AWS has nothing to say.
        if not path or not is_nothing(told):
            told |= {name: unsaid[f"{path}.{name}" if path else name] for name in silent}
        return told

    def _to_pulumi(self, value: Any, shape: Shape, kind: Type, path: str, unsaid: Mapping[str, Any]) -> Any:
        if isinstance(value, list) and kind.kind == "integer":
            return len(value)
        if isinstance(value, list) and (kind.properties is not None or kind.kind in _SCALARS):
            value, shape = (value[0] if value else None), shape.member
        if value is None:
            return nothing(kind)
        if kind.properties is not None:
            return self.outputs(value, shape, kind.properties, path, unsaid)
        if kind.kind == "list" and kind.element is not None:
            inner = getattr(shape, "member", shape)
            members = value if isinstance(value, list) else [value]
            return [self._to_pulumi(member, inner, kind.element, path, unsaid) for member in members]
        if kind.kind == "map":
            pair = _pair(shape)
            return {each[pair[0]]: each.get(pair[1], "") for each in value} if pair else dict(value)
        return _from_scalar(value, kind.kind)


def _otherwise(name: str) -> Iterator[str]:
    """What AWS may call an argument that says `enabled`, or an output that says `Actual`."""
    if name == "enabled":
        yield "Status"
    elif name.endswith("Enabled"):
        yield from (f"Enable{name.removesuffix('Enabled')}", name.removesuffix("Enabled"))
    elif name.startswith("enabled"):
        yield f"Enable{name.removeprefix('enabled')}"
    elif name.endswith("Actual"):
        yield name.removesuffix("Actual")


def _singular(name: str) -> str:
    if name.endswith("ies"):
        return f"{name.removesuffix('ies')}y"
    return name.removesuffix("s")


def _plural_or_singular(name: str) -> str:
    return _singular(name) if name.endswith("s") else f"{name}s"


def _members(kind: Type) -> Mapping[str, Property]:
    """The members of an object, or of each in a list of them."""
    if kind.kind == "list" and kind.element is not None:
        return _members(kind.element)
    return kind.properties or {}


def text_of(value: Any) -> str:
    """A value where AWS keeps text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _as_scalar(value: Any, shape: Shape) -> Any:
    kind = shape.type_name
    if kind == "string" and isinstance(value, bool) and "ENABLED" in shape.enum:
        return "ENABLED" if value else "DISABLED"
    if kind == "string" and isinstance(value, bool | int | float):
        return text_of(value)
    if kind in ("integer", "long") and isinstance(value, str):
        return int(value)
    return value.encode() if kind == "blob" and isinstance(value, str) else value


def _from_scalar(value: Any, kind: str) -> Any:
    if kind == "string" and isinstance(value, Mapping):
        return to_text(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if kind == "boolean" and isinstance(value, str):
        return value.lower() in _TRUE
    if kind == "integer" and isinstance(value, str):
        return int(value) if value.isdigit() else 0
    return text_of(value) if kind == "string" else value


# --- shapes --------------------


def _pair(shape: Shape) -> tuple[str, str] | None:
    """The members of a list's structures that are a name and a text, if these are all they have."""
    members = set(getattr(shape.member, "members", ())) if shape.type_name == "list" else set()
    return next((pair for pair in _PAIRS if set(pair) == members), None)


def _steps(shape: Shape, place: str) -> tuple[str, ...] | None:
    if shape.type_name == "list" and not _pair(shape):
        return _steps(shape.member, place)
    if shape.type_name not in ("structure", "list", "map"):
        return None
    if shape.type_name != "structure":
        keys = getattr(getattr(shape, "key", None), "enum", None) or [place]
        return next(((key,) for key in keys if key.lower() == place.lower()), None)
    head, _, rest = place.partition(".")
    member = next((each for each in shape.members if each.lower() == head.lower()), None)
    if member is None or not rest:
        inner = getattr(shape.members.get(member), "members", ())
        return None if member is None else (member, "Value") if set(inner) == {"Value"} else (member,)
    further = _steps(shape.members[member], rest)
    return None if further is None else (member, *further)


def _leaf(shape: Shape, steps: Sequence[str]) -> Shape:
    for step in steps:
        if shape.type_name == "list" and (pair := _pair(shape)):
            return shape.member.members[pair[1]]
        shape = shape.member if shape.type_name == "list" else shape
        shape = shape.value if shape.type_name == "map" else shape.members[step]
    return shape


def _admits(shape: Shape, value: Any) -> bool:
    """Whether a shape takes a value: its model names the least, and the values that there are."""
    least = shape.metadata.get("min")
    if value == "" and (shape.metadata.get("enum") or least):
        return False
    if value is None or isinstance(value, bool):
        return value is not None
    size = value if isinstance(value, int | float) else len(value)
    return least is None or bool(size >= least)


def _put(members: dict[str, Any], shape: Shape, steps: Sequence[str], value: Any) -> None:
    head, rest = steps[0], steps[1:]
    inner = shape.members[head]
    if not rest:
        members[head] = value
    elif inner.type_name == "structure":
        _put(members.setdefault(head, {}), inner, rest, value)
    elif inner.type_name == "map":
        members.setdefault(head, {})[rest[0]] = value
    elif pair := _pair(inner):
        members.setdefault(head, []).append({pair[0]: rest[0], pair[1]: value})
    else:
        _put(members.setdefault(head, [{}])[0], inner.member, rest, value)


def _get(found: Any, shape: Shape, steps: Sequence[str], *, every: bool) -> Any:
    """The value at the end of the steps; `every` one where lists are on the way, else the first."""
    if not steps or found is None:
        return found
    if shape.type_name == "structure":
        return _get(found.get(steps[0]), shape.members[steps[0]], steps[1:], every=every)
    if shape.type_name == "map":
        return found.get(steps[0])
    if pair := _pair(shape):
        return next((each.get(pair[1], "") for each in found if each[pair[0]] == steps[0]), None)
    values = [_get(each, shape.member, steps, every=every) for each in found]
    return values if every else next(iter(values), None)
