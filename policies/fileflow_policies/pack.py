"""The pack as a whole: which rules it holds, and their form as policies of the policy SDK.

Owns the list of modules with rules, the refusal of duplicate names, and what becomes of a finding: exemptions
take it off, and one that has expired says so. `analyzer` runs the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from pulumi_policy import (
    Policy,
    ResourceValidationPolicy,
    StackValidationPolicy,
)

from .config import Effective, schema_of, today_utc
from .resources import Resource, Stack
from .rule import Finding, Rule
from .rules import ALL_RULES

NAME: Final = "fileflow-policies"
DISPLAY_NAME: Final = "FileFlow policies"
DESCRIPTION: Final = (
    "Keeps schedulers on Amazon ECS single, private and predictable, and the rest of their stack safe."
)


class DuplicateRuleError(ValueError):
    """Two rules have one name."""


def check_names(rules: Iterable[Rule]) -> list[Rule]:
    """The rules, once it is sure that no two share a name; a second one would be configured and reported as
    the first.
    """
    result: list[Rule] = []
    seen: set[str] = set()
    for rule in rules:
        if rule.name in seen:
            raise DuplicateRuleError(
                f"{rule.name}: two rules have this name; rule names are unique; rename one of them."
            )
        seen.add(rule.name)
        result.append(rule)
    return result


RULES: Final[Sequence[Rule]] = tuple(check_names(ALL_RULES))


class ResourceRulePolicy(ResourceValidationPolicy):
    """A rule on single resources (or on both), as the SDK publishes it; the pack's analyser runs it."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(validate=_run_by_analyzer, **_metadata(rule))
        self.rule = rule


class StackRulePolicy(StackValidationPolicy):
    """A rule on a whole stack alone, as the SDK publishes it; the pack's analyser runs it."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(validate=_run_by_analyzer, **_metadata(rule))
        self.rule = rule


def _run_by_analyzer(*_arguments: Any) -> None:
    raise RuntimeError(
        "this pack's rules are run by fileflow_policies.analyzer; call its install() before PolicyPack()"
    )


def policies(rules: Sequence[Rule] = RULES) -> list[Policy]:
    """One policy for each rule, in the order of the rules."""
    return [
        ResourceRulePolicy(rule) if rule.check_resource is not None else StackRulePolicy(rule)
        for rule in check_names(rules)
    ]


def pack_arguments(rules: Sequence[Rule] = RULES) -> dict[str, Any]:
    """The arguments of `pulumi_policy.PolicyPack` for these rules."""
    return {
        "name": NAME,
        "display_name": DISPLAY_NAME,
        "description": DESCRIPTION,
        "provider": "aws",
        "tags": ["aws", "ecs", "scheduler"],
        "policies": policies(rules),
    }


def resource_findings(rule: Rule, resource: Resource, effective: Effective) -> list[Finding]:
    """What the rule finds on this resource, exemptions taken off."""
    if rule.check_resource is None or (rule.types and resource.canonical_type not in rule.types):
        return []
    return list(_kept(_checked(rule.check_resource, resource, effective), resource, effective))


def stack_findings(rule: Rule, stack: Stack, effective: Effective) -> list[Finding]:
    """What the rule finds in this stack, exemptions taken off."""
    if rule.check_stack is None:
        return []
    return list(_kept(_checked(rule.check_stack, stack, effective), None, effective))


def _checked(
    check: Callable[[Any, Any], Iterable[Finding]], judged: Any, effective: Effective
) -> list[Finding]:
    """The findings of a check; what is nested too deeply to be read is one, never an error of the pack."""
    try:
        return list(check(judged, effective.settings))
    except RecursionError:
        return [Finding("it is nested too deeply to be read", "give it in a flatter form")]


def _kept(findings: Iterable[Finding], resource: Resource | None, effective: Effective) -> Iterator[Finding]:
    today = today_utc()
    for finding in findings:
        about = finding.resource or resource
        if effective.exempts(about, today):
            continue
        expired = effective.expired(about, today)
        if expired is None:
            yield finding
        else:
            what = f"{finding.what} (its exemption ended on {expired.expires.isoformat()})"
            yield replace(finding, what=what)


def _metadata(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "description": rule.sentence,
        "enforcement_level": rule.level,
        "config_schema": schema_of(rule),
        "display_name": rule.display_name,
        "severity": rule.severity,
        "framework": rule.framework.to_policy(),
        "tags": list(rule.tags),
        "remediation_steps": rule.remediation,
        "url": rule.url,
    }
