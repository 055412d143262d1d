"""The reference of all rules, generated from the rules themselves, so that it can't differ from them.

Owns the text of docs/policies.md. `python -m fileflow_policies reference PATH` writes it, with `--check`
compares it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel

from .config import thresholds_of
from .pack import DESCRIPTION
from .rule import Rule
from .version import pack_version

_GROUPS: Final = (
    ("Schedulers", "These keep a scheduler single, private and predictable. They are always mandatory."),
    ("ECS", "Every service, cluster and task definition."),
    ("ECR", "Image repositories."),
    ("Load balancers", "Application and network load balancers."),
    ("CloudWatch", "Logs and alarms."),
    ("IAM", "Roles and policies."),
    ("Security groups", "Who may reach what."),
    ("Secrets Manager", "Secrets."),
    ("CloudFormation", "Templates beside the program."),
)
_GROUP_OF_PREFIX: Final = {
    "ecs": "ECS",
    "ecr": "ECR",
    "elbv2": "Load balancers",
    "cloudwatch": "CloudWatch",
    "iam": "IAM",
    "security": "Security groups",
    "secretsmanager": "Secrets Manager",
    "cloudformation": "CloudFormation",
}


def group_of(rule: Rule) -> str:
    """The chapter that a rule stands in."""
    return "Schedulers" if rule.locked else _GROUP_OF_PREFIX[rule.name.partition("-")[0]]


def reference(rules: Sequence[Rule]) -> str:
    """The whole page, in Markdown."""
    lines = [
        "# Policies",
        "",
        "<!-- Generated from policies/fileflow_policies by `python -m fileflow_policies reference`. -->",
        "",
        f"{DESCRIPTION} Version {pack_version()}, {len(rules)} rules.",
        "",
        "A message reads `RESOURCE: VALUE; RULE; to fix: FIX.` Rules marked *stack* look at the stack as a "
        "whole, so they",
        "speak at the end of a preview or update; the others speak before a resource is made.",
        "How to configure the pack, and what it can't see, is in "
        "[policies/README.md](../policies/README.md).",
        "",
    ]
    for group, introduction in _GROUPS:
        members = [rule for rule in rules if group_of(rule) == group]
        if members:
            lines += [f"## {group}", "", introduction, "", *_table(members), ""]
            for rule in members:
                lines += [*_section(rule), ""]
    return "\n".join(lines).rstrip() + "\n"


def _table(rules: Iterable[Rule]) -> list[str]:
    rows = ["| Rule | Severity | Level | What it asks for |", "|---|---|---|---|"]
    for rule in rules:
        rows.append(
            f"| [{rule.name}](#{rule.name}) | {rule.severity.value} | {_level(rule)} | {rule.sentence} |"
        )
    return rows


def _level(rule: Rule) -> str:
    words = "off" if rule.level is EnforcementLevel.DISABLED else rule.level.value
    if rule.locked:
        words += ", fixed"
    return f"{words}, stack" if rule.check_stack is not None else words


def _section(rule: Rule) -> list[str]:
    lines = [f"### {rule.name}", "", rule.sentence, "", f"*To fix*: {rule.remediation}", ""]
    source = " ".join(part for part in (rule.framework.name, rule.framework.reference) if part)
    lines.append(f"- Source: {source} ([documentation]({rule.url}))")
    if rule.types:
        lines.append(f"- Judges: {', '.join(f'`{token}`' for token in sorted(rule.types))}")
    if rule.tags:
        lines.append(f"- Tags: {', '.join(rule.tags)}")
    for name, threshold in thresholds_of(rule).items():
        lines.append(
            f"- Setting `{name}`: {threshold.description}. Default: `{json.dumps(threshold.default)}`"
        )
    return lines
