"""The pack as a whole: which rules it holds, and their form as policies of the policy SDK.

Owns the list of modules with rules and the refusal of duplicate names. The policies work under the SDK's own
analyser too, one rule at a time; `analyzer` runs the same rules with less work and with the configuration
refused early.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from pulumi_policy import (
    Policy,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from .config import Configuration, Effective, Given, schema_of, today_utc
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
    """A rule on single resources, as the SDK wants it."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(validate=_resource_validation(rule), **_metadata(rule))
        self.rule = rule


class StackRulePolicy(StackValidationPolicy):
    """A rule on a whole stack, as the SDK wants it."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(validate=_stack_validation(rule), **_metadata(rule))
        self.rule = rule


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
    findings = list(rule.check_resource(resource, effective.settings))
    if findings and effective.exempts(resource, today_utc()):
        return []
    return findings


def stack_findings(rule: Rule, stack: Stack, effective: Effective) -> list[Finding]:
    """What the rule finds in this stack, exemptions taken off."""
    if rule.check_stack is None:
        return []
    today = today_utc()
    return [
        finding
        for finding in rule.check_stack(stack, effective.settings)
        if not effective.exempts(finding.resource, today)
    ]


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


def _effective(rule: Rule, config: Any, stack: str) -> Effective:
    given = {rule.name: Given(None, dict(config))} if config else {}
    return Configuration([rule], given).for_stack(stack)[rule.name]


def _resource_validation(rule: Rule) -> Callable[[ResourceValidationArgs, ReportViolation], None]:
    def validate(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
        resource = Resource(
            type=args.resource_type,
            urn_text=args.urn,
            name=args.name,
            properties=args.props,
            ignore_changes=tuple(args.opts.ignore_changes),
            delete_before_replace=args.opts.delete_before_replace,
            protect=args.opts.protect,
            parent_urn=args.opts.parent,
        )
        effective = _effective(rule, args.get_config(), resource.urn.stack)
        for finding in resource_findings(rule, resource, effective):
            report_violation(rule.message(finding, resource), None)

    return validate


def _stack_validation(rule: Rule) -> Callable[[StackValidationArgs, ReportViolation], None]:
    def validate(args: StackValidationArgs, report_violation: ReportViolation) -> None:
        resources = [
            Resource(
                type=item.resource_type,
                urn_text=item.urn,
                name=item.name,
                properties=item.props,
                ignore_changes=tuple(item.opts.ignore_changes),
                delete_before_replace=item.opts.delete_before_replace,
                protect=item.opts.protect,
                parent_urn=item.parent.urn if item.parent is not None else item.opts.parent,
                dependencies=tuple(other.urn for other in item.dependencies),
                property_dependencies={
                    key: tuple(other.urn for other in others)
                    for key, others in item.property_dependencies.items()
                },
            )
            for item in args.resources
        ]
        stack = Stack(resources)
        name = resources[0].urn.stack if resources else ""
        effective = _effective(rule, args.get_config(), name)
        for finding in stack_findings(rule, stack, effective):
            about = finding.resource
            report_violation(rule.message(finding, None), about.urn_text if about is not None else None)

    return validate
