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

IMMUTABLE: dict[str, Any] = {
    "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
    "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "*latest"}],
    "imageScanningConfiguration": {"scanOnPush": True},
    "encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": "arn:aws:kms:x:1:key/1"},
}


@pytest.fixture
def ecr(client: Client) -> Any:
    ecr = client("ecr")
    ecr.create_repository(repositoryName="fileflow", **IMMUTABLE)
    return ecr


def push(ecr: Any, content: str, tag: str | None = None) -> str:
    manifest = json.dumps({"schemaVersion": 2, "content": content})
    named = {"imageTag": tag} if tag else {}
    image = ecr.put_image(repositoryName="fileflow", imageManifest=manifest, **named)["image"]
    digest: str = image["imageId"]["imageDigest"]
    assert digest == "sha256:" + hashlib.sha256(manifest.encode()).hexdigest()
    return digest


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


def test_an_image_goes_with_its_last_tag(ecr: Any) -> None:
    push(ecr, "1", "web-api-1.0")
    push(ecr, "1", "latest")
    bare = push(ecr, "2")
    ecr.batch_delete_image(repositoryName="fileflow", imageIds=[{"imageTag": "latest"}])
    assert len(ecr.describe_images(repositoryName="fileflow")["imageDetails"]) == 2
    ecr.batch_delete_image(repositoryName="fileflow", imageIds=[{"imageTag": "web-api-1.0"}])
    (image,) = ecr.describe_images(repositoryName="fileflow")["imageDetails"]
    assert image["imageDigest"] == bare
    missing = [{"imageTag": "latest"}]
    code, _ = refusal(ecr.describe_images, repositoryName="fileflow", imageIds=missing)
    assert code == "ImageNotFoundException"
    [failure] = ecr.batch_get_image(repositoryName="fileflow", imageIds=missing)["failures"]
    assert failure["failureCode"] == "ImageNotFound"
    assert refusal(ecr.delete_repository, repositoryName="fileflow")[0] == "RepositoryNotEmptyException"
    ecr.delete_repository(repositoryName="fileflow", force=True)


def test_exclusion_filters_that_do_not_fit_are_refused(ecr: Any) -> None:
    excluding = IMMUTABLE["imageTagMutability"]
    some = IMMUTABLE["imageTagMutabilityExclusionFilters"]
    for mutability, filters in (
        ("IMMUTABLE", {"imageTagMutabilityExclusionFilters": some}),
        (excluding, {}),
        (excluding, {"imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "a b"}]}),
    ):
        request = {"repositoryName": "other", "imageTagMutability": mutability, **filters}
        assert refusal(ecr.create_repository, **request)[0] == "InvalidParameterException"


def test_each_token_of_the_registry_is_another_one(ecr: Any) -> None:
    tokens = [ecr.get_authorization_token()["authorizationData"][0] for _ in range(2)]
    assert tokens[0]["proxyEndpoint"].startswith("https://")
    assert tokens[0]["authorizationToken"] != tokens[1]["authorizationToken"]


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


def test_a_rule_is_kept_while_it_has_targets(client: Client) -> None:
    events = client("events")
    events.put_rule(Name="failed", EventPattern='{"source": ["aws.ecs"]}')
    targets = [{"Id": "1", "Arn": f"arn:aws:sns:{REGION}:646886795421:alerts"}]
    events.put_targets(Rule="failed", Targets=targets)
    assert refusal(events.delete_rule, Name="failed")[0] == "ValidationException"
    events.remove_targets(Rule="failed", Ids=["1"])
    events.delete_rule(Name="failed")


def test_the_access_key_is_the_account(client: Client, account: str) -> None:
    assert client("sts").get_caller_identity()["Account"] == account
    assert client("sts", account="646886795421").get_caller_identity()["Account"] == "646886795421"
