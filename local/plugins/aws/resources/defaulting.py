"""What types alike make of what is left out or left to AWS."""

from __future__ import annotations

from typing import Any, Final

from ..resource import facts

AT_ONCE: Final = facts(ApplyImmediately=True)
"""Nothing waits for a maintenance window on the emulated AWS."""


def if_given(there: Any, argument: Any) -> bool:
    """Whether the argument is what AWS has; an absent one means whatever AWS made of it."""
    return argument in (None, "") or bool(there == argument)


def same_version(there: Any, argument: Any) -> bool:
    """Whether AWS runs the version that is asked for: `15` is whichever 15 there is."""
    return argument in (None, "", there) or str(there).startswith(f"{argument}.")
