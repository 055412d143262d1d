"""What holds for the tests of a whole process, and what several folders of them share.

Some tests serve gRPC in their own process, others start commands that must end with it, by a function that
runs between fork and exec. gRPC's handlers run there too, and end one child in ten before its exec.
"""

from __future__ import annotations

import json
import os
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from local.paths import Paths

# Its assertions are those of every type's life, and say nothing unless pytest writes them anew.
pytest.register_assert_rewrite("tests.local.plugins.aws.life")

# Read when gRPC is first used; no test talks gRPC in a forked process.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"


LONGEST = ("tests/engine/", "tests/guard/", "tests/images/", "tests/torture/", "tests/walk/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts what takes long first, so that no worker is left alone with it at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.fixture(scope="session")
def node_sdk() -> Path:
    """A folder whose node_modules holds Pulumi's SDK for Node, got from npm once and kept in the cache."""
    release = version("pulumi")
    folder = Paths.of(os.environ).cache / "node" / f"pulumi-{release}"
    if not (folder / "node_modules" / "installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text(json.dumps({"name": "shop", "private": True}))
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", f"@pulumi/pulumi@{release}"],
            cwd=folder,
            check=True,
        )
        (folder / "node_modules" / "installed").touch()
    return folder
