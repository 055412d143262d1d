"""The JSON report and the SARIF file, from what the engine says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fileflow_policies.__main__ import main
from fileflow_policies.pack import RULES
from fileflow_policies.report import Place, json_report, places_of, read_events, sarif
from fileflow_policies.resources import Resource
from fileflow_policies.rule import Finding, Rule
from fileflow_policies.version import pack_version

SERVICE = "urn:pulumi:prod::fileflow::aws:ecs/service:Service::download"
STACK = "urn:pulumi:prod::fileflow::pulumi:pulumi:Stack::fileflow-prod"


def _policy(rule: str, urn: str = SERVICE, level: str = "mandatory", pack: str = "fileflow-policies") -> str:
    message = (
        f"download (aws:ecs/service:Service): desiredCount is 2; {rule}: one task; to fix: set it to 1.\n"
    )
    event = {
        "policyName": rule,
        "policyPackName": pack,
        "resourceUrn": urn,
        "enforcementLevel": level,
        "message": message,
    }
    return json.dumps({"sequence": 1, "policyEvent": event})


SUMMARY = json.dumps({"summaryEvent": {"result": "failed"}})
ERROR = json.dumps({"diagnosticEvent": {"severity": "error", "message": "preview failed\n"}})
LINES = [
    _policy("scheduler-desired-count"),
    _policy("scheduler-desired-count"),
    _policy("cloudwatch-log-retention", level="advisory"),
    _policy("ecr-lifecycle-policy", urn=STACK),
    _policy("another-packs-rule", pack="another"),
    ERROR,
    "",
    SUMMARY,
]


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.setting], ids=lambda rule: rule.name)
def test_who_wrote_a_stacks_file_is_told_its_key_and_who_wrote_the_resource_isnt(rule: Rule) -> None:
    key = f"in the stack's file: fileflow:{rule.setting}."
    for types, told in (("fileflow:ecs:WebApiService$aws:lb/listener:Listener", True), ("aws:lb/x:X", False)):
        resource = Resource("aws:lb/x:X", f"urn:pulumi:uat::fileflow::{types}::web", "web", {})
        assert rule.message(Finding("it is off", "turn it on"), resource).endswith(key) is told


def test_the_report_counts_each_violation_of_this_pack_once() -> None:
    report = json_report(read_events(LINES), RULES, "prod", datetime(2027, 1, 2, tzinfo=UTC))
    assert report["pack"] == {"name": "fileflow-policies", "version": pack_version()}
    assert report["stack"] == "prod"
    assert report["generated"] == "2027-01-02T00:00:00+00:00"
    assert report["complete"] is True
    assert report["errors"] == ["preview failed"]
    assert report["summary"] == {
        "violations": 3,
        "byLevel": {"advisory": 1, "mandatory": 2},
        "bySeverity": {"critical": 1, "medium": 2},
    }
    assert {rule["name"]: rule["violations"] for rule in report["rules"] if rule["violations"]} == {
        "cloudwatch-log-retention": 1,
        "ecr-lifecycle-policy": 1,
        "scheduler-desired-count": 1,
    }
    assert len(report["rules"]) == len(RULES)


def test_a_violation_in_the_report_says_what_to_do() -> None:
    report = json_report(read_events(LINES), RULES, "prod")
    found = next(each for each in report["violations"] if each["rule"] == "scheduler-desired-count")
    assert found["resource"] == {"urn": SERVICE, "type": "aws:ecs/service:Service", "name": "download"}
    assert found["severity"] == "critical"
    assert found["remediation"].startswith("Set desiredCount")
    assert found["url"].startswith("https://")
    assert "\n" not in found["message"]


def test_the_sarif_file_has_what_code_scanning_reads() -> None:
    log = sarif(read_events(LINES), RULES, {SERVICE: Place("components/scheduler_service.py", 120)})
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.name for rule in RULES]
    assert all(0 < float(rule["properties"]["security-severity"]) <= 10 for rule in rules)
    assert all(rule["helpUri"] and rule["shortDescription"]["text"] for rule in rules)
    results = run["results"]
    assert [result["level"] for result in results] == ["warning", "error", "error"]
    for result in results:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["locations"][0]["physicalLocation"]["region"]["startLine"] >= 1
        assert len(result["partialFingerprints"]["ruleAndResource/v1"]) == 64
    on_service = results[2]["locations"][0]
    assert on_service["physicalLocation"]["artifactLocation"]["uri"] == "components/scheduler_service.py"
    assert on_service["logicalLocations"][0]["fullyQualifiedName"] == SERVICE
    on_stack = results[1]["locations"][0]
    assert on_stack["physicalLocation"]["artifactLocation"]["uri"] == "Pulumi.yaml"
    assert "logicalLocations" not in on_stack


def test_a_fingerprint_outlives_the_value() -> None:
    first, second = (
        read_events([_policy("scheduler-desired-count").replace("is 2", f"is {count}")]).violations[0]
        for count in (2, 3)
    )
    assert first.message != second.message
    assert first.fingerprint == second.fingerprint


def test_places_come_from_the_state_and_stay_inside_the_project() -> None:
    resources: list[dict[str, Any]] = [
        {"urn": "a", "sourcePosition": "project:///components/task.py#42,5"},
        {"urn": "b", "sourcePosition": "project:///../../lib/pulumi/stack.py#185"},
        {"urn": "c"},
    ]
    assert places_of({"deployment": {"resources": resources}}) == {"a": Place("components/task.py", 42)}
    assert places_of({}) == {}


def _run(tmp_path: Path, lines: list[str], *more: str) -> tuple[int, Path, Path]:
    events, report, scan = tmp_path / "events", tmp_path / "report.json", tmp_path / "report.sarif"
    events.write_text("\n".join(lines))
    arguments = ["report", "--events", str(events), "--json", str(report), "--sarif", str(scan), *more]
    return main(arguments), report, scan


def test_the_command_writes_both_files_and_fails_on_a_mandatory_violation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, report, scan = _run(tmp_path, LINES)
    assert code == 1
    assert json.loads(report.read_text())["stack"] == "prod"
    assert json.loads(scan.read_text())["runs"][0]["results"]
    assert "2 mandatory violations, 1 advisory" in capsys.readouterr().out


def test_the_command_passes_where_nothing_mandatory_is_violated(tmp_path: Path) -> None:
    lines = [_policy("cloudwatch-log-retention", level="advisory"), SUMMARY]
    assert _run(tmp_path, lines)[0] == 0


def test_a_run_that_failed_for_another_reason_is_no_clean_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(tmp_path, [ERROR, SUMMARY])[0] == 2
    assert "preview failed" in capsys.readouterr().err


def test_a_file_that_is_no_event_log_is_one_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(tmp_path, ["not json"])[0] == 2
    message = capsys.readouterr().err
    assert "line 1 is no engine event" in message
    assert "Traceback" not in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "can't be read as JSON"),
        ("[]", "holds no object"),
        ('{"scheduler-desired-count": "disabled"}', "always mandatory"),
        ('{"cloudwatch-log-retentoin": {"minimumDays": 3}}', "did you mean cloudwatch-log-retention"),
        ('{"cloudwatch-log-retention": "off"}', "off is no level"),
        ('{"cloudwatch-log-retention": 3}', "neither a level nor an object"),
    ],
)
def test_a_configuration_can_be_checked_before_pulumi_sees_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, words: str
) -> None:
    path = tmp_path / "configuration.json"
    path.write_text(content)
    assert main(["check-configuration", str(path)]) == 2
    assert words in capsys.readouterr().err


def test_a_good_configuration_passes_the_check(tmp_path: Path) -> None:
    path = tmp_path / "configuration.json"
    path.write_text('{"all": "mandatory", "cloudwatch-log-retention": {"minimumDays": 30}}')
    assert main(["check-configuration", str(path)]) == 0
