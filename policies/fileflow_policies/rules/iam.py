"""Roles and policies: no more than named actions on named resources, for named services of this account.

A policy document that holds outputs is unknown at preview; it is judged at the update, before it is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from pulumi_policy import Severity

from ..documents import Statement, allowing, read_document
from ..resources import Resource
from ..rule import CIS, FSBP, WELL_ARCHITECTED, Catalogue, Finding, Framework, Settings, Threshold
from ..values import Value

catalogue: Final = Catalogue()

ROLE: Final = "aws:iam/role:Role"
_POLICY_TYPES: Final = (
    "aws:iam/policy:Policy",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/userPolicy:UserPolicy",
    "aws:iam/groupPolicy:GroupPolicy",
    ROLE,
)
_ATTACHMENT_TYPES: Final = (
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:iam/userPolicyAttachment:UserPolicyAttachment",
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
    "aws:iam/policyAttachment:PolicyAttachment",
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
    ROLE,
)
_CONTROLS_URL: Final = "https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html"
_LEAST_PRIVILEGE_URL: Final = (
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege"
)
_TEXTS: Final = {"type": "array", "items": {"type": "string", "minLength": 1}}

# Services through which another account could make this one act for it (the confused deputy).
_DEPUTY_KEYS: Final = frozenset(
    {"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"}
)


def _documents(resource: Resource) -> list[Value]:
    """The permission documents in a resource; a role may carry some inline."""
    if resource.canonical_type == ROLE:
        return [inline["policy"] for inline in resource["inlinePolicies"].items()]
    return [resource["policy"]]


def _permissions(resource: Resource) -> Iterator[Statement]:
    for document in _documents(resource):
        yield from allowing(document)


@catalogue.resource(
    *_POLICY_TYPES,
    name="iam-policy-readable",
    description="a policy document can be read",
    severity=Severity.MEDIUM,
    framework=Framework(WELL_ARCHITECTED, "SEC03-BP02"),
    remediation="Give the policy as JSON text with statements.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html",
    tags=("iam",),
)
def policy_readable(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    documents = _documents(resource)
    if resource.canonical_type == ROLE:
        documents.append(resource["assumeRolePolicy"])
    for document in documents:
        problem = read_document(document).problem
        if problem:
            yield Finding(problem, "give a policy document as JSON")


@catalogue.resource(
    *_POLICY_TYPES,
    name="iam-no-admin-actions",
    description="a policy doesn't allow every action",
    severity=Severity.CRITICAL,
    framework=Framework(FSBP, "IAM.1"),
    remediation="Name the actions that are needed.",
    url=_CONTROLS_URL + "#iam-1",
    tags=(
        "iam",
        "checkov:CKV_AWS_62",
        "checkov:CKV_AWS_63",
        "cdk-nag:AwsSolutions-IAM5",
        "prowler:iam_inline_policy_no_administrative_privileges",
        "isms-p:2.5.1",
        "isms-p:2.5.5",
        "isms-p:2.5.6",
        "isms-p:2.10.2",
    ),
)
def no_admin_actions(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    for statement in _permissions(resource):
        if any(action in ("*", "*:*") for action in statement.actions()):
            yield Finding(f"{statement.label} allows the action *", "name the actions")


@catalogue.resource(
    *_POLICY_TYPES,
    name="iam-no-service-wildcard",
    description="a policy doesn't allow every action of a service",
    severity=Severity.HIGH,
    framework=Framework(FSBP, "IAM.21"),
    remediation="Name the actions that are needed, such as s3:GetObject.",
    url=_CONTROLS_URL + "#iam-21",
    tags=(
        "iam",
        "cdk-nag:AwsSolutions-IAM5",
        "prowler:iam_inline_policy_no_full_access_to_cloudtrail",
        "prowler:iam_inline_policy_no_full_access_to_kms",
        "prowler:iam_inline_policy_no_wildcard_marketplace_subscribe",
        "isms-p:2.5.1",
        "isms-p:2.5.5",
        "isms-p:2.5.6",
        "isms-p:2.10.2",
    ),
)
def no_service_wildcard(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    for statement in _permissions(resource):
        for action in statement.actions():
            service, colon, name = action.partition(":")
            if colon and name == "*" and service != "*":
                yield Finding(f"{statement.label} allows {statement.shown(action)}", "name the actions")
                break


@catalogue.resource(
    *_POLICY_TYPES,
    name="iam-no-wildcard-resource",
    description="a policy names the resources that its actions are for",
    severity=Severity.HIGH,
    framework=Framework(WELL_ARCHITECTED, "SEC03-BP02"),
    remediation=(
        "Name the resources. Actions that AWS lets nobody narrow are listed in this rule's setting "
        "unboundActions."
    ),
    url=_LEAST_PRIVILEGE_URL,
    tags=("iam", "checkov:CKV_AWS_355", "checkov:CKV_AWS_290"),
    thresholds={
        "unboundActions": Threshold(
            [
                "autoscaling:Describe*",
                "cloudwatch:PutMetricData",
                "ec2:CreateNetworkInterface",
                "ec2:DeleteNetworkInterface",
                "ec2:Describe*",
                "ecr:GetAuthorizationToken",
                "ecs:DiscoverPollEndpoint",
                "elasticloadbalancing:Describe*",
                "logs:CreateLogDelivery",
                "logs:DeleteLogDelivery",
                "logs:DescribeLogGroups",
                "logs:DescribeResourcePolicies",
                "logs:GetLogDelivery",
                "logs:ListLogDeliveries",
                "logs:PutResourcePolicy",
                "logs:UpdateLogDelivery",
                "s3:ListAllMyBuckets",
                "ssm:DescribeParameters",
                "ssmmessages:*Channel",
                "sts:GetCallerIdentity",
                "xray:Get*",
                "xray:Put*",
            ],
            _TEXTS,
            "actions, by pattern, that AWS doesn't let a policy narrow to a resource",
        )
    },
)
def no_wildcard_resource(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """A statement of every action, and one that passes roles, are reported by rules of their own."""
    unbound = [pattern.lower() for pattern in settings.texts("unboundActions")]
    for statement in _permissions(resource):
        if not any(text in ("*", "arn:aws:*", "arn:*") for text in statement.resources()):
            continue
        for action in statement.actions():
            if action.lower() in ("*", "*:*", "iam:passrole"):
                continue
            if not any(fnmatchcase(action.lower(), pattern) for pattern in unbound):
                yield Finding(
                    f"{statement.label} allows {statement.shown(action)} on *", "name the resources"
                )
                break


@catalogue.resource(
    *_POLICY_TYPES,
    name="iam-pass-role-scoped",
    description="a policy passes named roles to named services only",
    severity=Severity.HIGH,
    framework=Framework(WELL_ARCHITECTED, "SEC03-BP05"),
    remediation="Name the roles as resources, and the service by the condition iam:PassedToService.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html",
    tags=(
        "iam",
        "checkov:CKV_AWS_286",
        "prowler:iam_inline_policy_allows_privilege_escalation",
        "isms-p:2.5.1",
        "isms-p:2.5.5",
        "isms-p:2.5.6",
        "isms-p:2.10.2",
    ),
)
def pass_role_scoped(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    for statement in _permissions(resource):
        if not any(action.lower() == "iam:passrole" for action in statement.actions()):
            continue
        any_role = any(_means_any_role(text) for text in statement.resources())
        any_service = "iam:passedtoservice" not in statement.condition_keys()
        if any_role or any_service:
            fixes = ["name the roles"] * any_role + ["add the condition iam:PassedToService"] * any_service
            yield Finding(
                f"{statement.label} passes {'any role' if any_role else 'roles'}"
                f"{' to any service' if any_service else ''}",
                " and ".join(fixes),
            )


def _means_any_role(arn: str) -> bool:
    """Whether nothing but wildcards stands where a role's name would: `*`, `arn:aws:iam::1:role/*`."""
    return not arn.rsplit(":", 1)[-1].removeprefix("role").strip("/*?")


@catalogue.resource(
    *_POLICY_TYPES,
    name="iam-no-not-action",
    description="a policy says what it allows, not what it leaves out",
    severity=Severity.HIGH,
    framework=Framework(WELL_ARCHITECTED, "SEC03-BP02"),
    remediation="Replace NotAction and NotResource by Action and Resource.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html",
    tags=("iam",),
)
def no_not_action(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    for statement in _permissions(resource):
        for name in ("NotAction", "NotResource"):
            if not statement.value[name].missing:
                yield Finding(f"{statement.label} allows by {name}", f"replace {name}")


@catalogue.resource(
    ROLE,
    name="iam-no-public-trust",
    description="a role isn't open to everyone",
    severity=Severity.CRITICAL,
    framework=Framework(WELL_ARCHITECTED, "SEC03-BP07"),
    remediation="Name the accounts, roles or services that may take the role.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
    tags=("iam", "checkov:CKV_AWS_60", "checkov:CKV_AWS_61"),
)
def no_public_trust(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    for statement in allowing(resource["assumeRolePolicy"]):
        if not statement.value["NotPrincipal"].missing:
            yield Finding(f"{statement.label} trusts by NotPrincipal", "name the principals")
        for kind, name in statement.principals():
            if name == "*" and kind in ("*", "AWS") and not statement.condition_keys():
                yield Finding(f"{statement.label} trusts everyone", "name the principals")
                break


@catalogue.resource(
    ROLE,
    name="iam-trust-source-account",
    description="a role that ECS takes is taken for this account only",
    severity=Severity.MEDIUM,
    framework=Framework(WELL_ARCHITECTED, "SEC03-BP09"),
    remediation=(
        "Add the condition StringEquals aws:SourceAccount with the account's number to the trust policy."
    ),
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cross-service-confused-deputy-prevention.html",
    tags=(
        "iam",
        "ecs",
        "prowler:iam_role_cross_service_confused_deputy_prevention",
        "isms-p:2.5.1",
        "isms-p:2.5.6",
        "isms-p:2.10.2",
    ),
    thresholds={
        "services": Threshold(
            ["ecs-tasks.amazonaws.com", "ecs.amazonaws.com", "scheduler.amazonaws.com"],
            _TEXTS,
            "services whose trust needs the condition",
        )
    },
)
def trust_source_account(resource: Resource, settings: Settings) -> Iterator[Finding]:
    services = settings.texts("services")
    for statement in allowing(resource["assumeRolePolicy"]):
        trusted = [name for kind, name in statement.principals() if kind == "Service" and name in services]
        if trusted and not statement.condition_keys() & _DEPUTY_KEYS:
            yield Finding(
                f"{statement.label} trusts {statement.shown(trusted[0])} for any account",
                "add the condition aws:SourceAccount",
            )


@catalogue.resource(
    *_ATTACHMENT_TYPES,
    name="iam-no-admin-attachment",
    description="no one gets AWS's policies for administrators",
    severity=Severity.CRITICAL,
    framework=Framework(CIS, "1.16"),
    remediation="Attach a policy with the actions and resources that are needed.",
    url=_LEAST_PRIVILEGE_URL,
    tags=("iam", "checkov:CKV_AWS_274", "cdk-nag:AwsSolutions-IAM4"),
    thresholds={
        "forbiddenPolicies": Threshold(
            ["AdministratorAccess", "PowerUserAccess", "IAMFullAccess", "*FullAccess"],
            _TEXTS,
            "AWS managed policies, by pattern, that nobody gets",
        )
    },
)
def no_admin_attachment(resource: Resource, settings: Settings) -> Iterator[Finding]:
    forbidden = settings.texts("forbiddenPolicies")
    arns = [resource["policyArn"], *resource["managedPolicyArns"].items(), *resource["policyArns"].items()]
    for arn in arns:
        text = arn.text()
        if text is None or ":aws:policy/" not in text:
            continue
        name = text.rsplit("/", 1)[-1]
        if any(fnmatchcase(name, pattern) for pattern in forbidden):
            yield Finding(f"{arn.path} is {arn.shown_part(name)}", "attach a narrower policy")
