"""The AWS SDK's packages, of which no more is imported than the tests touch.

A package like `pulumi_aws.ec2` imports all of its 180 modules when the first name in it is used, and the
packages that the components need take a second and a half for some forty of their names. Here a name's own
module is imported, when the name is asked for: what the tests get is the SDK's, and all of it is there.

Doesn't own what is deployed: a program of the CLI imports the SDK as it is.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

SDK = "pulumi_aws"


class PackagesByTheName(MetaPathFinder):
    """Finds the SDK's packages, and gives them a loader that waits for a name."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The package's spec; everything else is left to the usual finders."""
        if not re.fullmatch(rf"{SDK}\.\w+", fullname):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None or spec.submodule_search_locations is None:
            return None
        spec.loader = _ByTheName(spec.loader)
        return spec


class _ByTheName(Loader):
    """Loads a package that only gathers its modules' names without loading those."""

    def __init__(self, usual: Loader) -> None:
        self._usual = usual

    def exec_module(self, module: ModuleType) -> None:
        folder = Path(module.__path__[0])
        gathered = ast.parse((folder / "__init__.py").read_text()).body
        if not all(isinstance(each, ast.Import | ast.ImportFrom) for each in gathered):
            self._usual.exec_module(module)
            return
        homes = {
            name: each.module
            for each in gathered
            if isinstance(each, ast.ImportFrom) and each.module is not None and each.names[0].name == "*"
            for name in _exported(folder / f"{each.module}.py")
        }

        def find(name: str) -> object:
            if name not in homes:
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            home = importlib.import_module(f"{module.__name__}.{homes[name]}")
            # All at once: a module is often called like the function in it.
            vars(module).update({each: getattr(home, each) for each in home.__all__})
            return vars(module)[name]

        vars(module)["__getattr__"] = find


def _exported(file: Path) -> list[str]:
    """The names in a module's `__all__`, which the SDK's generator writes as one list of texts."""
    listed = re.search(r"^__all__ = \[(.*?)\]", file.read_text(), re.MULTILINE | re.DOTALL)
    return re.findall(r"'(\w+)'", listed[1]) if listed else []


def install() -> None:
    """Takes effect for what isn't imported yet."""
    if not any(isinstance(each, PackagesByTheName) for each in sys.meta_path):
        sys.meta_path.insert(0, PackagesByTheName())
