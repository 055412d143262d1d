"""Names for resources whose program gave none.

Owns the generated form (`NAME-` and seven hexadecimal digits, as the real provider's) and the engine's
auto-naming option. Doesn't own which property is a type's name; the type says so.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

_RANDOM_DIGITS: Final = 7


class NamingError(ValueError):
    """No name can be made; the message says why and what to do."""


@dataclass(frozen=True)
class AutoName:
    """The property that a type is named by, and what its service accepts.

    `suffix` is what every name must end in, `lower` that the service accepts small letters only.
    """

    property: str = "name"
    max_length: int = 255
    suffix: str = ""
    lower: bool = False


@dataclass(frozen=True)
class Autonaming:
    """The engine's `pulumi:autonaming` option for one resource; `mode` is propose, enforce or disable."""

    mode: str
    proposed_name: str


def generate(rule: AutoName, resource_name: str, seed: bytes, option: Autonaming | None) -> str:
    """The generated name: the same for the same seed. Raises NamingError where the rule can't be met."""
    if option is not None and option.mode == "disable":
        raise NamingError(f"automatic naming is disabled: give `{rule.property}`")
    if option is not None and option.mode == "enforce":
        name = option.proposed_name
    elif option is not None and option.proposed_name:
        name = option.proposed_name + rule.suffix
    else:
        name = f"{resource_name}-{_digits(seed)}{rule.suffix}"
    name = name.lower() if rule.lower else name
    if len(name) > rule.max_length:
        raise NamingError(
            f"the generated name {name!r} has {len(name)} characters, at most {rule.max_length} are allowed:"
            f" shorten the resource's name or give `{rule.property}`"
        )
    return name


def from_prefix(prefix: str) -> str:
    """A name that begins with a `namePrefix` argument."""
    return prefix + secrets.token_hex(13)


def _digits(seed: bytes) -> str:
    if not seed:
        return secrets.token_hex(_RANDOM_DIGITS)[:_RANDOM_DIGITS]
    return hashlib.sha256(seed).hexdigest()[:_RANDOM_DIGITS]
