"""When a refusal is told that needs a look at what runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pulumi
import pytest

from components.refusal import refuse_after, refused, told
from tests.unit.recorder import record


class Slow(pulumi.ComponentResource):
    """A component that stands a moment later, and says so in `order`."""

    def __init__(self, order: list[str]) -> None:
        super().__init__("example:index:Slow", "slow")
        self.__dict__["urn"] = pulumi.Output.from_input(self._later(order))

    async def _later(self, order: list[str]) -> str:
        await asyncio.sleep(0.05)
        order.append("stands")
        return "urn:pulumi:test::fileflow::example:index:Slow::slow"


def judged(value: str) -> str:
    """What is looked at, or its refusal."""
    if value == "wrong":
        raise refused("field", value, "it is wrong", "Say another one.")
    return value


async def judged_later(value: str) -> str:
    """The same, by a look that takes a while."""
    return judged(value)


@pytest.mark.parametrize("judge", [judged, judged_later])
@pytest.mark.parametrize(
    ("value", "order"),
    [
        ("wrong", ["stands", "field is 'wrong', but it is wrong. Say another one."]),
        ("right", ["right", "stands"]),
    ],
)
def test_a_refusal_alone_waits_for_the_components_of_other_packages(
    judge: Callable[[str], str | Awaitable[str]], value: str, order: list[str]
) -> None:
    happened: list[str] = []

    async def checked() -> None:
        try:
            happened.append(await told(judge)(value))
        except pulumi.RunError as error:
            happened.append(str(error))

    def program() -> None:
        refuse_after(Slow(happened))
        pulumi.export("checked", pulumi.Output.from_input(checked()))

    record(program)
    assert happened == order
