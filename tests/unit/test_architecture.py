"""Who may know whom: one reader of configuration, components that know no settings, a program of one page."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

from tests.unit.stacks import ROOT

PROGRAM = [ROOT / "__main__.py", ROOT / "composition.py", *sorted((ROOT / "settings").glob("*.py"))]
COMPONENTS = sorted((ROOT / "components").glob("*.py"))
SOURCES = [*PROGRAM, *COMPONENTS]


@functools.cache
def parsed(path: Path) -> ast.Module:
    """A file's syntax tree, which tests share."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> set[str]:
    """Every module that a file imports, and every name that it imports from one, as `module.name`."""
    found: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def attributes(path: Path) -> Iterator[str]:
    """Every dotted name that a file uses, for example `pulumi.Config`."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Attribute):
            yield ast.unparse(node)


def test_the_program_fits_on_a_page() -> None:
    assert len((ROOT / "__main__.py").read_text(encoding="utf-8").splitlines()) <= 80


def test_the_program_itself_defines_no_function_and_no_class() -> None:
    tree = parsed(ROOT / "__main__.py")

    assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]


def test_only_the_settings_read_configuration() -> None:
    readers = ("pulumi.Config", "pulumi.runtime.config", "pulumi.get_stack", "os.environ")

    for path in SOURCES:
        read = [each for each in imported(path) if each in readers]
        read += [each for each in attributes(path) if each.startswith(readers)]
        assert read == [] or path == ROOT / "settings/reading.py", path


def test_a_component_knows_neither_the_settings_nor_the_program() -> None:
    others = {"settings", "composition", "__main__", "local", "policies", "fileflow_policies", "tests"}

    for path in COMPONENTS:
        top = {name.split(".")[0] for name in imported(path)}
        assert not top & {*others, "pydantic"}, path


def test_nothing_that_is_deployed_knows_of_the_local_stack() -> None:
    for path in SOURCES:
        assert not [name for name in imported(path) if name.split(".")[0] == "local"], path


def test_every_module_says_what_it_is() -> None:
    for path in SOURCES:
        if path.name != "__main__.py":
            docstring = ast.get_docstring(parsed(path)) or ""
            assert docstring.split("\n", maxsplit=1)[0].endswith("."), path


def test_every_public_class_and_function_of_a_component_says_what_it_is() -> None:
    documented = (ast.ClassDef, ast.FunctionDef)

    silent = [
        (path.name, node.name)
        for path in COMPONENTS
        for node in parsed(path).body
        if isinstance(node, documented) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert silent == []


def test_every_component_ends_by_registering_its_outputs() -> None:
    classes = [node for path in COMPONENTS for node in parsed(path).body if isinstance(node, ast.ClassDef)]
    made = [each for each in classes if "ComponentResource" in " ".join(map(ast.unparse, each.bases))]

    assert made
    for node in made:
        [constructor] = [
            each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"
        ]
        assert ast.unparse(constructor.body[-1]).startswith("self.register_outputs("), node.name


def test_a_preview_starts_without_loading_what_only_an_update_needs() -> None:
    for path in SOURCES:
        loaded = {
            alias.name.split(".")[0]
            for node in parsed(path).body
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        assert not loaded & {"boto3", "botocore", "docker"}, path
