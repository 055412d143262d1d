"""What every verb gives back: one value that is printed as JSON or as a table."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from rich.console import RenderableType
from rich.table import Column, Table

from operate.errors import OperateError


class Result(Protocol):
    """A verb's result, a dataclass; `exit_code` is 1 where it found something wrong."""

    @property
    def exit_code(self) -> int: ...

    def human(self) -> RenderableType:
        """The result for a person's eyes."""
        ...


def uncut(*columns: str, title: str | None = None) -> Table:
    """A table of which a narrow terminal hides nothing: what is too long goes on in the next line."""
    headers = [Column(each, overflow="fold") for each in columns]
    return Table(*headers, box=None, title=title, title_justify="left")


def written(file: Path, text: str) -> None:
    """Writes what a verb was asked to write into a file.

    Raises OperateError where it can't be written.
    """
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OperateError(f"{file} can't be written: {error.strerror}.", "Choose another file.") from error


def as_json(result: Any) -> str:
    """The result for a program: the dataclass's fields, in camelCase as AWS has them, times in ISO 8601."""
    # Escaped where the output's encoding lacks a sign, so that it stays JSON.
    is_unicode = sys.stdout.encoding.lower().startswith("utf")
    return json.dumps(_plain(result), indent=2, ensure_ascii=not is_unicode)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {_camel(each.name): _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(each) for each in value]
    return value


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(each.capitalize() for each in others)
