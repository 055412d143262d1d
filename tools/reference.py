"""Writes the reference pages from the code: `python -m tools.reference [--check]`.

Owns docs/components.md, docs/settings.md and pulumi_package/schema.json, and writes what `changes`,
`compliance`, `costs` and `runbook` say.
Doesn't own a word of them: descriptions are the docstrings, so that a page can't say what the code doesn't.
The policies' page is the pack's own.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

import settings
from components import options, web_options
from components.scheduler_service import SchedulerServiceArgs
from components.service_image import ServiceImageArgs
from components.web_api_service import WebApiServiceArgs
from pulumi_package.fields import descriptions_of
from pulumi_package.provider import COMPONENTS, VERSION
from pulumi_package.schema import schema_of
from tools import changes, compliance, costs, runbook
from tools.setting_paths import sections_in

ROOT = Path(__file__).parent.parent
NOTICE = "<!-- Written by `make docs` from the docstrings; change those. -->"


def components_page() -> str:
    """The reference of the components' arguments and of the groups that they take."""
    arguments = [SchedulerServiceArgs, WebApiServiceArgs, ServiceImageArgs]
    groups = [group for module in (options, web_options) for group in _dataclasses_of(module)]
    parts = [
        "# Components\n",
        NOTICE,
        "\nArguments of the components, then the groups that they take. All are frozen dataclasses with "
        "keyword-only fields. A field of type `Input` may be an output of another resource; every other one "
        "decides whether or how many resources exist, and is a plain value.\n",
    ]
    parts += [_section(each) for each in arguments]
    parts.append("# Groups\n")
    parts += [_section(each) for each in groups]
    return "\n".join(parts)


def settings_page() -> str:
    """The reference of `Pulumi.STACK.yaml`."""
    parts = [
        "# Settings\n",
        NOTICE,
        "\nKeys of the namespace `fileflow:` in `Pulumi.STACK.yaml`. A key that isn't here is an error.\n",
    ]
    seen: list[type[Any]] = []
    waiting: list[type[Any]] = [settings.Settings]
    while waiting:
        section = waiting.pop(0)
        if section in seen:
            continue
        seen.append(section)
        waiting += [inner for annotation in _annotations(section) for inner in sections_in(annotation)]
    parts += [_section(each) for each in seen]
    return "\n".join(parts)


def package_schema() -> str:
    """The schema of the package for other languages."""
    return json.dumps(schema_of(COMPONENTS, VERSION), indent=2) + "\n"


def _section(described: type[Any]) -> str:
    lines = [f"## {described.__name__}\n", inspect.getdoc(described) or "", ""]
    meanings = descriptions_of(described)
    columns = ("field", "type", "default", "meaning") if meanings else ("field", "type", "default")
    lines += [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for name, annotation, default in _fields(described):
        row = [f"`{name}`", f"`{_type_text(annotation)}`", default]
        row += [" ".join(meanings.get(name, "").split())] if meanings else []
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines) + "\n"


def _fields(described: type[Any]) -> Iterator[tuple[str, Any, str]]:
    """Name, type and default of each field, required ones first."""
    found = list(_unordered_fields(described))
    yield from (field for field in found if field[2] == "required")
    yield from (field for field in found if field[2] != "required")


def _unordered_fields(described: type[Any]) -> Iterator[tuple[str, Any, str]]:
    if issubclass(described, BaseModel):
        for name, info in described.model_fields.items():
            default = info.default
            if info.default_factory is not None:
                default = info.get_default(call_default_factory=True, validated_data={})
            yield (
                name,
                info.annotation,
                "required" if default is PydanticUndefined else _default_text(default),
            )
        return
    for each in dataclasses.fields(described):
        if each.default is not dataclasses.MISSING:
            default_text = _default_text(each.default)
        elif each.default_factory is not dataclasses.MISSING:
            default_text = _default_text(each.default_factory())
        else:
            default_text = "required"
        yield each.name, each.type, default_text


def _annotations(section: type[Any]) -> list[Any]:
    if issubclass(section, BaseModel):
        return [info.annotation for info in section.model_fields.values()]
    return list(typing.get_type_hints(section).values())


def _default_text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, BaseModel) or dataclasses.is_dataclass(value):
        return "its defaults"
    if value in ({}, [], ()):
        return "empty"
    return f"`{value!r}`".replace("|", "\\|")


def _type_text(annotation: Any) -> str:
    """The annotation as the source has it, without the modules' names."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return " or ".join(_type_text(member) for member in typing.get_args(annotation))
    if typing.get_origin(annotation) is typing.Annotated:
        # What it is annotated with is a function, whose text has another address at every run.
        return _type_text(typing.get_args(annotation)[0])
    if annotation is type(None):
        return "None"
    if typing.get_origin(annotation) in (list, dict):
        inner = ", ".join(_type_text(member) for member in typing.get_args(annotation))
        return f"{typing.get_origin(annotation).__name__}[{inner}]"
    plain = isinstance(annotation, type) and not typing.get_args(annotation)
    text = annotation.__name__ if plain else str(annotation)
    return re.sub(r"\b(?:[a-z_]+\.)+([A-Za-z_]+)", r"\1", text).replace(" |", " or")


def _dataclasses_of(module: types.ModuleType) -> list[type[Any]]:
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type) and dataclasses.is_dataclass(value) and value.__module__ == module.__name__
    ]


def pages() -> dict[Path, str]:
    """Each page's path and the text that it should have."""
    return {
        ROOT / "docs/components.md": components_page(),
        ROOT / "docs/settings.md": settings_page(),
        ROOT / "docs/changes.md": changes.page(),
        ROOT / "docs/costs.md": costs.page(),
        ROOT / "docs/operate.md": runbook.page(),
        ROOT / "docs/compliance.md": compliance.page("en"),
        ROOT / "docs/compliance.ko.md": compliance.page("ko"),
        ROOT / "pulumi_package/schema.json": package_schema(),
    }


def outdated() -> list[Path]:
    """The pages whose text isn't what the code says."""
    return [
        path
        for path, text in pages().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def main() -> int:
    """Writes the pages; with `--check` only says which are outdated, and fails for any."""
    if "--check" in sys.argv[1:]:
        stale = outdated()
        for path in stale:
            print(f"{path.relative_to(ROOT)} is outdated: run make docs")
        return 1 if stale else 0
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
