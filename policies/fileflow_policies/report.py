"""Turns what the pack found into a JSON report and a SARIF file for code scanning.

Owns reading the engine's events (the event log of a preview, or `pulumi policy analyze --json`) and the two
formats. Deliberately not here: running the CLI (`__main__`).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pulumi_policy import EnforcementLevel, Severity

from .pack import DISPLAY_NAME, NAME
from .resources import Urn
from .rule import Rule
from .version import pack_version

_SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_SARIF_LEVELS: Final = {"mandatory": "error", "advisory": "warning"}
# The scale by which code scanning sorts findings into critical, high, medium and low.
_SECURITY_SEVERITY: Final = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
}
_ROOT_STACK_TYPE: Final = "pulumi:pulumi:Stack"


@dataclass(frozen=True, slots=True)
class ReportedViolation:
    """One violation as the engine reported it."""

    rule: str
    level: str
    urn: str
    message: str

    @property
    def resource(self) -> Urn:
        return Urn.parse(self.urn)

    @property
    def fingerprint(self) -> str:
        """The same for one rule on one resource, whatever the value: what code scanning tracks by."""
        return hashlib.sha256(f"{self.rule}\n{self.urn}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Events:
    """What a run of the CLI said that matters here."""

    violations: tuple[ReportedViolation, ...]
    errors: tuple[str, ...]
    finished: bool


def read_events(lines: Iterable[str]) -> Events:
    """Reads engine events, one JSON object a line. Raises ValueError for a line that isn't one."""
    violations: dict[tuple[str, str, str], ReportedViolation] = {}
    errors: list[str] = []
    finished = False
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            event = json.loads(line)
        except ValueError as error:
            raise ValueError(f"line {number} is no engine event; give the file of --event-log") from error
        if policy := event.get("policyEvent"):
            if policy.get("policyPackName") == NAME:
                found = ReportedViolation(
                    policy["policyName"],
                    policy["enforcementLevel"],
                    policy.get("resourceUrn", ""),
                    policy["message"].strip(),
                )
                violations[(found.rule, found.urn, found.message)] = found
        elif (diagnostic := event.get("diagnosticEvent")) and diagnostic.get("severity") == "error":
            errors.append(diagnostic["message"].strip())
        elif "summaryEvent" in event:
            finished = True
    ordered = sorted(violations.values(), key=lambda each: (each.rule, each.urn, each.message))
    return Events(tuple(ordered), tuple(errors), finished)


def json_report(
    events: Events, rules: Sequence[Rule], stack: str, now: datetime | None = None
) -> dict[str, Any]:
    """A summary, every violation with what is known of its rule, and every rule with its number of them."""
    by_name = {rule.name: rule for rule in rules}
    per_rule = Counter(violation.rule for violation in events.violations)
    per_level = Counter(violation.level for violation in events.violations)
    per_severity = Counter(_severity(by_name, violation) for violation in events.violations)
    return {
        "pack": {"name": NAME, "version": pack_version()},
        "stack": stack,
        "generated": (now or datetime.now(UTC)).isoformat(timespec="seconds"),
        "complete": events.finished,
        "errors": list(events.errors),
        "summary": {
            "violations": len(events.violations),
            "byLevel": dict(sorted(per_level.items())),
            "bySeverity": dict(sorted(per_severity.items())),
        },
        "violations": [_violation(violation, by_name.get(violation.rule)) for violation in events.violations],
        "rules": [
            {
                "name": rule.name,
                "level": rule.level.value,
                "severity": rule.severity.value,
                "violations": per_rule.get(rule.name, 0),
            }
            for rule in rules
        ],
    }


def _severity(by_name: Mapping[str, Rule], violation: ReportedViolation) -> str:
    rule = by_name.get(violation.rule)
    return rule.severity.value if rule is not None else "unspecified"


def _violation(violation: ReportedViolation, rule: Rule | None) -> dict[str, Any]:
    resource = violation.resource
    result: dict[str, Any] = {
        "rule": violation.rule,
        "level": violation.level,
        "resource": {
            "urn": violation.urn,
            "type": resource.types[-1] if resource.types else "",
            "name": resource.name,
        },
        "message": violation.message,
    }
    if rule is not None:
        result |= {
            "severity": rule.severity.value,
            "description": rule.sentence,
            "remediation": rule.remediation,
            "framework": {"name": rule.framework.name, "reference": rule.framework.reference},
            "url": rule.url,
            "tags": list(rule.tags),
        }
    return result


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the program a resource is registered."""

    file: str
    line: int


def places_of(deployment: Mapping[str, Any]) -> dict[str, Place]:
    """Where the resources of a `pulumi stack export` are registered, as far as it is in the project."""
    found: dict[str, Place] = {}
    for resource in (deployment.get("deployment") or {}).get("resources") or ():
        position = str(resource.get("sourcePosition") or "")
        path, _, line = position.removeprefix("project:///").partition("#")
        if position.startswith("project:///") and not path.startswith("..") and line.split(",")[0].isdigit():
            found[resource["urn"]] = Place(path, int(line.split(",")[0]))
    return found


def sarif(events: Events, rules: Sequence[Rule], places: Mapping[str, Place] | None = None) -> dict[str, Any]:
    """The violations as a SARIF 2.1.0 log. A resource whose place isn't known stands at Pulumi.yaml."""
    index = {rule.name: number for number, rule in enumerate(rules)}
    places = places or {}
    return {
        "$schema": _SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": NAME,
                        "fullName": DISPLAY_NAME,
                        "version": pack_version(),
                        "rules": [_sarif_rule(rule) for rule in rules],
                    }
                },
                "invocations": [
                    {
                        "executionSuccessful": events.finished,
                        "toolExecutionNotifications": [
                            {"level": "error", "message": {"text": error}} for error in events.errors
                        ],
                    }
                ],
                "columnKind": "unicodeCodePoints",
                "results": [
                    _sarif_result(violation, index, places.get(violation.urn))
                    for violation in events.violations
                ],
            }
        ],
    }


def _sarif_rule(rule: Rule) -> dict[str, Any]:
    off = rule.level is EnforcementLevel.DISABLED
    return {
        "id": rule.name,
        "name": rule.display_name,
        "shortDescription": {"text": rule.sentence},
        "help": {"text": rule.remediation, "markdown": f"{rule.remediation} [Documentation]({rule.url})"},
        "helpUri": rule.url,
        "defaultConfiguration": {
            "enabled": not off,
            "level": "error" if off else _SARIF_LEVELS[rule.level.value],
        },
        "properties": {
            "security-severity": _SECURITY_SEVERITY[rule.severity],
            "tags": ["security", *rule.tags],
        },
    }


def _sarif_result(
    violation: ReportedViolation, index: Mapping[str, int], place: Place | None
) -> dict[str, Any]:
    resource = violation.resource
    where = place or Place("Pulumi.yaml", 1)
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": where.file, "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": where.line},
        }
    }
    if violation.urn and resource.types[-1:] != (_ROOT_STACK_TYPE,):
        location["logicalLocations"] = [
            {"name": resource.name, "fullyQualifiedName": violation.urn, "kind": "resource"}
        ]
    result: dict[str, Any] = {
        "ruleId": violation.rule,
        "level": _SARIF_LEVELS.get(violation.level, "error"),
        "message": {"text": violation.message},
        "locations": [location],
        "partialFingerprints": {"ruleAndResource/v1": violation.fingerprint},
    }
    if violation.rule in index:
        result["ruleIndex"] = index[violation.rule]
    return result
