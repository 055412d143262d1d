"""The pack at the real Pulumi CLI: updates, configuration, the analysis of a state."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.policies.command_line import PACK, PROGRAMS, Project
from tests.policies.harness import Violation

pytestmark = pytest.mark.engine

SCHEDULER = PROGRAMS / "accepted" / "scheduler.py"
TWO = PROGRAMS / "rejected" / "count_two.py"
WHY = {"reason": "this is a trial"}
REPOSITORY = "import pulumi_aws as aws\n\naws.ecr.Repository('images', image_tag_mutability='MUTABLE')\n"


def _program(project: Project, source: str | Path) -> None:
    text = source.read_text() if isinstance(source, Path) else source
    (project.folder / "__main__.py").write_text(text)


def _configuration(project: Project, settings: dict[str, Any]) -> list[str]:
    path = project.folder / "configuration.json"
    path.write_text(json.dumps(settings))
    return ["--policy-pack-config", str(path)]


def test_an_update_without_a_preview_makes_nothing_that_is_refused(project: Project) -> None:
    _program(project, TWO)
    before = list(project.provider.created)
    outcome = project.up("--skip-preview")
    assert not outcome.passed
    assert Violation("scheduler-desired-count", "download") in outcome.violations
    made = project.provider.created[len(before) :]
    assert "aws:ecs/service:Service::download" not in made


def test_a_compliant_program_is_deployed_and_stays_compliant(project: Project) -> None:
    _program(project, SCHEDULER)
    assert project.up().passed
    again = project.preview("--expect-no-changes")
    assert again.passed, again.output
    assert again.violations == frozenset()


def test_a_configuration_sets_levels_and_exemptions(project: Project) -> None:
    _program(project, REPOSITORY)
    strict = project.preview()
    assert {violation.rule for violation in strict.violations} == {
        "ecr-immutable-tags",
        "ecr-lifecycle-policy",
        "ecr-scan-on-push",
    }
    relaxed = project.preview(
        *_configuration(
            project,
            {
                "ecr-immutable-tags": {"enforcementLevel": "advisory", **WHY},
                "ecr-lifecycle-policy": {"stacks": {"prod": {"enforcementLevel": "disabled", **WHY}}},
                "ecr-scan-on-push": {
                    "exemptions": [
                        {"resource": "images", "reason": "scanned elsewhere", "expires": "2099-12-31"}
                    ]
                },
            },
        )
    )
    assert relaxed.passed, relaxed.output
    assert relaxed.violations == {Violation("ecr-immutable-tags", "images", "advisory")}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"scheduler-desired-count": "disabled"}, "scheduler-desired-count: enforcementLevel is disabled"),
        ({"all": "advisory"}, "scheduler-spot-opt-in: enforcementLevel is advisory"),
        ({"ecr-scan-on-psh": "advisory"}, "ecr-scan-on-psh: no such rule (did you mean ecr-scan-on-push?)"),
    ],
    ids=["scheduler rule off", "all off", "unknown rule"],
)
def test_a_refused_configuration_ends_the_preview_with_its_message(
    project: Project, settings: dict[str, Any], words: str
) -> None:
    _program(project, SCHEDULER)
    outcome = project.preview(*_configuration(project, settings))
    assert not outcome.passed
    assert words in outcome.output
    assert "Traceback" not in outcome.output


def test_an_existing_stack_is_judged_by_its_state(project: Project) -> None:
    _program(project, SCHEDULER)
    assert project.run("up", "--yes").passed
    fine = project.pulumi("policy", "analyze", "--policy-pack", str(PACK))
    assert fine.returncode == 0, fine.stdout

    _program(project, TWO)
    assert project.run("up", "--yes").passed
    broken = project.pulumi("policy", "analyze", "--policy-pack", str(PACK))
    assert broken.returncode != 0
    assert "scheduler-desired-count" in broken.stdout

    exported = project.folder / "state.json"
    assert project.pulumi("stack", "export", "--file", str(exported)).returncode == 0
    from_file = project.pulumi("policy", "analyze", "--policy-pack", str(PACK), "--file", str(exported))
    assert from_file.returncode != 0
    assert "scheduler-desired-count" in from_file.stdout


# -- the report ----------------------------------------------------------------------------------------------


def _report(project: Project, *arguments: str) -> tuple[int, dict[str, Any], dict[str, Any]]:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "fileflow_policies",
            "report",
            "--stack",
            project.environment["PULUMI_STACK"],
            *arguments,
        ],
        cwd=project.folder,
        env={
            **project.environment,
            "PYTHONPATH": os.pathsep.join([str(PACK), project.environment["PYTHONPATH"]]),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    report, scan = project.folder / "policy-report.json", project.folder / "policy-report.sarif"
    return done.returncode, json.loads(report.read_text()), json.loads(scan.read_text())


def test_a_report_of_a_preview_holds_what_the_preview_found(project: Project) -> None:
    _program(project, TWO)
    code, report, scan = _report(project)
    assert code == 1
    assert [found["rule"] for found in report["violations"]] == ["scheduler-desired-count"]
    assert report["stack"] == "prod"
    assert [found["ruleId"] for found in scan["runs"][0]["results"]] == ["scheduler-desired-count"]


def test_a_report_of_a_state_points_into_the_program(project: Project) -> None:
    _program(project, REPOSITORY)
    assert project.run("up", "--yes").passed
    code, report, scan = _report(project, "--state")
    assert code == 1
    assert report["summary"]["violations"] == 3
    places = {
        (found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        for found in scan["runs"][0]["results"]
    }
    assert places == {"__main__.py"}


def test_a_report_of_a_clean_stack_is_clean(project: Project) -> None:
    _program(project, SCHEDULER)
    code, report, _ = _report(project)
    assert (code, report["summary"]["violations"], report["complete"]) == (0, 0, True)
