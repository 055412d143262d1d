"""A stack that is killed, lied to and meddled with is as it was asked for after the operator's next command.

One of each in every run, on one small stack; all of `make torture` at night.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

import pytest

from tests.torture import canary, containers, hands, kills, provider_faults
from tests.torture.evidence import Evidence, table
from tests.torture.stack import TorturedStack

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("tortured-stack")]

HANDS = ("a scheduler's desired count set to 2", "an alarm deleted", "a security group's ports closed")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TorturedStack]:
    made = TorturedStack.copy(tmp_path_factory.mktemp("tortured"))
    try:
        made.begin()
        yield made
    finally:
        made.down()


@pytest.fixture
def dice() -> random.Random:
    """The same dice in every run; those of the night are others."""
    return random.Random(15)


def test_a_run_whose_plugin_is_killed_is_made_good_by_the_next_one(
    stack: TorturedStack, dice: random.Random
) -> None:
    [scene] = [each for each in kills.SCENES if each.name == "pulumi up, a new revision"]
    result = kills.Kills()

    kills.play(stack, scene, "plugin", dice.uniform(0, 4), result, "plugin")

    assert result.not_converged == []
    assert result.two_at_once == []


def test_a_run_to_which_aws_answers_badly_converges(stack: TorturedStack, dice: random.Random) -> None:
    result = provider_faults.Faulty()
    stack.release += 1
    stack.write()

    provider_faults.faulty_run(stack, 0.5, dice, result, "a new revision")

    assert result.not_converged == []
    assert result.two_at_once == []
    assert result.injected.total() > 0


def test_of_two_runs_at_once_one_is_told_of_the_other(stack: TorturedStack) -> None:
    assert hands.two_at_once(stack.deployment) == []


def test_what_somebody_else_changed_is_put_back(stack: TorturedStack) -> None:
    result = hands.handled(stack.deployment, tuple(each for each in hands.HANDS if each.name in HANDS))

    assert result.hands == len(HANDS)
    assert result.not_repaired == []
    assert result.wrong == []


@pytest.mark.nightly
@pytest.mark.parametrize(
    "kind", [kills.evidence, provider_faults.evidence, hands.evidence, canary.evidence, containers.evidence]
)
def test_nothing_is_wrong_with_all_of_it(kind: Callable[[int], Evidence]) -> None:
    found = kind(time.time_ns() % 1_000_000)

    print(table([found]))
    assert found.failures == []
