"""How a mistake in the configuration is worded: file, key, value, rule and fix, a line for each.

Pure, and the one place that decides what may be shown. Doesn't own a rule: those are the sections' and
the components'.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, get_type_hints

import pulumi
from pydantic_core import ErrorDetails

from components.credentials import sounds_secret
from components.validation import HIDDEN, Hidden, InvalidArgumentError
from settings.sections import Settings
from settings.values import PROJECT

Origin = Callable[[str], str]
"""Where a key's value stands, as the beginning of a line: the file and a colon, or nothing if unknown."""


class SettingsError(pulumi.RunError):
    """What is wrong with a stack's configuration: file, key, value, rule and fix, a line for each."""


def describe(origin: Origin, details: ErrorDetails, secret_keys: Collection[str] = ()) -> list[str]:
    """A line for each mistake of one error; a group tells all of its own at once."""
    section = [str(part) for part in details["loc"]]
    cause = details.get("ctx", {}).get("error")
    if isinstance(cause, InvalidArgumentError):
        return [
            line(origin, _placed(section, each.field), each.value, each.rule, each.fix, secret_keys)
            for each in cause.mistakes
        ]
    if details["type"] == "missing":
        return [_line(origin, section, "is missing", "it has no default", f"Set {section[-1]}.")]
    rule, fix = _rule_and_fix(details, section)
    return [_line(origin, section, _found(details, section, secret_keys), rule, fix)]


def line(
    origin: Origin,
    path: Sequence[str],
    value: object,
    rule: str,
    fix: str,
    secret_keys: Collection[str] = (),
) -> str:
    """The one line of a mistake: file, key, value, rule and fix."""
    return _line(origin, path, _show(HIDDEN if _is_hidden(path, secret_keys) else value), rule, fix)


def _line(origin: Origin, path: Sequence[str], shown: str, rule: str, fix: str) -> str:
    text = f"{origin(path[0])}{PROJECT}:{'.'.join(path)} {shown}, but {rule}. {fix}"
    # A key may have a line break in it.
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def _is_hidden(path: Sequence[str], secret_keys: Collection[str]) -> bool:
    return path[0] in secret_keys or bool(_MAY_CARRY_SECRETS & set(path[1:]))


_MAY_CARRY_SECRETS = frozenset({"environment", "secrets", "build_args"})
"""Sections whose values are never printed: somebody may have put a password there by mistake."""


def _placed(path: Sequence[str], field: str) -> list[str]:
    """Where the field of a component's error stands in the file, given the section that it rose in.

    A component names its groups (`writable_paths.path`); the section's path has some of them already.
    """
    parts = field.split(".")
    while len(parts) > 1 and (parts[0] in path or parts[0] not in _known_keys([*path, parts[0]])):
        del parts[0]
    named = [part for part in path if not part.isdigit()]
    return [*path] if named[-1:] == parts else [*path, *parts]


def _found(details: ErrorDetails, path: Sequence[str], secret_keys: Collection[str]) -> str:
    """What stands in the file; of an object or a list only that it is one, since it may hold a secret."""
    value = details["input"]
    if _is_hidden(path, secret_keys):
        return _show(HIDDEN)
    if isinstance(value, Mapping) or _begins(value, "{"):
        return "is an object"
    if isinstance(value, list) or _begins(value, "["):
        return "is a list"
    return _show(HIDDEN if sounds_secret(path[-1]) else value)


def _begins(value: object, bracket: str) -> bool:
    """Whether a text is one that the engine hands an object or a list over as: below a misspelled key."""
    return isinstance(value, str) and value.startswith(bracket)


def _show(value: object) -> str:
    if isinstance(value, str | Hidden):
        return f"is {_cut(repr(value))}"
    return f"is {_cut(json.dumps(value, default=repr))}"


def _cut(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"


def _rule_and_fix(details: ErrorDetails, path: Sequence[str]) -> tuple[str, str]:
    """Rule and fix of an error that pydantic found by itself."""
    if details["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        known = _known_keys(path)
        close = difflib.get_close_matches(path[-1], known, n=1)
        listed = ", ".join(sorted(known))
        return "there is no such setting", f"Did you mean {close[0]}?" if close else f"Known here: {listed}."
    if details["type"] == "string_type" and isinstance(details["input"], bool | int | float):
        return (
            "it is a text, and YAML reads what has no quotes as a number or a switch",
            "Put it in quotes; pulumi config set --path takes --type string.",
        )
    if details["type"] in ("model_type", "dataclass_type"):
        listed = ", ".join(sorted(_known_keys([*path, ""])))
        return (
            "it is a section",
            f"Write {{}} where its defaults will do, or what it says in it, of: {listed}.",
        )
    return details["msg"][0].lower() + details["msg"][1:], f"Correct {path[-1]}."


def _known_keys(path: Sequence[str]) -> list[str]:
    """The settings that stand beside the last part of `path`."""
    section: Any = Settings
    for part in path[:-1]:
        if part.isdigit():
            continue
        section = _section_of(_fields(section).get(part))
    return list(_fields(section))


def _fields(section: Any) -> dict[str, Any]:
    if hasattr(section, "model_fields"):
        return {name: info.annotation for name, info in section.model_fields.items()}
    return get_type_hints(section) if dataclasses.is_dataclass(section) else {}


def _section_of(annotation: Any) -> Any:
    """The section in an annotation such as `list[SchedulerSettings]` or `NewVpc | None`."""
    if hasattr(annotation, "model_fields") or hasattr(annotation, "__dataclass_fields__"):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _section_of(inner)
        if found is not None:
            return found
    return None
