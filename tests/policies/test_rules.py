"""Every rule, in six cases, against the whole pack.

Each case starts from a stack that breaks no rule, recorded from a program under mocks, changes one thing, and
asserts the exact set of violations of all rules, so that a neighbour's false positive shows as well.
"""

from __future__ import annotations

import json
from functools import cache

import pytest
from fileflow_policies.pack import RULES
from fileflow_policies.reference import reference

from tests.policies import cases_baseline, cases_scheduler, compliant_stack
from tests.policies.harness import Recording, analyse, record, secret
from tests.policies.rule_cases import KINDS, Case

CASES: list[Case] = [*cases_scheduler.CASES, *cases_baseline.CASES]
# What the pack says itself.
PUBLIC = {reference(RULES)}


@cache
def _compliant(preview: bool) -> Recording:
    return record(compliant_stack.program, preview=preview)


def _recording(preview: bool) -> Recording:
    return _compliant(preview).copy()


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "update"])
def test_the_compliant_stack_breaks_no_rule(preview: bool) -> None:
    report = analyse(_recording(preview))
    assert report.violations == set(), str(report)


@pytest.mark.parametrize(
    ("case", "preview"),
    # Nothing is unknown in an update.
    [(case, mode) for case in CASES for mode in (True, False) if mode or case.kind != "unknown"],
    ids=lambda value: value.id if isinstance(value, Case) else ("preview" if value else "update"),
)
def test_a_case_brings_exactly_its_violations(case: Case, preview: bool) -> None:
    recording = _recording(preview)
    case.change(recording)
    report = analyse(recording)
    assert report.violations == set(case.expected), str(report)
    _assert_messages_are_complete(recording, report.messages)


def test_every_rule_has_all_six_cases() -> None:
    found = {rule.name: {case.kind for case in CASES if case.rule == rule.name} for rule in RULES}
    assert {name: set(KINDS) - kinds for name, kinds in found.items() if kinds != set(KINDS)} == {}


def _assert_messages_are_complete(recording: Recording, messages: list[str]) -> None:
    """One line each: resource, value, rule, fix."""
    labels = tuple(f"{resource.name} ({resource.type}): " for resource in recording.resources)
    for message in messages:
        assert "\n" not in message
        assert message.startswith(labels)
        assert any(f"; {rule.name}: {rule.description}; to fix: " in message for rule in RULES)


def _texts(value: object) -> set[str]:
    if isinstance(value, str):
        try:
            parsed = json.loads(value)
        except ValueError:
            return {value}
        return _texts(parsed) if isinstance(parsed, dict | list) else {value}
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {text for member in members for text in _texts(member)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_no_message_shows_what_a_secret_holds(case: Case) -> None:
    """Every property of every resource is made a secret; what the pack itself says elsewhere is no secret."""
    recording = _recording(preview=True)
    case.change(recording)
    held: set[str] = set()
    for resource in recording.resources:
        held |= _texts(resource.inputs)
        resource.inputs = {key: secret(value) for key, value in resource.inputs.items()}
    public = PUBLIC | {resource.name for resource in recording.resources}
    for message in analyse(recording).messages:
        for text in held:
            assert len(text) < 5 or any(text in words for words in public) or text not in message
