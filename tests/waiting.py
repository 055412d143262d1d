"""Waiting in tests for what another process or thread brings about."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(look: Callable[[], T], holds: Callable[[T], object] = bool, *, seconds: float = 90.0) -> T:
    """Look until what is seen holds, and return it; fail with the last sight where it never does."""
    began = time.monotonic()
    while not holds(seen := look()):
        waited_seconds = time.monotonic() - began
        assert waited_seconds < seconds, f"still {seen!r} after {seconds:g} s"
        # Often at first, and later not so often as to hold up what is waited for.
        time.sleep(min(0.02 + waited_seconds / 20, 0.3))
    return seen
