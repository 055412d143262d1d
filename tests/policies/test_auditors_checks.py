"""Where the table of an auditor's checks says that the pack refuses a wrong, the pack refuses it."""

from __future__ import annotations

from functools import cache

import pytest

from tests.engine.programs.wrong import NOT_POSSIBLE, PACK_NAMES, WRONG, program
from tests.policies.harness import Report, analyse, record
from tools import compliance

CHECKS = compliance.checks()
REFUSED = {name: check["rule"] for name, check in CHECKS.items() if "rule" in check}


@cache
def report() -> Report:
    """What the pack says to the program in which everything is wrong."""
    return analyse(record(program, preview=False))


@pytest.mark.parametrize("check", REFUSED)
def test_the_pack_refuses_what_the_check_would_find(check: str) -> None:
    name = PACK_NAMES.get(check, WRONG[check].partition(" ")[2])
    refused = {(each.rule, each.resource) for each in report().violations if each.level == "mandatory"}

    assert (REFUSED[check], name) in refused, str(report())


def test_the_program_has_a_wrong_for_each_check_that_can_fail() -> None:
    assert set(WRONG) | set(NOT_POSSIBLE) == set(CHECKS)
    assert not set(WRONG) & set(NOT_POSSIBLE)
