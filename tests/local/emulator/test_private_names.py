"""ministack's private names that the completions know: all of them are listed, and nothing else is."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from local.emulator.completions.private_names import GAPS
from local.paths import ROOT

EMULATOR = ROOT / "local" / "emulator"


def names_used(source: str) -> Iterator[str]:
    """The private names of ministack's modules in a program, as `module.name`.

    They are taken as an attribute, or by a call that has the module and then the name, as `wrap` has.
    """
    modules: dict[str, str] = {}
    for package, imported in re.findall(r"^from (ministack[\w.]*) import (.+)$", source, re.MULTILINE):
        for name, alias in re.findall(r"(\w+)(?: as (\w+))?", imported):
            modules[alias or name] = f"{package}.{name}"
            if name.startswith("_"):
                yield f"{package}.{name}"
    for module, name in re.findall(r"\b(\w+)(?:\.|, [\"'])(_\w+)", source):
        if module in modules:
            yield f"{modules[module]}.{name}"


def listed() -> list[str]:
    return [f"ministack.{gap.module}.{name}" for gap in GAPS for name in gap.names]


def test_every_private_name_is_listed_once_and_every_listed_one_is_used() -> None:
    used = {name for path in EMULATOR.rglob("*.py") for name in names_used(path.read_text())}
    assert sorted(listed()) == sorted(used)


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
