"""Recordings of what real providers do and of what stand-ins ask: how they are read and written.

Owns the form of the files: one entry a line, and what fits into a line on one. Deliberately doesn't own what
is recorded, which each test does that records.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent
WIDTH: Final = 110
"""Characters of a line, as in the code."""


def recorded(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def record(name: str, value: Any) -> None:
    (FOLDER / f"{name}.json").write_text(f"{as_text(value)}\n", encoding="utf-8")


def as_text(value: Any, indentation: str = "", label: str = "") -> str:
    """The value as JSON. `label` stands before it on its line."""
    line = f"{label}{json.dumps(value, ensure_ascii=False)}"
    if len(f"{indentation}{line},") <= WIDTH or not isinstance(value, dict | list):
        return line
    inner = f"{indentation} "
    if isinstance(value, dict):
        entries = [as_text(each, inner, f"{json.dumps(name)}: ") for name, each in value.items()]
    else:
        entries = [as_text(each, inner) for each in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    lines = f",\n{inner}".join(entries)
    return f"{label}{opening}\n{inner}{lines}\n{indentation}{closing}"
