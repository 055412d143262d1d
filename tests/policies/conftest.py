"""Puts the policy pack on the import path: it is a folder of its own, usable without this repository."""

from __future__ import annotations

import sys
from pathlib import Path

PACK = Path(__file__).parents[2] / "policies"
if str(PACK) not in sys.path:
    sys.path.insert(0, str(PACK))
