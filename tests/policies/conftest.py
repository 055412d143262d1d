"""Puts the policy pack on the import path: it is a folder of its own, usable without this repository."""

from __future__ import annotations

import sys
from pathlib import Path

for folder in (Path(__file__).parents[2] / "policies", Path(__file__).parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
