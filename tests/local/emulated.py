"""Which Python runs the emulated AWS in tests."""

from __future__ import annotations

import os
from pathlib import Path

from local import virtual_environments
from local.paths import Paths


def emulator_python() -> Path:
    """The Python that has ministack: FILEFLOW_EMULATOR_PYTHON, else the one of the local stack's cache."""
    given = os.environ.get("FILEFLOW_EMULATOR_PYTHON")
    if given:
        return Path(given)
    paths = Paths.of(os.environ)
    return virtual_environments.ensure(paths, virtual_environments.EMULATOR, os.environ)
