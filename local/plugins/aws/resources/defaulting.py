"""Comparison of parts of arguments that AWS fills in when they are left out."""

from __future__ import annotations

from typing import Any


def if_given(there: Any, argument: Any) -> bool:
    """Whether the argument is what AWS has; an absent one means whatever AWS made of it."""
    return argument in (None, "") or bool(there == argument)
