"""The pack's version, which PulumiPolicy.yaml states for Pulumi and for everyone else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

PACK_FOLDER: Final = Path(__file__).resolve().parent.parent


def pack_version() -> str:
    """The version in PulumiPolicy.yaml. Raises ValueError when the file states none."""
    text = (PACK_FOLDER / "PulumiPolicy.yaml").read_text(encoding="utf-8")
    match = re.search(r"^version:\s*(\S+)\s*$", text, re.MULTILINE)
    if match is None:
        raise ValueError("PulumiPolicy.yaml states no version; add a line such as version: 1.2.3")
    return match[1]
