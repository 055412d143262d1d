"""Builds that break a rule fail the walk, so that a walk which passes says something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    """Lines of the program that are others, by file, and what the walk says of a run with them."""

    lines: Mapping[str, tuple[str, str]]
    run: str
    told: str


MUTANTS = {
    "twice as many tasks": Mutant(
        lines={
            "components/scheduler_service.py": (
                "deployment_maximum_percent=100",
                "deployment_maximum_percent=200",
            )
        },
        run="version",
        told="was started before",
    ),
    "new service before the old one": Mutant(
        lines={"components/scheduler_service.py": ("                delete_before_replace=True,\n", "")},
        run="a scheduler renamed",
        told="was started before",
    ),
    "target group before the tasks in it": Mutant(
        lines={
            "components/web_api_service.py": (
                "cluster=once(args.cluster_arn, load_balancer.target_group.arn)",
                "cluster=args.cluster_arn",
            ),
            # Nobody has to wait an hour for what never comes.
            "components/rollout.py": ("LONGEST_ROLLOUT_SECONDS = 60 * 60", "LONGEST_ROLLOUT_SECONDS = 90"),
        },
        run="an existing VPC",
        told="a steady state of",
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
def test_a_build_that_breaks_a_rule_fails_the_walk(stack: WalkedStack, name: str) -> None:
    mutant = MUTANTS[name]
    texts = {file: (stack.deployment.root / file).read_text() for file in mutant.lines}
    for file, (line, instead) in mutant.lines.items():
        assert texts[file].count(line) == 1
        (stack.deployment.root / file).write_text(texts[file].replace(line, instead))
    try:
        [run] = [each for each in RUNS if each.name == mutant.run]
        violations = walk(stack, run).violations
    finally:
        for file, text in texts.items():
            (stack.deployment.root / file).write_text(text)
        stack.up()
    print(*violations, sep="\n")
    assert any(mutant.told in each for each in violations), violations
