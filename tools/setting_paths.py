"""Every setting of a stack's file, derived from the settings' own types.

Owns the list and what kinds of value each can take, so that neither a page nor a test can leave one
out. Doesn't own what a setting means (`settings`) nor what changing it does (`tools.changes`).
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel


@dataclass(frozen=True)
class Setting:
    """One key of `Pulumi.STACK.yaml`, by the keys that lead to it.

    `path` joins them with dots; what stands in a list is named as the list is. `kinds` are the kinds of
    value that it can take: every member of a choice, `true` and `false`, `none` and `given`, `empty` and
    `filled`; of a number or a text only `given`.
    """

    path: str
    kinds: frozenset[str]


def settings_of(section: type[Any]) -> list[Setting]:
    """Every setting below a section, in the order of its declaration.

    A section that is always there is no setting of its own; one that may be left out, and a list of
    sections, are settings beside what stands in them.
    """
    return list(_below(section, ""))


def _below(section: type[Any], prefix: str) -> Iterator[Setting]:
    for name, annotation in _annotations(section).items():
        path = f"{prefix}{name}"
        inner = list(sections_in(annotation))
        kinds = _kinds(annotation)
        if not inner or kinds != {"given"}:
            yield Setting(path, kinds)
        for each in inner:
            yield from _below(each, f"{path}.")


def _annotations(section: type[Any]) -> dict[str, Any]:
    if issubclass(section, BaseModel):
        return {name: info.annotation for name, info in section.model_fields.items()}
    hints = typing.get_type_hints(section)
    return {each.name: hints[each.name] for each in dataclasses.fields(section)}


def sections_in(annotation: Any) -> Iterator[type[Any]]:
    """The sections that an annotation of a setting names."""
    if isinstance(annotation, type) and not typing.get_args(annotation):
        if dataclasses.is_dataclass(annotation) or issubclass(annotation, BaseModel):
            yield annotation
        return
    for inner in typing.get_args(annotation):
        yield from sections_in(inner)


def _kinds(annotation: Any) -> frozenset[str]:
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _kinds(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return frozenset().union(*(_kinds(member) for member in typing.get_args(annotation)))
    if origin is typing.Literal:
        return frozenset(str(member) for member in typing.get_args(annotation))
    if annotation in (types.NoneType, bool):
        return frozenset({"none"} if annotation is types.NoneType else {"true", "false"})
    container = origin or annotation
    if container is not str and isinstance(container, type) and issubclass(container, Mapping | Sequence):
        return frozenset({"empty", "filled"})
    return frozenset({"given"})


def kind_of(value: Any, setting: Setting) -> str:
    """Which of a setting's kinds a value is."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list | tuple) and "filled" in setting.kinds:
        return "filled" if value else "empty"
    return str(value) if str(value) in setting.kinds else "given"
