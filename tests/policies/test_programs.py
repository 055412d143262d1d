"""Programs that try to get past the pack, and programs that must pass, by the real Pulumi CLI.

Each file under `programs/rejected` is named by its trick and says in its `# rejected:` lines which rules must
refuse which resources: exactly these. Each file under `programs/accepted` must pass without any violation.
Each file under `programs/templates` is a common template as people write it: what is refused in it is pinned
likewise, and with the configuration to start with it deploys. AWS is the echo provider.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.policies.command_line import PACK, PROGRAMS, Project
from tests.policies.harness import Violation

pytestmark = pytest.mark.engine

REJECTED = sorted((PROGRAMS / "rejected").glob("*.py"))
ACCEPTED = sorted((PROGRAMS / "accepted").glob("*.py"))
TEMPLATES = sorted((PROGRAMS / "templates").glob("*.py"))


def expected(program: Path) -> frozenset[Violation]:
    """What a program's lines `# rejected: RULE on RESOURCE` and `# advice: RULE on RESOURCE` say."""
    found = re.findall(r"^# (rejected|advice): (\S+) on (\S+)$", program.read_text(), re.MULTILINE)
    levels = {"rejected": "mandatory", "advice": "advisory"}
    return frozenset(Violation(rule, resource, levels[word]) for word, rule, resource in found)


@pytest.mark.parametrize("project", REJECTED, ids=lambda path: path.stem, indirect=True)
def test_a_trick_is_rejected_at_preview(project: Project, request: pytest.FixtureRequest) -> None:
    program = Path(request.node.callspec.params["project"])
    outcome = project.preview()
    assert not outcome.passed, outcome.output
    assert expected(program)
    assert outcome.violations == expected(program), outcome.output


@pytest.mark.parametrize("project", ACCEPTED, ids=lambda path: path.stem, indirect=True)
def test_a_legitimate_program_passes(project: Project) -> None:
    outcome = project.preview()
    assert outcome.violations == frozenset(), outcome.output
    assert outcome.passed, outcome.output


@pytest.mark.parametrize("project", TEMPLATES, ids=lambda path: path.stem, indirect=True)
def test_a_common_template_deploys_with_the_configuration_to_start_with(
    project: Project, request: pytest.FixtureRequest
) -> None:
    strict = project.preview()
    program = Path(request.node.callspec.params["project"])
    refused = {violation for violation in strict.violations if violation.level == "mandatory"}
    assert refused == expected(program), strict.output
    gentle = project.preview("--policy-pack-config", str(PACK / "start.json"))
    assert gentle.passed, gentle.output
    found = {(violation.rule, violation.resource) for violation in gentle.violations}
    assert {(violation.rule, violation.resource) for violation in refused} <= found


def test_there_are_enough_programs() -> None:
    assert len(REJECTED) >= 40
    assert len(ACCEPTED) >= 20
