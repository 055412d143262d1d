"""What is made wrong in an accepted program is refused, and undoing exactly that is accepted again.

The programs are the compliant stack under random sets of honest changes. What is made wrong are the guarded
properties of its scheduler and every mistake that the other tests know, with the rule that must refuse it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
from fileflow_policies.analyzer import Analyzer
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.policies import cases_baseline, cases_scheduler, compliant_stack
from tests.policies.drawn import every_run, nightly
from tests.policies.harness import Recorded, Recording, analyse, analyzer, record, unknown
from tests.policies.rule_cases import SCHEDULER, Case, Change, put
from tests.policies.test_mistakes import HONEST, MISTAKES

# Guarded property -> values that are wrong whatever stands beside them.
WRONG: dict[str, list[Any]] = {
    "desiredCount": [0, 2, "2", None, unknown()],
    "deploymentMaximumPercent": [200, None, unknown()],
    "deploymentMinimumHealthyPercent": [50, 100, None, unknown()],
    "availabilityZoneRebalancing": ["ENABLED", None, unknown()],
    "schedulingStrategy": ["DAEMON", unknown()],
    "launchType": ["EC2", None, unknown()],
    "loadBalancers": [[{"containerPort": 9091}], unknown()],
    "serviceRegistries": [{"registryArn": "x"}, unknown()],
    "networkConfiguration": [{"assignPublicIp": True}],
    "deploymentController": [{"type": "CODE_DEPLOY"}, {"type": "EXTERNAL"}, unknown()],
    "deploymentConfiguration": [{"strategy": "BLUE_GREEN"}, {"strategy": "CANARY"}],
    "tags": [{"fileflow:role": "cron"}, {}, None],
}


def _refused(case: Case) -> bool:
    return any(found.rule == case.rule and found.level == "mandatory" for found in case.expected)


CASES: list[Case] = [*cases_scheduler.CASES, *cases_baseline.CASES]
# What is made wrong -> the rule that must refuse it (any, where it is None), and the change.
MADE_WRONG: dict[str, tuple[str | None, Change]] = {
    **MISTAKES,
    **{case.id: (case.rule, case.change) for case in CASES if _refused(case)},
    **{
        f"{key} {value!r}": (None, put(SCHEDULER, key, value))
        for key, values in WRONG.items()
        for value in values
    },
}
HONEST_CHANGES: dict[str, Change] = {
    **HONEST,
    **{case.id: case.change for case in CASES if case.kind in ("compliant", "not_applicable")},
}


def _is_denied(program: Recording) -> bool:
    """Whether a service says, with its reason, that it is no scheduler: it is believed, whatever it runs."""
    return any("fileflow:not-a-scheduler" in (each.inputs.get("tags") or {}) for each in program.resources)


def _has_no_such_setting(program: Recording, mistake: str) -> bool:
    """Whether an honest change made a network load balancer, which has none of an application's settings."""
    kinds = {each.inputs.get("loadBalancerType") for each in program.resources}
    return mistake.startswith("elbv2-") and "network" in kinds


HONEST_SETS = st.lists(st.sampled_from(sorted(HONEST_CHANGES)), max_size=4, unique=True)

FAST, NIGHTLY = every_run(100), nightly(2_000)


@cache
def _compliant() -> Recording:
    return record(compliant_stack.program, preview=True)


@cache
def _servicer() -> Analyzer:
    return analyzer()


def _changed(recording: Recording, *changes: Change) -> Recording | None:
    """The program with these changes; None where one of them took or hid what another one changes."""
    changed = recording.copy()
    try:
        for change in changes:
            change(changed)
    except (KeyError, IndexError, ValueError):
        return None
    return changed


def _without_idle(program: Recording) -> list[Recorded]:
    """The program's resources without a launch type that a capacity provider strategy overrules."""
    resources = program.copy().resources
    for each in resources:
        if each.inputs.get("capacityProviderStrategies"):
            each.inputs.pop("launchType", None)
    return resources


def _refusing(recording: Recording) -> set[str]:
    found = analyse(recording, _servicer()).violations
    return {violation.rule for violation in found if violation.level == "mandatory"}


def _check(honest: Sequence[str], mistake: str) -> None:
    program = _changed(_compliant(), *(HONEST_CHANGES[name] for name in honest))
    assume(program is not None)
    assert program is not None
    assume(not _is_denied(program))
    assume(not _has_no_such_setting(program, mistake))
    # Two changes that are honest alone can contradict each other: a name that two services get, say.
    assume(not _refusing(program))
    rule, change = MADE_WRONG[mistake]
    wrong = _changed(program, change)
    assume(wrong is not None)
    assert wrong is not None
    assume(_without_idle(wrong) != _without_idle(program))
    refusing = _refusing(wrong)
    assert refusing if rule is None else rule in refusing, (honest, mistake, refusing)
    assert not _refusing(program), "what the pack saw of the mistake is left in it"


@FAST
@given(HONEST_SETS, st.sampled_from(sorted(MADE_WRONG)))
def test_whatever_is_made_wrong_in_an_accepted_program_is_refused_until_it_is_undone(
    honest: list[str], mistake: str
) -> None:
    _check(honest, mistake)


@pytest.mark.nightly
@NIGHTLY
@given(HONEST_SETS, st.sampled_from(sorted(MADE_WRONG)))
def test_whatever_is_made_wrong_is_refused_in_two_thousand_programs(honest: list[str], mistake: str) -> None:
    _check(honest, mistake)
