"""Has a run tell of every service that doesn't run what was asked for, and not of the first alone.

The SDK ends the program at the first error that is raised, while the rollouts of other services go on and are
never judged. So an error is shown at once, and raised when all services have been judged. Owns that order.
Doesn't own what is judged (`rollout`, `lease_holder`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import pulumi

Verdict = pulumi.Output[str | None]
"""The name of a service that doesn't run what was asked for, its error shown; None of one that does."""

_verdicts: WeakKeyDictionary[asyncio.AbstractEventLoop, list[Verdict]] = WeakKeyDictionary()
"""Those of each run: a process may have several, one after the other or side by side."""


class RolledBackError(pulumi.RunError):
    """ECS doesn't run what the program asks for, or not for long; says what, why, and what to do."""


def judged(
    known: pulumi.Output[dict[str, Any]],
    judge: Callable[[dict[str, Any]], Awaitable[None]],
    service: pulumi.Resource,
) -> Verdict:
    """What `judge` says of what is `known`, the name (`service`) among it: its error fails the run later."""

    async def verdict_of(values: dict[str, Any]) -> str | None:
        try:
            await judge(values)
        except RolledBackError as error:
            pulumi.log.error(str(error), service)
            return str(values["service"])
        return None

    verdict: Verdict = known.apply(verdict_of)
    verdicts = _verdicts.setdefault(asyncio.get_running_loop(), [])
    verdicts.append(verdict)

    async def raise_together(failed: str | None) -> None:
        if failed is not None:
            # A service that could not be made has no verdict, but an error of its own.
            _raise_of(await asyncio.gather(*(each.future() for each in verdicts), return_exceptions=True))

    _: pulumi.Output[None] = verdict.apply(raise_together)
    return verdict


def outcome() -> pulumi.Output[None]:
    """What `judged` has come to since it was asked last: an error where a service failed, else nothing.

    For who makes components on another program's behalf, where the SDK waits for no output but theirs.
    """
    verdicts = _verdicts.pop(asyncio.get_running_loop(), [])
    return pulumi.Output.all(*verdicts).apply(_raise_of)


def _raise_of(verdicts: Sequence[object]) -> None:
    names = sorted({each for each in verdicts if isinstance(each, str)})
    if names:
        raise RolledBackError(f"This run has failed, by what is said above of {', '.join(names)}.")
