"""Secrets in Secrets Manager: recoverable after a deletion, and closed to strangers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from ..documents import allowing, read_document
from ..resources import Resource
from ..rule import PASSING_STACKS, WELL_ARCHITECTED, Catalogue, Finding, Framework, Settings, Threshold

catalogue: Final = Catalogue()


@catalogue.resource(
    "aws:secretsmanager/secret:Secret",
    name="secretsmanager-recovery-window",
    description="a secret that was deleted can be recovered for a while",
    severity=Severity.MEDIUM,
    framework=Framework(WELL_ARCHITECTED, "REL09-BP01"),
    remediation="Set recoveryWindowInDays to 7 or more, or leave it out (30 days).",
    url="https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html",
    tags=("secretsmanager",),
    production=True,
    thresholds={
        "developmentStacks": PASSING_STACKS,
        "minimumDays": Threshold(
            7, {"type": "integer", "minimum": 7, "maximum": 30}, "the shortest recovery window, in days"
        ),
    },
)
def recovery_window(resource: Resource, settings: Settings) -> Iterator[Finding]:
    value = resource["recoveryWindowInDays"]
    least = settings.integer("minimumDays")
    days = value.integer()
    if not value.missing and (days is None or days < least):
        yield Finding(
            f"recoveryWindowInDays is {value.shown()}",
            f"set recoveryWindowInDays to {least} or more",
            advisory=value.unknown,
        )


@catalogue.resource(
    "aws:secretsmanager/secret:Secret",
    "aws:secretsmanager/secretPolicy:SecretPolicy",
    name="secretsmanager-no-public-policy",
    description="a secret's policy doesn't let everyone in",
    severity=Severity.CRITICAL,
    framework=Framework(WELL_ARCHITECTED, "SEC03-BP07"),
    remediation="Name accounts or roles as principals, and set blockPublicPolicy to true.",
    url="https://docs.aws.amazon.com/secretsmanager/latest/userguide/determine-acccess_examine-iam-policies.html",
    tags=("secretsmanager", "iam"),
)
def no_public_policy(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    problem = read_document(resource["policy"]).problem
    if problem:
        yield Finding(problem, "give the policy as JSON")
    for statement in allowing(resource["policy"]):
        if any(name == "*" for _, name in statement.principals()) and not statement.condition_keys():
            yield Finding(f"{statement.label} allows everyone", "name the principals")
