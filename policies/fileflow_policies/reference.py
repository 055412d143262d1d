"""The reference of all rules, generated from the rules themselves, so that it can't differ from them.

Owns the text of docs/policies.md. `python -m fileflow_policies reference PATH` writes it, with `--check`
compares it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel

from .config_problems import thresholds_of
from .pack import DESCRIPTION
from .recognition import NOT_A_SCHEDULER_TAG
from .rule import Rule
from .version import pack_version

_GROUPS: Final = (
    (
        "Schedulers",
        "These keep a scheduler single, private and predictable. Three of them are always mandatory: one "
        "task, no load balancer, Spot by a flag. The others can be made advisory, with a reason, but not "
        "disabled.",
    ),
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


_READING: Final = """\
A message reads `RESOURCE: VALUE; RULE; to fix: FIX.` Rules marked *stack* look at the stack as a whole,
so they speak at the end of a preview or update; those marked *both* do so for what only the neighbours
show; the others speak before a resource is made. How to configure the pack, and what it can't see, is in
[policies/README.md](../policies/README.md); how to start gently, in
[policies/STARTING.md](../policies/STARTING.md).""".splitlines()

_PRINCIPLE: Final = f"""\
**The pack protects against mistakes made in good faith, in any program that deploys to ECS with Pulumi.
It doesn't try to stop somebody who hides; what runs is guarded at run time.**

- *A declared role decides.* Each ECS service declares its role by a tag. Declared a web API or a worker,
  it is judged as that, whatever words are in its name and whatever port it uses.
- *Strong evidence contradicts a wrong declaration*: the images of the schedulers, a known clock (`celery
  beat`, `schedule:work`, `clockwork`, `rqscheduler`, `airflow scheduler`, supercronic and their like), a
  program or JAR that is called a scheduler, a Spring profile, the scheduler component, the image and
  command of a declared scheduler. The message says which, and how to say, by the tag
  `{NOT_A_SCHEDULER_TAG}` and with a reason, that it is none.
- *Weak evidence*, a word in a name or a port, counts only where nothing is declared. Then the service is
  held to one task, no load balancer and no Spot, and one line asks what it is.
- *Unknown at preview isn't forbidden.* Where only the update will know a value, that is said as advice,
  and judged in the update before the resource is made. For a declared scheduler an unknown guarded value
  is a violation.
- *Rules about schedulers concern stacks that have one*, whichever provider makes it: pulumi-aws, awsx,
  aws-native, Cloud Control, any Terraform provider or module, a CloudFormation template.""".splitlines()


def group_of(rule: Rule) -> str:
    """The chapter that a rule stands in."""
    return "Schedulers" if rule.scheduler else _GROUP_OF_PREFIX[rule.name.partition("-")[0]]


def reference(rules: Sequence[Rule]) -> str:
    """The whole page, in Markdown."""
    lines = [
        "# Policies",
        "",
        "<!-- Generated from policies/fileflow_policies by `python -m fileflow_policies reference`. -->",
        "",
        f"{DESCRIPTION} Version {pack_version()}, {len(rules)} rules.",
        "",
        *_PRINCIPLE,
        "",
        *_READING,
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
    if rule.check_stack is None:
        return words
    return f"{words}, {'stack' if rule.check_resource is None else 'both'}"


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
