"""What the pack holds, pinned: a rule that changes its level, or goes, shows here and in the reference."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fileflow_policies.pack import NAME, RULES, pack_arguments
from fileflow_policies.reference import group_of, reference
from fileflow_policies.rule import Rule
from fileflow_policies.version import pack_version
from pulumi_policy import EnforcementLevel

from tests.policies.harness import analyzer

ROOT = Path(__file__).parents[2]
PINNED = Path(__file__).parent / "contents.json"


def contents() -> dict[str, dict[str, object]]:
    """Everything that the pack publishes about its rules."""
    return {
        rule.name: {
            "level": rule.level.value,
            "severity": rule.severity.value,
            "framework": f"{rule.framework.name} {rule.framework.reference}".strip(),
            "locked": rule.locked,
            "scheduler": rule.scheduler,
            "production": rule.production,
            "resource": rule.check_resource is not None,
            "stack": rule.check_stack is not None,
            "types": sorted(rule.types),
            "settings": sorted(rule.thresholds),
            "tags": list(rule.tags),
        }
        for rule in RULES
    }


def test_the_packs_contents_are_as_pinned() -> None:
    """On purpose changed? `python -m tests.policies.test_pack` pins them anew."""
    assert contents() == json.loads(PINNED.read_text())


def test_the_reference_is_what_the_rules_say() -> None:
    """Not any more? `python -m fileflow_policies reference docs/policies.md` writes it anew."""
    assert (ROOT / "docs" / "policies.md").read_text() == reference(RULES)


def test_every_scheduler_rule_is_mandatory_and_three_are_fixed() -> None:
    assert {rule.name for rule in RULES if rule.locked} == {
        "scheduler-desired-count",
        "scheduler-no-load-balancer",
        "scheduler-spot-opt-in",
    }
    for rule in RULES:
        if rule.name.startswith("scheduler-") or rule.locked:
            assert rule.scheduler, rule.name
        if rule.scheduler:
            assert rule.level is EnforcementLevel.MANDATORY, rule.name


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_says_all_that_a_team_needs_to_know(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.name)
    assert not rule.description.endswith(".")
    assert "\n" not in rule.description
    assert rule.remediation.endswith(".")
    assert rule.url.startswith("https://")
    assert rule.framework.name
    assert rule.tags
    assert bool(rule.types) == (rule.check_resource is not None)
    assert rule.check_resource or rule.check_stack
    assert group_of(rule)


def test_the_engine_is_told_all_of_it() -> None:
    info = analyzer().GetAnalyzerInfo(None, None)  # type: ignore[no-untyped-call] # the SDK leaves it untyped
    assert info.name == NAME
    assert info.supportsConfig
    assert {policy.name for policy in info.policies} == {rule.name for rule in RULES}
    for policy in info.policies:
        rule = next(each for each in RULES if each.name == policy.name)
        assert policy.description == rule.sentence
        assert policy.remediation_steps == rule.remediation
        assert policy.url == rule.url
        assert policy.framework.name == rule.framework.name
        assert policy.severity
        assert list(policy.tags) == list(rule.tags)
        if not rule.locked:
            assert {"exemptions", "stacks"} <= set(policy.configSchema.properties)


def test_the_pack_is_versioned_for_publishing() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", pack_version())
    assert pack_arguments()["name"] == NAME
    assert (ROOT / "policies" / "README.md").exists()


def test_importing_the_pack_has_no_side_effect() -> None:
    """No server, no output, and nothing of AWS's SDK: a start-up costs every preview."""
    program = (
        "import sys, threading; import fileflow_policies.pack, fileflow_policies.analyzer; "
        "assert threading.active_count() == 1; "
        "assert not [name for name in sys.modules if name.startswith(('pulumi_aws', 'boto'))]"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT / "policies", capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


if __name__ == "__main__":
    PINNED.write_text(json.dumps(contents(), indent=1, ensure_ascii=False) + "\n")
