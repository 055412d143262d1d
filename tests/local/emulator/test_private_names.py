"""ministack's private names that the completions know: all of them are listed, and nothing else is."""

from __future__ import annotations

import ast
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from local.emulator.completions.private_names import GAPS
from local.paths import ROOT

EMULATOR = ROOT / "local" / "emulator"
BY_NAME = ("wrap", "replace", "getattr", "setattr", "hasattr", "delattr")
"""Functions whose second argument is a name of the module that is the first."""


def names_used(source: str) -> Iterator[str]:
    """The private names of ministack's modules in a program, as `module.name`."""
    tree = ast.parse(source)
    modules = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "ministack"
        for alias in node.names
    }
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] == "ministack":
                found = [f"{module}.{alias.name}" for alias in node.names]
            case ast.Import():
                found = [alias.name for alias in node.names if alias.name.partition(".")[0] == "ministack"]
                assert found == [], f"import {found}: `from` shows which names are taken"
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in modules:
                found = [f"{modules[name]}.{attribute}"]
            case ast.Call(func=ast.Name(id=function), args=[ast.Name(id=name), argument, *_]) if (
                function in BY_NAME and name in modules
            ):
                taken = ast.literal_eval(argument)
                assert isinstance(taken, str), f"{ast.unparse(node)} hides which name it takes"
                found = [f"{modules[name]}.{taken}"]
            case _:
                continue
        yield from (each for each in found if each.rpartition(".")[2].startswith("_"))


def used() -> set[str]:
    return {name for path in EMULATOR.rglob("*.py") for name in names_used(path.read_text())}


def listed() -> list[str]:
    return [f"ministack.{gap.module}.{name}" for gap in GAPS for name in gap.names]


def test_every_private_name_is_listed_once_and_every_listed_one_is_used() -> None:
    assert sorted(listed()) == sorted(used())
    files = {file for gap in GAPS for file in gap.completion.split(", ")}
    assert [file for file in sorted(files) if not (EMULATOR / file).exists()] == []


def test_every_listed_name_is_there_in_the_installed_ministack(python: Path) -> None:
    look = (
        "import importlib, json, sys\n"
        "for name in json.load(sys.stdin):\n"
        "    module, _, attribute = name.rpartition('.')\n"
        "    hasattr(importlib.import_module(module), attribute) or print(name)\n"
    )
    done = subprocess.run(
        [python, "-c", look], input=json.dumps(listed()), capture_output=True, text=True, check=True
    )
    assert done.stdout == ""


def test_a_name_is_seen_however_it_is_taken() -> None:
    source = (
        "from ministack.services import ecs as tasks, ec2\n"
        "from ministack.core.router import _hidden, shown\n"
        "wrap(tasks, '_run_task', make)\n"
        "getattr(ec2, '_vpcs')\n"
        "ec2._subnets['a'] = ec2.public\n"
        "own._private\n"
    )
    assert set(names_used(source)) == {
        "ministack.services.ecs._run_task",
        "ministack.services.ec2._vpcs",
        "ministack.services.ec2._subnets",
        "ministack.core.router._hidden",
    }
