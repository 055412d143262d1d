"""What resources do alike around a call to AWS: absence, retries, and comparing lists.

Doesn't own the calls themselves, nor waiting for a state (`Call.wait_until` does that).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from ..resource import Call, Resource
from ..session import code

T = TypeVar("T")


def unless_absent(ask: Callable[[], T], *absent: str) -> T | None:
    """The answer, or None when AWS says by one of the error codes that the thing isn't there."""
    try:
        return ask()
    except ClientError as error:
        if code(error) in absent:
            return None
        raise


def told_of(kind: Resource, call: Call, resource_id: str, **more: Any) -> dict[str, Any]:
    """What a function tells of a thing of a type that AWS has; nothing where it isn't there."""
    outputs = kind.read(call, resource_id, {})
    return {**outputs, "id": resource_id, "tags": outputs.get("tagsAll"), **more} if outputs else {}


def moment(when: datetime | None) -> str | None:
    """A moment as the real provider writes it."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ") if when else None


def one(found: Iterable[T] | None) -> T | None:
    """The first of what a describe call found."""
    return next(iter(found or ()), None)


def retried(
    call: Call, what: str, ask: Callable[[], T], *passing: str, default_timeout_seconds: float = 300
) -> T:
    """The answer, after asking again while AWS fails with one of the passing error codes.

    `what` says what is waited for. AWS's own error is raised when the time is over.
    """
    answers: list[T] = []
    failures: list[ClientError] = []

    def attempt() -> bool:
        try:
            answers.append(ask())
        except ClientError as error:
            if code(error) not in passing:
                raise
            failures.append(error)
            return False
        return True

    try:
        call.wait_until(what, attempt, default_timeout_seconds)
    except TimeoutError as late:
        raise failures[-1] from late
    return answers[-1]


def added_and_removed(old: Iterable[T] | None, new: Iterable[T] | None) -> tuple[list[T], list[T]]:
    """What a set of hashable members gained and lost, each in a stable order."""
    before, after = dict.fromkeys(old or ()), dict.fromkeys(new or ())
    return [m for m in after if m not in before], [m for m in before if m not in after]
