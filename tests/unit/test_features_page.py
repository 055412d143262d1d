"""The table of features names every argument, and only tests that exist."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from components.scheduler_service import SchedulerServiceArgs
from components.web_api_service import WebApiServiceArgs

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/features.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("arguments", [SchedulerServiceArgs, WebApiServiceArgs])
def test_every_argument_is_in_the_table(arguments: type[Any]) -> None:
    named = set(re.findall(r"`([a-z_]+)`", PAGE))
    assert {field.name for field in dataclasses.fields(arguments)} <= named


def test_every_named_test_exists() -> None:
    written = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = re.findall(r"`(test_[a-z0-9_]+)`", PAGE)
    assert len(named) > 40
    assert [name for name in named if f"def {name}(" not in written] == []


def test_every_named_file_exists() -> None:
    named = re.findall(r"`(tests/[a-z_/]+\.py)`", PAGE)
    assert [name for name in named if not (ROOT / name).is_file()] == []
