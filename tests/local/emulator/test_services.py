"""The other services of the emulated AWS: what is put comes back."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from local.emulator import process
from tests.local.emulator.aws import REGION, Client, assert_contains, refusal

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        }
    ],
}
PUBLISH = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["sns:Publish"], "Resource": "*"}],
}
TAGS = [{"Key": "Project", "Value": "fileflow"}]
IMMUTABLE: dict[str, Any] = {
    "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
    "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "*latest"}],
    "imageScanningConfiguration": {"scanOnPush": True},
    "encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": "arn:aws:kms:x:1:key/1"},
}


@pytest.fixture
def ecr(client: Client) -> Any:
    ecr = client("ecr")
    ecr.create_repository(repositoryName="fileflow", tags=TAGS, **IMMUTABLE)
    return ecr


def push(ecr: Any, content: str, tag: str | None = None) -> str:
    manifest = json.dumps({"schemaVersion": 2, "content": content})
    named = {"imageTag": tag} if tag else {}
    image = ecr.put_image(repositoryName="fileflow", imageManifest=manifest, **named)["image"]
    digest: str = image["imageId"]["imageDigest"]
    assert digest == "sha256:" + hashlib.sha256(manifest.encode()).hexdigest()
    return digest


def test_a_repository_comes_back_whole(ecr: Any, account: str) -> None:
    (repository,) = ecr.describe_repositories(repositoryNames=["fileflow"])["repositories"]
    assert_contains(repository, IMMUTABLE)
    assert repository["repositoryUri"] == f"{account}.dkr.ecr.{REGION}.amazonaws.com/fileflow"
    assert ecr.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"] == TAGS
    ecr.put_image_tag_mutability(repositoryName="fileflow", imageTagMutability="MUTABLE")
    (repository,) = ecr.describe_repositories(repositoryNames=["fileflow"])["repositories"]
    assert repository["imageTagMutability"] == "MUTABLE"
    assert "imageTagMutabilityExclusionFilters" not in repository


def test_a_version_stays_on_its_image_while_latest_moves(ecr: Any) -> None:
    first = push(ecr, "1", "web-api-1.0")
    push(ecr, "1", "latest")
    code, message = refusal(push, ecr, "2", "web-api-1.0")
    assert code == "ImageTagAlreadyExistsException"
    assert "immutable" in message
    second = push(ecr, "2", "latest")
    found = ecr.batch_get_image(
        repositoryName="fileflow", imageIds=[{"imageTag": "latest"}, {"imageTag": "web-api-1.0"}]
    )["images"]
    assert [image["imageId"] for image in found] == [
        {"imageDigest": second, "imageTag": "latest"},
        {"imageDigest": first, "imageTag": "web-api-1.0"},
    ]
    (described,) = ecr.describe_images(repositoryName="fileflow", imageIds=[{"imageDigest": first}])[
        "imageDetails"
    ]
    assert described["imageTags"] == ["web-api-1.0"]


def test_a_push_is_refused_where_put_image_is(
    ecr: Any, emulator: process.RunningEmulator, account: str
) -> None:
    def pushed(content: str, tag: str) -> int:
        registry = f"{account}.dkr.ecr.{REGION}.amazonaws.com"
        request = urllib.request.Request(
            f"{emulator.url}/v2/fileflow/manifests/{tag}",
            data=content.encode(),
            headers={"Host": registry, "Content-Type": "application/vnd.oci.image.manifest.v1+json"},
            method="PUT",
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            assert json.load(error)["errors"][0]["code"] == "TAG_INVALID"
            return error.code

    assert [pushed("1", "web-api-1.0"), pushed("1", "web-api-1.0"), pushed("2", "web-api-1.0")] == [
        201,
        201,
        400,
    ]
    assert [pushed("1", "latest"), pushed("2", "latest")] == [201, 201]
    tags = {
        tuple(each["imageTags"]) for each in ecr.describe_images(repositoryName="fileflow")["imageDetails"]
    }
    assert tags == {("web-api-1.0",), ("latest",)}


def test_the_same_image_under_the_same_tag_is_refused_and_says_so(ecr: Any) -> None:
    push(ecr, "1", "latest")
    assert refusal(push, ecr, "1", "latest")[0] == "ImageAlreadyExistsException"
    other = f"sha256:{'0' * 64}"
    wrong = refusal(ecr.put_image, repositoryName="fileflow", imageManifest="{}", imageDigest=other)
    assert wrong[0] == "ImageDigestDoesNotMatchException"


def test_an_image_goes_with_its_last_tag(ecr: Any) -> None:
    push(ecr, "1", "web-api-1.0")
    push(ecr, "1", "latest")
    bare = push(ecr, "2")
    ecr.batch_delete_image(repositoryName="fileflow", imageIds=[{"imageTag": "latest"}])
    assert len(ecr.describe_images(repositoryName="fileflow")["imageDetails"]) == 2
    ecr.batch_delete_image(repositoryName="fileflow", imageIds=[{"imageTag": "web-api-1.0"}])
    (left,) = ecr.describe_images(repositoryName="fileflow")["imageDetails"]
    assert left["imageDigest"] == bare
    missing = refusal(ecr.describe_images, repositoryName="fileflow", imageIds=[{"imageTag": "latest"}])
    assert missing[0] == "ImageNotFoundException"
    assert refusal(ecr.delete_repository, repositoryName="fileflow")[0] == "RepositoryNotEmptyException"
    ecr.delete_repository(repositoryName="fileflow", force=True)


@pytest.mark.parametrize(
    "change",
    [
        {"imageTagMutability": "IMMUTABLE"},
        {"imageTagMutabilityExclusionFilters": None},
        {"imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "a b"}]},
    ],
    ids=["no-exclusion", "no-filter", "bad-filter"],
)
def test_exclusion_filters_that_do_not_fit_are_refused(client: Client, change: dict[str, Any]) -> None:
    request = {"repositoryName": "other"} | IMMUTABLE | change
    request = {name: value for name, value in request.items() if value is not None}
    assert refusal(client("ecr").create_repository, **request)[0] == "InvalidParameterException"


def test_a_lifecycle_policy_and_a_repository_policy_come_back(ecr: Any) -> None:
    rules = {
        "rules": [
            {
                "rulePriority": 1,
                "description": "keep the last versions of the web API",
                "selection": {
                    "tagStatus": "tagged",
                    "tagPrefixList": ["web-api-"],
                    "countType": "imageCountMoreThan",
                    "countNumber": 20,
                },
                "action": {"type": "expire"},
            }
        ]
    }
    missing = refusal(ecr.get_lifecycle_policy, repositoryName="fileflow")
    assert missing[0] == "LifecyclePolicyNotFoundException"
    ecr.put_lifecycle_policy(repositoryName="fileflow", lifecyclePolicyText=json.dumps(rules))
    assert json.loads(ecr.get_lifecycle_policy(repositoryName="fileflow")["lifecyclePolicyText"]) == rules
    ecr.set_repository_policy(repositoryName="fileflow", policyText=json.dumps(PUBLISH))
    assert json.loads(ecr.get_repository_policy(repositoryName="fileflow")["policyText"]) == PUBLISH
    tokens = [ecr.get_authorization_token()["authorizationData"][0] for _ in range(2)]
    assert tokens[0]["proxyEndpoint"].startswith("https://")
    assert tokens[0]["authorizationToken"] != tokens[1]["authorizationToken"]


def test_a_role_comes_back_whole(client: Client, account: str) -> None:
    iam = client("iam")
    boundary = iam.create_policy(PolicyName="publish", PolicyDocument=json.dumps(PUBLISH))["Policy"]["Arn"]
    sent = {"RoleName": "work", "Path": "/svc/", "Description": "d", "MaxSessionDuration": 7200, "Tags": TAGS}
    iam.create_role(AssumeRolePolicyDocument=json.dumps(TRUST), PermissionsBoundary=boundary, **sent)
    iam.put_role_policy(RoleName="work", PolicyName="inline", PolicyDocument=json.dumps(PUBLISH))
    managed = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    iam.attach_role_policy(RoleName="work", PolicyArn=managed)
    role = iam.get_role(RoleName="work")["Role"]
    assert_contains(role, sent)
    assert role["Arn"] == f"arn:aws:iam::{account}:role/svc/work"
    assert role["AssumeRolePolicyDocument"] == TRUST
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    assert iam.get_role_policy(RoleName="work", PolicyName="inline")["PolicyDocument"] == PUBLISH
    attached = iam.list_attached_role_policies(RoleName="work")["AttachedPolicies"]
    assert [policy["PolicyArn"] for policy in attached] == [managed]
    assert refusal(iam.delete_role, RoleName="work")[0] == "DeleteConflict"


def test_a_secret_comes_back_and_waits_for_its_end(client: Client) -> None:
    secrets = client("secretsmanager")
    secrets.create_secret(Name="fileflow/db", Description="d", SecretString='{"password": "x"}', Tags=TAGS)
    described = secrets.describe_secret(SecretId="fileflow/db")
    assert_contains(described, {"Name": "fileflow/db", "Description": "d", "Tags": TAGS})
    secrets.put_secret_value(SecretId="fileflow/db", SecretString='{"password": "y"}')
    assert json.loads(secrets.get_secret_value(SecretId="fileflow/db")["SecretString"]) == {"password": "y"}
    secrets.delete_secret(SecretId="fileflow/db", RecoveryWindowInDays=7)
    assert refusal(secrets.get_secret_value, SecretId="fileflow/db")[0] == "InvalidRequestException"


def test_a_key_and_its_alias_come_back(client: Client) -> None:
    kms = client("kms")
    key = kms.create_key(Description="logs", Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]["KeyId"]
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=180)
    kms.create_alias(AliasName="alias/logs", TargetKeyId=key)
    assert kms.describe_key(KeyId="alias/logs")["KeyMetadata"]["Description"] == "logs"
    assert kms.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 180
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_a_topic_and_its_subscription_come_back(client: Client) -> None:
    sns = client("sns")
    attributes = {"DisplayName": "alerts", "KmsMasterKeyId": "alias/aws/sns", "SignatureVersion": "2"}
    topic = sns.create_topic(Name="alerts", Attributes=attributes, Tags=TAGS)["TopicArn"]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(PUBLISH))
    got = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert_contains(got, attributes)
    assert json.loads(got["Policy"]) == PUBLISH
    subscription = sns.subscribe(
        TopicArn=topic, Protocol="email", Endpoint="ops@example.com", ReturnSubscriptionArn=True
    )["SubscriptionArn"]
    shown = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    assert_contains(shown, {"Protocol": "email", "Endpoint": "ops@example.com", "TopicArn": topic})


def test_a_subscription_that_waits_for_its_confirmation_is_named_where_that_is_asked_for(
    client: Client,
) -> None:
    sns = client("sns")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    asked = {"TopicArn": topic, "Protocol": "https"}
    named = sns.subscribe(**asked, Endpoint="https://a.example.com/", ReturnSubscriptionArn=True)
    unnamed = sns.subscribe(**asked, Endpoint="https://b.example.com/")

    assert unnamed["SubscriptionArn"] == "pending confirmation"
    shown = sns.get_subscription_attributes(SubscriptionArn=named["SubscriptionArn"])["Attributes"]
    assert_contains(shown, {"Endpoint": "https://a.example.com/", "PendingConfirmation": "true"})


def test_a_rule_comes_back_and_is_kept_while_it_has_targets(client: Client) -> None:
    events, topic = client("events"), f"arn:aws:sns:{REGION}:646886795421:alerts"
    pattern = {"source": ["aws.ecs"], "detail": {"eventName": ["SERVICE_DEPLOYMENT_FAILED"]}}
    events.put_rule(
        Name="failed", EventPattern=json.dumps(pattern), Description="d", State="ENABLED", Tags=TAGS
    )
    rule = events.describe_rule(Name="failed")
    assert json.loads(rule["EventPattern"]) == pattern
    target = {
        "Id": "1",
        "Arn": topic,
        "InputTransformer": {"InputPathsMap": {"reason": "$.detail.reason"}, "InputTemplate": '"<reason>"'},
        "RetryPolicy": {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 60},
    }
    events.put_targets(Rule="failed", Targets=[target])
    assert events.list_targets_by_rule(Rule="failed")["Targets"] == [target]
    assert refusal(events.delete_rule, Name="failed")[0] == "ValidationException"
    events.remove_targets(Rule="failed", Ids=["1"])
    events.delete_rule(Name="failed")


def test_a_bucket_keeps_its_settings(client: Client, account: str) -> None:
    s3, bucket = client("s3"), f"logs-{account}"
    where = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=where, ObjectOwnership="BucketOwnerEnforced")
    block = dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(PUBLISH))
    rules = [{"ID": "x", "Status": "Enabled", "Filter": {"Prefix": "AWSLogs/"}, "Expiration": {"Days": 90}}]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == block
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == PUBLISH
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == rules
    (owner,) = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert owner["ObjectOwnership"] == "BucketOwnerEnforced"
    (encryption,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert encryption["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_the_access_key_is_the_account(client: Client, account: str) -> None:
    assert client("sts").get_caller_identity()["Account"] == account
    assert client("sts", account="646886795421").get_caller_identity()["Account"] == "646886795421"
