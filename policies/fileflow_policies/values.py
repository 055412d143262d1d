"""Reading a resource's properties without trusting them.

Owns the one way in which rules look at a property: a `Value` that is known, unknown, missing or unreadable,
and that never raises, whatever the program passed. Rules decide from it; they never touch the raw mapping.

Deliberately not here: what any property means, and how violations are worded beyond `Value.shown`.

Two facts of the policy SDK shape this module. Touching an unknown value through the SDK's proxies raises, and
the whole rule then degrades to an advisory note, so unknowns become a state of `Value` instead. Secrets reach
rules as plain text, so a value that came in a secret is marked and `shown` never prints it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY
from pulumi_policy.proxy import (
    UNKNOWN_ARCHIVE_VALUE,
    UNKNOWN_ARRAY_VALUE,
    UNKNOWN_ASSET_VALUE,
    UNKNOWN_BOOLEAN_VALUE,
    UNKNOWN_NUMBER_VALUE,
    UNKNOWN_OBJECT_VALUE,
    UNKNOWN_STRING_VALUE,
    _DictProxy,
    _ListProxy,
)

UNKNOWN_SENTINELS: Final = frozenset(
    {
        UNKNOWN_ARCHIVE_VALUE,
        UNKNOWN_ARRAY_VALUE,
        UNKNOWN_ASSET_VALUE,
        UNKNOWN_BOOLEAN_VALUE,
        UNKNOWN_NUMBER_VALUE,
        UNKNOWN_OBJECT_VALUE,
        UNKNOWN_STRING_VALUE,
    }
)

_OUTPUT_VALUE_SIG: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"

_SHOWN_LENGTH_LIMIT: Final = 80
# As the AWS provider reads numbers: Python's int also takes spaces, underscores and other scripts' digits.
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{0,18})?")


class State(Enum):
    """What can be said of a property before anything is deployed."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    MISSING = "missing"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that was a Pulumi secret. Rules may decide by it; messages must not show it."""

    value: Any


def unproxied(raw: Any) -> Any:
    """The plain value behind one of the policy SDK's proxies; anything else as it is.

    The proxies hand out their wrapped container under the key `__target`, which is how the SDK itself unwraps
    them.
    """
    return raw["__target"] if isinstance(raw, _DictProxy | _ListProxy) else raw


@dataclass(frozen=True, slots=True)
class Value:
    """One property, or a part of one: its state, what is known of it, and where it was found."""

    state: State
    raw: Any = None
    path: str = ""
    secret: bool = False

    @classmethod
    def of(cls, raw: Any, path: str = "", secret: bool = False) -> Value:
        """Wraps a value as it came from the engine: plain, proxied, secret, unknown or null."""
        raw = unproxied(raw)
        while True:
            if isinstance(raw, Secret):
                raw, secret = unproxied(raw.value), True
            elif isinstance(raw, dict) and SPECIAL_SIG_KEY in raw:
                signature = raw[SPECIAL_SIG_KEY]
                if signature == SPECIAL_SECRET_SIG:
                    raw, secret = unproxied(raw.get("value")), True
                elif signature == _OUTPUT_VALUE_SIG:
                    secret = secret or raw.get("secret") is True
                    if "value" not in raw:
                        return cls(State.UNKNOWN, None, path, secret)
                    raw = unproxied(raw["value"])
                else:
                    return cls(State.UNREADABLE, None, path, secret)
            else:
                break
        if raw is None:
            return cls(State.MISSING, None, path, secret)
        if isinstance(raw, str) and raw in UNKNOWN_SENTINELS:
            return cls(State.UNKNOWN, None, path, secret)
        return cls(State.KNOWN, raw, path, secret)

    # -- moving around ---------------------------------------------------------------------------------------

    def __getitem__(self, key: str) -> Value:
        """The member `key` of an object: missing from a missing object, unknown from an unknown one."""
        path = f"{self.path}.{key}" if self.path else key
        if self.state is not State.KNOWN:
            return Value(self.state, None, path, self.secret)
        raw = self.raw
        if isinstance(raw, list | tuple) and len(raw) == 1:
            # A block that one provider shows as an object is a list of one in another.
            return Value.of(raw[0], self.path, self.secret)[key]
        if not isinstance(raw, dict):
            return Value(State.UNREADABLE, None, path, self.secret)
        return Value.of(raw.get(key), path, self.secret)

    def items(self) -> list[Value]:
        """The elements of a list. A missing list has none; an unknown or unreadable one is a single such
        element,

        so that a rule which checks every element fails closed on it.
        """
        if self.state is State.MISSING:
            return []
        if self.state is State.KNOWN and isinstance(self.raw, list | tuple):
            return [
                Value.of(element, f"{self.path}[{index}]", self.secret)
                for index, element in enumerate(self.raw)
            ]
        if self.state is State.KNOWN and isinstance(self.raw, dict):
            # Some bridged properties are a list of at most one object in one version and an object in
            # another.
            return [self] if self.raw else []
        return [Value(State.UNKNOWN if self.unknown else State.UNREADABLE, None, self.path, self.secret)]

    def entries(self) -> Iterator[tuple[str, Value]]:
        """The members of a known object, in order; none for anything else."""
        if self.state is State.KNOWN and isinstance(self.raw, dict):
            for key in self.raw:
                if isinstance(key, str) and not key.startswith("__"):
                    yield key, self[key]

    # -- states ----------------------------------------------------------------------------------------------

    @property
    def known(self) -> bool:
        return self.state is State.KNOWN

    @property
    def unknown(self) -> bool:
        return self.state is State.UNKNOWN

    @property
    def missing(self) -> bool:
        return self.state is State.MISSING

    @property
    def unreadable(self) -> bool:
        return self.state is State.UNREADABLE

    @property
    def is_object(self) -> bool:
        return self.known and isinstance(self.raw, dict)

    @property
    def surely_empty(self) -> bool:
        """Nothing is there, and it is known that nothing is: missing, an empty list, object or string."""
        if self.missing:
            return True
        return self.known and isinstance(self.raw, list | tuple | dict | str) and len(self.raw) == 0

    # -- typed reads: None unless the value is known and of that type ----------------------------------------

    def integer(self) -> int | None:
        """The number, also when it arrived as a float or as the digits of one, as the AWS provider accepts
        both.
        """
        raw = self.raw
        if not self.known or isinstance(raw, bool):
            return None
        if isinstance(raw, int):
            return raw
        if isinstance(raw, float):
            return int(raw) if math.isfinite(raw) and raw == int(raw) else None
        if isinstance(raw, str) and _INTEGER.fullmatch(raw):
            return int(raw)
        return None

    def number(self) -> float | None:
        raw = self.raw
        if not self.known or isinstance(raw, bool):
            return None
        if isinstance(raw, int | float):
            return float(raw) if math.isfinite(raw) else None
        if isinstance(raw, str) and _NUMBER.fullmatch(raw):
            return float(raw)
        return None

    def boolean(self) -> bool | None:
        """The flag, also when it arrived as the word that the AWS provider accepts for it."""
        if not self.known:
            return None
        if isinstance(self.raw, bool):
            return self.raw
        if self.raw == "true":
            return True
        if self.raw == "false":
            return False
        return None

    def text(self) -> str | None:
        return self.raw if self.known and isinstance(self.raw, str) else None

    def texts_within(self) -> Iterator[str]:
        """Every known text in this value, at any depth."""
        waiting = [self]
        while waiting:
            value = waiting.pop()
            if value.is_object:
                waiting.extend(member for _, member in value.entries())
            elif value.known and isinstance(value.raw, list | tuple):
                waiting.extend(value.items())
            elif (text := value.text()) is not None:
                yield text

    def texts(self) -> list[str] | None:
        """Every element as text, or None when one of them, or the list itself, can't be read."""
        result: list[str] = []
        for element in self.items():
            text = element.text()
            if text is None:
                return None
            result.append(text)
        return result

    # -- words for messages ----------------------------------------------------------------------------------

    def shown_part(self, text: str) -> str:
        """A text that was found in this value, for a message: short, and not at all when the value is a
        secret.
        """
        return "[secret]" if self.secret else shortened(text)

    def shown(self) -> str:
        """How a message names this value: one line, short, and never what a secret holds."""
        if not self.known:
            return _STATE_WORDS[self.state]
        return "[secret]" if self.secret else _shown(self.raw)


_STATE_WORDS: Final = {
    State.MISSING: "not set",
    State.UNKNOWN: "unknown before the update",
    State.UNREADABLE: "unreadable",
}


def _shown(raw: Any) -> str:
    match raw:
        case bool():
            words = "true" if raw else "false"
        case int() | float():
            words = f"{raw:g}" if isinstance(raw, float) else str(raw)
        case str():
            words = shortened(raw) if raw else "empty"
        case list() | tuple():
            words = f"a list of {len(raw)}" if raw else "an empty list"
        case dict():
            words = "an object"
        case _:
            words = "unreadable"
    return words


def shortened(text: str) -> str:
    """Text made fit for one line of a message."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_LENGTH_LIMIT else line[: _SHOWN_LENGTH_LIMIT - 1] + "…"
