"""Builds that break a rule fail the walk, so that a walk which passes says something."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.engine.deployment import Deployment
from tests.walk.change import PLAIN
from tests.walk.runs import RUNS
from tests.walk.stack import WalkedStack
from tests.walk.walking import walk

pytestmark = [pytest.mark.engine, pytest.mark.nightly, pytest.mark.xdist_group("walk-mutants")]


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A line of the program that is another one, and what the walk says of a run with it."""

    file: str
    line: str
    instead: str
    run: str
    told: str


MUTANTS = {
    "twice as many tasks": Mutant(
        file="components/scheduler_service.py",
        line="            deployment_maximum_percent=100,\n",
        instead="            deployment_maximum_percent=200,\n",
        run="version",
        told="was started before",
    ),
    "new service before the old one": Mutant(
        file="components/scheduler_service.py",
        line="                delete_before_replace=True,\n",
        instead="",
        run="a scheduler renamed",
        told="was started before",
    ),
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WalkedStack]:
    # The pack would refuse these builds before the walk sees them run.
    built = WalkedStack(Deployment.copy(tmp_path_factory.mktemp("mutants")), PLAIN, policies=False)
    try:
        built.start()
        yield built
    finally:
        built.deployment.down()


@pytest.mark.parametrize("name", MUTANTS)
def test_a_build_that_lets_a_scheduler_run_twice_fails_the_walk(stack: WalkedStack, name: str) -> None:
    mutant = MUTANTS[name]
    source = stack.deployment.root / mutant.file
    text = source.read_text()
    assert text.count(mutant.line) == 1
    source.write_text(text.replace(mutant.line, mutant.instead))
    try:
        [run] = [each for each in RUNS if each.name == mutant.run]
        violations = walk(stack, run).violations
    finally:
        source.write_text(text)
        stack.up()
    print(*violations, sep="\n")
    assert any(mutant.told in each for each in violations), violations
