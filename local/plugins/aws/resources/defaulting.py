"""Comparison of parts of arguments that AWS, or the real provider, fills in when they are left out.

The functions are `Same`: given AWS's value and the argument's.
"""

from __future__ import annotations

from typing import Any

from ..documents import Same


def defaults_to(default: Any) -> Same:
    """An absent argument means the default."""

    def same(there: Any, argument: Any) -> bool:
        return bool(there == (default if argument in (None, "") else argument))

    return same


def if_given(there: Any, argument: Any) -> bool:
    """An absent argument means whatever AWS made of it."""
    return argument in (None, "") or bool(there == argument)
