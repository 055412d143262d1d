"""What a person does for a migration, in order, and why: commands with every name filled in.

Pure. Doesn't run any of them.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from operate.pulumi_cli import up_command


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing to do."""

    why: str
    commands: Sequence[str]


def takeover(stack: str, import_file: str, state_rm: Sequence[str]) -> list[Step]:
    """From the import to the first update."""
    steps = [
        Step(
            why="The stack's state takes over what is there; AWS changes nothing.",
            commands=[
                f"pulumi import --stack {stack} --file {shlex.quote(import_file)} --generate-code=false "
                "--protect=false --yes"
            ],
        ),
        Step(
            why="It replaces task definitions, which are revisions, and nothing else. Where it would replace "
            "more, say in the stack's file what runs.",
            commands=[f"pulumi preview --stack {stack} --policy-pack policies --diff"],
        ),
    ]
    if state_rm:
        steps.append(
            Step(
                why="Terraform forgets what it no longer owns; nothing is destroyed. From here on it must "
                "not be applied with the old configuration.",
                commands=state_rm,
            )
        )
    steps.append(
        Step(
            why="Each scheduler stops before its new revision starts.",
            commands=[up_command(stack)],
        )
    )
    return steps


def leftovers(rules: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Step]:
    """What is still there afterwards, in nobody's state."""
    if not rules:
        return []
    return [
        Step(
            why="These rules of security groups are in nobody's state. Read what each one is for, then "
            "revoke what nobody needs.",
            commands=[
                f"aws ec2 revoke-security-group-{'egress' if rule['IsEgress'] else 'ingress'} "
                f"--group-id {group} --security-group-rule-ids {rule['SecurityGroupRuleId']}"
                for group, surplus in sorted(rules.items())
                for rule in surplus
            ],
        )
    ]
