"""Image repositories: scanned, immutable, kept small, private."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from pulumi_policy import Severity

from ..documents import allowing, read_document
from ..resources import Resource, Stack
from ..rule import FSBP, PASSING_STACKS, WELL_ARCHITECTED, Catalogue, Finding, Framework, Settings, Threshold

catalogue: Final = Catalogue()

REPOSITORY: Final = "aws:ecr/repository:Repository"
LIFECYCLE_POLICY: Final = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
REPOSITORY_POLICY: Final = "aws:ecr/repositoryPolicy:RepositoryPolicy"
_CONTROLS_URL: Final = "https://docs.aws.amazon.com/securityhub/latest/userguide/ecr-controls.html"


@catalogue.resource(
    REPOSITORY,
    name="ecr-scan-on-push",
    description="an image is scanned for known vulnerabilities when it is pushed",
    severity=Severity.HIGH,
    framework=Framework(FSBP, "ECR.1"),
    remediation="Set imageScanningConfiguration.scanOnPush to true.",
    url=_CONTROLS_URL + "#ecr-1",
    tags=("ecr", "supply-chain", "checkov:CKV_AWS_163"),
)
def scan_on_push(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    value = resource["imageScanningConfiguration"]["scanOnPush"]
    if value.boolean() is not True:
        yield Finding(
            f"imageScanningConfiguration.scanOnPush is {value.shown()}",
            "set imageScanningConfiguration.scanOnPush to true",
            advisory=value.unknown,
        )


@catalogue.resource(
    REPOSITORY,
    name="ecr-immutable-tags",
    description="a version's tag never moves to another image",
    severity=Severity.MEDIUM,
    framework=Framework(FSBP, "ECR.2"),
    remediation=(
        "Set imageTagMutability to IMMUTABLE, or to IMMUTABLE_WITH_EXCLUSION with exclusions for tags such "
        "as *latest alone."
    ),
    url=_CONTROLS_URL + "#ecr-2",
    tags=("ecr", "supply-chain", "checkov:CKV_AWS_51"),
    thresholds={
        "movableTags": Threshold(
            ["*latest"],
            {"type": "array", "items": {"type": "string", "minLength": 1}},
            "tags, by pattern, that may be excluded from immutability",
        )
    },
)
def immutable_tags(resource: Resource, settings: Settings) -> Iterator[Finding]:
    value = resource["imageTagMutability"]
    mutability = value.text()
    if mutability == "IMMUTABLE":
        return
    if mutability != "IMMUTABLE_WITH_EXCLUSION":
        yield Finding(
            f"imageTagMutability is {value.shown()}",
            "set imageTagMutability to IMMUTABLE",
            advisory=value.unknown,
        )
        return
    movable = settings.texts("movableTags")
    for exclusion in resource["imageTagMutabilityExclusionFilters"].items():
        pattern = exclusion["filter"]
        text = pattern.text()
        if text is None or not any(text == allowed or fnmatchcase(text, allowed) for allowed in movable):
            yield Finding(
                f"{pattern.path} is {pattern.shown()}",
                f"exclude {', '.join(movable)} alone",
                advisory=pattern.unknown,
            )


@catalogue.resource(
    REPOSITORY,
    name="ecr-no-force-delete",
    description="a repository that still holds images isn't deleted",
    severity=Severity.MEDIUM,
    framework=Framework(WELL_ARCHITECTED, "REL09-BP01"),
    remediation="Set forceDelete to false, or leave it out.",
    url="https://www.pulumi.com/registry/packages/aws/api-docs/ecr/repository/",
    tags=("ecr",),
    production=True,
    setting="repository.force_delete: false",
    thresholds={"developmentStacks": PASSING_STACKS},
)
def no_force_delete(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    value = resource["forceDelete"]
    if not value.missing and value.boolean() is not False:
        yield Finding(f"forceDelete is {value.shown()}", "set forceDelete to false", advisory=value.unknown)


@catalogue.resource(
    REPOSITORY_POLICY,
    name="ecr-no-public-policy",
    description="a repository's policy doesn't let everyone in",
    severity=Severity.CRITICAL,
    framework=Framework(WELL_ARCHITECTED, "SEC03-BP07"),
    remediation="Name the accounts or roles as principals.",
    url="https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html",
    tags=(
        "ecr",
        "iam",
        "checkov:CKV_AWS_32",
        "prowler:ecr_repositories_not_publicly_accessible",
        "isms-p:2.6.1",
        "isms-p:2.10.2",
    ),
)
def no_public_policy(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    problem = read_document(resource["policy"]).problem
    if problem:
        yield Finding(problem, "give the policy as JSON")
    for statement in allowing(resource["policy"]):
        if any(name == "*" for _, name in statement.principals()) and not statement.condition_keys():
            yield Finding(f"{statement.label} allows everyone", "name accounts or roles as principals")


@catalogue.stack(
    name="ecr-lifecycle-policy",
    description="a repository has a lifecycle policy, so that old images go",
    severity=Severity.MEDIUM,
    framework=Framework(FSBP, "ECR.3"),
    remediation=(
        "Give the repository an aws.ecr.LifecyclePolicy that keeps the last versions of each service."
    ),
    url=_CONTROLS_URL + "#ecr-3",
    tags=(
        "ecr",
        "cost",
        "prowler:ecr_repositories_lifecycle_policy_enabled",
        "isms-p:2.9.2",
    ),
)
def lifecycle_policy(stack: Stack, _settings: Settings) -> Iterator[Finding]:
    covered: set[str] = set()
    for policy in stack.of(LIFECYCLE_POLICY):
        covered.update(other.urn_text for other in stack.referenced(policy, "repository"))
        name = policy["repository"].text()
        if name:
            covered.add(name)
    for repository in stack.of(REPOSITORY):
        if repository.urn_text not in covered and (repository["name"].text() or "") not in covered:
            yield Finding("it has no lifecycle policy", "add an aws.ecr.LifecyclePolicy", repository)
