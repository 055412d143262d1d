"""The stacks' files as tests want them: as values to change, and as the engine hands them over."""

from __future__ import annotations

import copy
import functools
import json
import runpy
import string
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from hypothesis import strategies as st

from settings import Settings, StackFile, parse_settings
from settings.stack_file import Unquoted
from tests.unit.recorder import Recorder, Recording, record

ROOT: Final = Path(__file__).resolve().parents[2]
STACKS: Final = tuple(sorted(each.name.split(".")[1] for each in ROOT.glob("Pulumi.*.yaml")))
PREFIX: Final = "fileflow:"


def stack_values(stack: str) -> dict[str, Any]:
    """The project's own values of a stack's file; the caller may change them."""
    return {key.removeprefix(PREFIX): value for key, value in _file(stack).items() if key.startswith(PREFIX)}


def as_text(values: Mapping[str, Any]) -> dict[str, str]:
    """Values as the engine hands them to a program: JSON, except for plain texts."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def parse(stack: str, values: Mapping[str, Any], secret_keys: Collection[str] = ()) -> Settings:
    """The settings that come of these values."""
    file = StackFile(f"Pulumi.{stack}.yaml", {key: _written(value) for key, value in values.items()})
    return parse_settings(stack, as_text(values), secret_keys, file=file)


def _written(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _written(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_written(each) for each in value]
    return value if isinstance(value, str) else Unquoted(json.dumps(value))


def lower_case_names(max_size: int) -> st.SearchStrategy[str]:
    """Names of environments and schedulers, for tests of properties; a pattern takes twice as long."""
    return st.builds(
        "{}{}".format,
        st.sampled_from(string.ascii_lowercase),
        st.text(string.ascii_lowercase + string.digits, max_size=max_size - 1),
    )


def record_stack(
    stack: str,
    *,
    preview: bool = False,
    values: Mapping[str, Any] | None = None,
    recorder: Recorder | None = None,
) -> Recording:
    """A run of the whole program as it stands, for a stack's file or for other values under its name."""
    config = {f"{PREFIX}{key}": value for key, value in (values or stack_values(stack)).items()}
    others = {key: value for key, value in _file(stack).items() if not key.startswith(PREFIX)}
    return record(
        lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"),
        preview=preview,
        stack=stack,
        config=as_text({**others, **config}),
        recorder=recorder,
    )


def _file(stack: str) -> dict[str, Any]:
    return copy.deepcopy(_parsed(stack))


@functools.cache
def _parsed(stack: str) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    return config
