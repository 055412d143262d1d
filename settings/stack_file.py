"""What a stack's file says, to the letter: the engine hands over less than that.

An unquoted `1.10` arrives as `1.1`, a secret within a setting as its plain text under the setting's key,
and nothing tells which file a value came from (`--config-file`, `--config`). Owns what can be learned from
the file beside the program; where it doesn't hold what was handed over, it answers nothing.
Doesn't own how a mistake is worded (`messages`).
Source: https://www.pulumi.com/docs/iac/concepts/config/, and the engine's `config.Value.UnmarshalYAML`
(https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/config/object.go)
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_EMPTY = ("", "{}", "[]")
"""The defaults of `Pulumi.yaml`, which arrive for what no file says."""


@dataclass(frozen=True)
class Unquoted:
    """A scalar without quotes, as it stands in the file."""

    text: str

    def becomes(self, value: object) -> bool:
        """Whether the engine may hand it over as `value`."""
        if isinstance(value, bool) or value is None:
            return self.text.lower() == json.dumps(value)
        if str(value) == self.text:
            return True
        if re.fullmatch(r"\d{4}-\d\d?-\d\d?.*", self.text):
            return isinstance(value, str) and value.startswith(self.text[:4]) and value.endswith("UTC")
        number = _number(self.text)
        try:
            return number is not None and math.isclose(float(str(value)), number, rel_tol=1e-12)
        except ValueError:
            return False


def _number(text: str) -> float | None:
    """The number that YAML reads, leading zeros and all; None where it reads a text."""
    plain = text.replace("_", "")
    if re.fullmatch(r"[-+]?0[0-7]+", plain):
        return int(plain, 8)
    for read in (lambda: int(plain, 0), lambda: float(plain)):
        try:
            return float(read())
        except (ValueError, OverflowError):
            continue
    return None


@dataclass(frozen=True)
class StackFile:
    """A stack's file: its name, and what it says about the program's settings."""

    name: str
    values: Mapping[str, Any] = field(default_factory=dict)
    """Objects, lists and texts of the project's own keys; `Unquoted` where there are no quotes."""

    def says(self, key: str, text: str | None) -> bool:
        """Whether what was handed over for `key` can have come from this file; None for nothing."""
        if key not in self.values:
            return text is None or text in _EMPTY
        return text is not None and _same(self.values[key], _read(text))

    def changed(self, key: str, text: str) -> str | None:
        """How `key` is written, where the engine hands over another text for that."""
        written = self.values.get(key)
        if isinstance(written, Unquoted) and written.text != text and written.becomes(text):
            return written.text
        return None

    def secrets(self, key: str) -> list[str]:
        """The paths of what is encrypted within `key`, or `key` itself where that isn't to be seen."""
        return list(_secrets(self.values.get(key), key)) or [key]


def read_stack_file(folder: Path, project: str, stack: str) -> StackFile:
    """The file of a stack in the project's folder; a file that can't be read says nothing."""
    file = folder / f"Pulumi.{stack}.yaml"
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, ValueError, yaml.YAMLError):
        return StackFile(file.name)
    config = _value(node).get("config") if isinstance(node, yaml.MappingNode) else None
    if not isinstance(config, Mapping):
        return StackFile(file.name)
    prefix = f"{project}:"
    return StackFile(
        file.name,
        {key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)},
    )


def _value(node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _value(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_value(each) for each in node.value]
    is_plain = isinstance(node, yaml.ScalarNode) and node.style is None
    return Unquoted(node.value) if is_plain else node.value


def _read(text: str) -> Any:
    if text[:1] in ("{", "["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text


def _same(written: Any, value: Any) -> bool:
    if _is_secret(written):
        return True
    if isinstance(written, Mapping):
        return (
            isinstance(value, Mapping)
            and written.keys() == value.keys()
            and all(_same(written[key], value[key]) for key in written)
        )
    if isinstance(written, list):
        return isinstance(value, list) and len(written) == len(value) and all(map(_same, written, value))
    if isinstance(written, Unquoted):
        return written.becomes(value)
    return bool(written == value)


def _is_secret(written: Any) -> bool:
    return isinstance(written, Mapping) and written.keys() == {"secure"}


def _secrets(written: Any, path: str) -> Iterator[str]:
    if _is_secret(written):
        yield path
    elif isinstance(written, Mapping):
        for key, value in written.items():
            yield from _secrets(value, f"{path}.{key}")
    elif isinstance(written, list):
        for index, value in enumerate(written):
            yield from _secrets(value, f"{path}.{index}")
