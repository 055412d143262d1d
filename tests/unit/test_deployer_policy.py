"""The deployer's policies allow what a stack's life was recorded to need, and little else.

Owns what AWS asks for besides the recorded calls, with its source. `tests/engine/test_deployer_policy.py`
records. Doesn't own IAM's whole evaluation: the policies deny nothing, so a statement that fits allows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import pytest

from tests.aws_actions import action_of
from tests.golden.recordings import recorded

ROOT: Final = Path(__file__).parents[2]
FILES: Final = sorted((ROOT / ".github/deployer-policy").glob("*.json"))
STATEMENTS: Final[list[dict[str, Any]]] = [
    statement for file in FILES for statement in json.loads(file.read_text())["Statement"]
]
RECORDED: Final = {action for actions in recorded("deployer-actions").values() for action in actions}
LONGEST_POLICY: Final = 6144
"""Characters of a managed policy, white space not counted.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""
WITHOUT_PERMISSION: Final = {"sts:GetCallerIdentity"}
"""Nobody needs a permission for it.

Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
"""

REASONS: Final[Mapping[str, str]] = {
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    "ECS and flow logs are given their roles": "iam:PassRole",
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html
    "the first cluster, load balancer or scaling of an account": "iam:CreateServiceLinkedRole",
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-CWL.html
    "flow logs and a web ACL's log are delivered": (
        "logs:CreateLogDelivery logs:DeleteLogDelivery logs:DescribeResourcePolicies logs:PutResourcePolicy"
    ),
    # https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
    "images are pushed by a container engine, which the recorder doesn't hear": (
        "ecr:BatchCheckLayerAvailability ecr:CompleteLayerUpload ecr:InitiateLayerUpload ecr:UploadLayerPart"
    ),
    # https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
    "a repository and a table are encrypted by the stack's key": (
        "kms:CreateGrant kms:Decrypt kms:Encrypt kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext "
        "kms:ReEncryptFrom kms:ReEncryptTo kms:RetireGrant"
    ),
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awswafv2.html
    "a web ACL is associated with a load balancer": "elasticloadbalancing:SetWebACL",
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscertificatemanager.html
    "what is made with tags is tagged": "acm:AddTagsToCertificate application-autoscaling:TagResource",
    "tags are taken away": "acm:RemoveTagsFromCertificate application-autoscaling:UntagResource",
    # https://www.pulumi.com/docs/iac/concepts/state-and-backends/#aws-s3
    "the state is kept": "s3:GetBucketLocation s3:GetObject s3:PutObject",
    "the state's lock, and the logged requests of a bucket that goes": "s3:DeleteObject",
    "former versions of the logged requests": "s3:DeleteObjectVersion",
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html
    "settings change that the recorded life leaves alone": (
        "dynamodb:TagResource dynamodb:UntagResource ec2:ModifySecurityGroupRules ecs:UpdateClusterSettings "
        "elasticloadbalancing:ModifyListenerAttributes elasticloadbalancing:ModifyRule "
        "elasticloadbalancing:SetSecurityGroups sns:SetSubscriptionAttributes"
    ),
    "another release of this project changes a key's policy": "kms:PutKeyPolicy",
}
"""What no recorded life asks for, by what needs it."""
UNRECORDED: Final = {action for actions in REASONS.values() for action in actions.split()}


def listed(value: str | list[str]) -> list[str]:
    """IAM lets a single value stand without its list."""
    return [value] if isinstance(value, str) else value


def fits(statement: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str]) -> bool:
    """Whether a statement allows this."""
    return (
        any(fnmatchcase(action, pattern) for pattern in listed(statement["Action"]))
        and any(fnmatchcase(resource, pattern) for pattern in listed(statement["Resource"]))
        and all(
            any(fnmatchcase(context.get(key, ""), pattern) for pattern in listed(wanted))
            for condition in statement.get("Condition", {}).values()
            for key, wanted in condition.items()
        )
    )


def allowed_patterns() -> Iterator[str]:
    """Each action that a statement names."""
    for statement in STATEMENTS:
        yield from listed(statement["Action"])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_policy_fits_into_a_managed_policy_and_allows_only(file: Path) -> None:
    policy = json.loads(file.read_text())
    assert policy["Version"] == "2012-10-17"
    assert len("".join(file.read_text().split())) <= LONGEST_POLICY
    assert {statement["Effect"] for statement in policy["Statement"]} == {"Allow"}


@pytest.mark.parametrize("action", sorted(RECORDED - WITHOUT_PERMISSION))
def test_every_recorded_action_is_allowed(action: str) -> None:
    assert any(fnmatchcase(action, pattern) for pattern in allowed_patterns())


def test_nothing_is_allowed_that_was_neither_recorded_nor_has_a_reason() -> None:
    known = RECORDED | UNRECORDED
    superfluous = {
        pattern for pattern in allowed_patterns() if not any(fnmatchcase(action, pattern) for action in known)
    }
    assert sorted(superfluous) == []


def test_no_reason_stands_for_what_was_recorded_or_is_not_allowed() -> None:
    assert sorted(UNRECORDED & RECORDED) == []
    assert [each for each in UNRECORDED if not any(fnmatchcase(each, p) for p in allowed_patterns())] == []


def test_wildcards_stand_in_actions_that_only_read() -> None:
    wide = {each.partition(":")[2] for each in allowed_patterns() if "*" in each or "?" in each}
    assert wide == {"Describe*", "GetBucket*"}


OWN_TAGS: Final = {"aws:ResourceTag/Project": "fileflow"}
ROLE: Final = "arn:aws:iam::123456789012:role/"
CLOUDWATCH: Final = "arn:aws:cloudwatch:ap-northeast-2:123456789012:"
EC2: Final = "arn:aws:ec2:ap-northeast-2:123456789012:"
TASKS: Final = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}


@pytest.mark.parametrize(
    ("action", "resource", "context", "allowed"),
    [
        ("iam:CreateRole", f"{ROLE}fileflow-web-api-role-1a2b3c4", {}, True),
        ("iam:CreateRole", f"{ROLE}Admin", {}, False),
        ("iam:PutRolePolicy", f"{ROLE}Admin", {}, False),
        ("iam:UpdateAssumeRolePolicy", f"{ROLE}Admin", {}, False),
        ("iam:PassRole", f"{ROLE}fileflow-web-api-role-1a2b3c4", TASKS, True),
        ("iam:PassRole", f"{ROLE}fileflow-web-api-role-1a2b3c4", {}, False),
        (
            "iam:PassRole",
            f"{ROLE}fileflow-prod-flow-logs-1a2b3c4",
            {"iam:PassedToService": "vpc-flow-logs.amazonaws.com"},
            True,
        ),
        (
            "iam:PassRole",
            f"{ROLE}fileflow-web-api-role-1a2b3c4",
            {"iam:PassedToService": "ec2.amazonaws.com"},
            False,
        ),
        ("iam:PassRole", f"{ROLE}Admin", TASKS, False),
        (
            "iam:AttachRolePolicy",
            f"{ROLE}fileflow-web-api-role-1a2b3c4",
            {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"},
            False,
        ),
        (
            "iam:AttachRolePolicy",
            f"{ROLE}fileflow-web-api-role-1a2b3c4",
            {"iam:PolicyARN": "arn:aws:iam::123456789012:policy/fileflow-files"},
            True,
        ),
        ("iam:CreateUser", "arn:aws:iam::123456789012:user/fileflow-x", {}, False),
        (
            "cloudwatch:PutAlarmMuteRule",
            f"{CLOUDWATCH}alarm-mute-rule:fileflow-scheduler-download-paused-1a2b3c4",
            {},
            True,
        ),
        (
            "cloudwatch:PutAlarmMuteRule",
            f"{CLOUDWATCH}alarm:fileflow-scheduler-download-none-running-1a2b3c4",
            {},
            True,
        ),
        ("cloudwatch:PutAlarmMuteRule", f"{CLOUDWATCH}alarm:somebody-elses", {}, False),
        # Application Auto Scaling's own, which whoever makes the policy has to be allowed to make:
        # https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_id-based-policy-examples.html
        (
            "cloudwatch:PutMetricAlarm",
            f"{CLOUDWATCH}alarm:TargetTracking-service/fileflow-prod/fileflow-web-api-AlarmHigh-1",
            {},
            True,
        ),
        ("ec2:DeleteVpc", f"{EC2}vpc/vpc-1", OWN_TAGS, True),
        ("ec2:DeleteVpc", f"{EC2}vpc/vpc-1", {}, False),
        ("ec2:RunInstances", f"{EC2}instance/*", {"aws:RequestedRegion": "ap-northeast-2"}, False),
        ("ec2:CreateVpc", f"{EC2}vpc/*", {"aws:RequestedRegion": "ap-northeast-2"}, True),
        ("ec2:CreateVpc", f"{EC2}vpc/*", {"aws:RequestedRegion": "us-east-1"}, False),
        ("s3:DeleteBucket", "arn:aws:s3:::others", {}, False),
        ("s3:DeleteBucket", "arn:aws:s3:::fileflow-web-api-access-logs-1a2b3c4", {}, True),
        (
            "ecs:UpdateService",
            "arn:aws:ecs:ap-northeast-2:123456789012:service/fileflow-prod/fileflow-web-api",
            {},
            True,
        ),
        ("ecs:UpdateService", "arn:aws:ecs:ap-northeast-2:123456789012:service/others/web", {}, False),
        ("kms:ScheduleKeyDeletion", "arn:aws:kms:ap-northeast-2:123456789012:key/1", OWN_TAGS, True),
        ("kms:ScheduleKeyDeletion", "arn:aws:kms:ap-northeast-2:123456789012:key/1", {}, False),
        ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:a:1:secret:fileflow/database", {}, False),
    ],
)
def test_what_is_allowed_to_whom(
    action: str, resource: str, context: Mapping[str, str], allowed: bool
) -> None:
    assert any(fits(statement, action, resource, context) for statement in STATEMENTS) is allowed


@pytest.mark.parametrize(
    ("service", "line", "headers", "body", "action"),
    [
        ("ecs", "POST / ", "X-Amz-Target: EC2ContainerService.CreateService", "", "ecs:CreateService"),
        (
            "elasticloadbalancing",
            "POST / ",
            "Content-Type: application/x-www-form-urlencoded; charset=utf-8",
            "Action=CreateRule&Version=2015-12-01",
            "elasticloadbalancing:CreateRule",
        ),
        (
            "monitoring",
            "POST /service/GraniteServiceVersion20100801/operation/PutMetricAlarm ",
            "smithy-protocol: rpc-v2-cbor",
            "",
            "cloudwatch:PutMetricAlarm",
        ),
        ("s3", "PUT /logs?encryption ", "A: b", "<a/>", "s3:PutEncryptionConfiguration"),
        ("s3", "HEAD /logs ", "A: b", "", "s3:ListBucket"),
        ("s3", "PUT /logs ", "A: b", "", "s3:CreateBucket"),
        ("s3", "PUT /logs/a/b?x-id=PutObject ", "A: b", "", "s3:PutObject"),
        ("s3", "GET /logs/?list-type=2&prefix=a ", "A: b", "", "s3:ListBucket"),
        ("route53", "POST /2013-04-01/hostedzone/Z1/rrset/ ", "A: b", "", "route53:ChangeResourceRecordSets"),
    ],
)  # fmt: skip
def test_a_request_says_which_action_it_needs(
    service: str, line: str, headers: str, body: str, action: str
) -> None:
    signature = f"Authorization: AWS4-HMAC-SHA256 Credential=123456789012/20261130/ap-northeast-2/{service}/aws4_request, SignedHeaders=host"  # noqa: E501 as it is sent
    request = f"{line}HTTP/1.1\r\nHost: aws\r\n{signature}\r\n{headers}\r\n\r\n{body}"
    assert action_of(request.encode()) == action


def test_a_request_that_says_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="isn't signed"):
        action_of(b"GET / HTTP/1.1\r\nHost: aws\r\n\r\n")
