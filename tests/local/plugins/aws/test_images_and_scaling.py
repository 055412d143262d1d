"""ECR types and functions, and Application Auto Scaling."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.plugins.aws.resources.ecr import same_lifecycle
from tests.local.plugins.aws.case import Aws
from tests.local.plugins.aws.cases_scaling import scaled
from tests.local.plugins.aws.life import Life
from tests.local.plugins.aws.plugin import Plugin, RefusedError


def lifecycle(*prefixes: str, keep: int = 10, priority: int = 1) -> str:
    selection = {
        "tagStatus": "tagged",
        "tagPrefixList": list(prefixes),
        "countType": "imageCountMoreThan",
        "countNumber": keep,
    }
    rule = {"rulePriority": priority, "selection": selection, "action": {"type": "expire"}}
    return json.dumps({"rules": [rule]})


def push(ecr: Any, repository: str, tag: str, size: int = 2) -> str:
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": "sha256:" + "a" * 64,
            "size": size,
        },
        "layers": [],
    }
    answer = ecr.put_image(repositoryName=repository, imageManifest=json.dumps(manifest), imageTag=tag)
    return str(answer["image"]["imageId"]["imageDigest"])


def test_a_repository_with_images_is_deleted_by_force_only(plugin: Plugin, aws: Aws) -> None:
    repository = Life(plugin, "ecr/repository:Repository", "Shop")
    assert repository.id.startswith("shop-")
    place = f".dkr.ecr.ap-northeast-2.amazonaws.com/{repository.id}"
    assert repository.outputs["repositoryUrl"].endswith(place)
    push(aws("ecr"), repository.id, "1")
    with pytest.raises(RefusedError, match="DeleteRepository: RepositoryNotEmptyException"):
        plugin.delete(repository.token, repository.outputs)
    repository.change(forceDelete=True)
    repository.delete()


def test_a_lifecycle_policy_lives_with_its_repository(plugin: Plugin, aws: Aws) -> None:
    repository = Life(plugin, "ecr/repository:Repository", name="shop")
    policy = Life(plugin, "ecr/lifecyclePolicy:LifecyclePolicy", repository="shop", policy=lifecycle("web-"))
    assert policy.replaced_by(policy=lifecycle("web-", keep=5)) == ["policy"]
    policy.replace(policy=lifecycle("web-", keep=5))
    kept = aws("ecr").get_lifecycle_policy(repositoryName="shop")["lifecyclePolicyText"]
    assert kept == lifecycle("web-", keep=5)
    assert policy.outputs["policy"] == policy.arguments["policy"]
    aws("ecr").put_lifecycle_policy(repositoryName="shop", lifecyclePolicyText=lifecycle("web-", keep=3))
    assert "policy" in plugin.diff(policy.token, policy.refreshed()[0], policy.inputs, policy.inputs).changes
    policy.delete()
    repository.delete()


def test_a_lifecycle_policy_is_compared_by_its_rules() -> None:
    assert same_lifecycle(lifecycle("a", "b"), lifecycle("b", "a"))
    assert same_lifecycle(lifecycle("a"), json.dumps(json.loads(lifecycle("a")), indent=2))
    assert not same_lifecycle(lifecycle("a"), lifecycle("a", keep=1))


def test_a_repository_policy_is_compared_by_meaning(plugin: Plugin) -> None:
    Life(plugin, "ecr/repository:Repository", name="shop")

    def allow(actions: list[str]) -> str:
        statement = {"Sid": "pull", "Effect": "Allow", "Principal": "*", "Action": actions}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    policy = Life(
        plugin,
        "ecr/repositoryPolicy:RepositoryPolicy",
        repository="shop",
        policy=allow(["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]),
    )
    turned = {**policy.inputs, "policy": allow(["ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"])}
    assert plugin.diff(policy.token, policy.outputs, policy.inputs, turned).changes == {}
    policy.change(policy=allow(["ecr:BatchGetImage"]))
    policy.delete()


def test_images_and_credentials_are_found(plugin: Plugin, aws: Aws, account: str) -> None:
    Life(plugin, "ecr/repository:Repository", name="shop")
    first = push(aws("ecr"), "shop", "1", size=2)
    push(aws("ecr"), "shop", "2", size=3)
    image = plugin.invoke("aws:ecr/getImage:getImage", {"repositoryName": "shop", "imageTag": "1"})
    assert image["imageDigest"] == first
    assert image["imageUri"] == f"{account}.dkr.ecr.ap-northeast-2.amazonaws.com/shop@{first}"
    with pytest.raises(RefusedError, match="2 images of repository 'shop' match"):
        plugin.invoke("aws:ecr/getImage:getImage", {"repositoryName": "shop"})
    token = plugin.invoke("aws:ecr/getAuthorizationToken:getAuthorizationToken", {})
    assert token["userName"] == "AWS"
    assert token["password"]


# --- scaling


def test_a_scheduled_action_is_changed_and_deleted_but_not_imported(plugin: Plugin, aws: Aws) -> None:
    action = Life(
        plugin,
        "appautoscaling/scheduledAction:ScheduledAction",
        "night",
        **scaled(aws),
        schedule="cron(0 22 * * ? *)",
        scalableTargetAction={"minCapacity": 0, "maxCapacity": 0},
    )
    action.change(timezone="Asia/Seoul")
    action.change(scalableTargetAction={"minCapacity": 1, "maxCapacity": 2})
    with pytest.raises(RefusedError, match="can't import a scheduled action"):
        plugin.read(action.token, action.id)
    action.delete()


def test_an_import_id_that_is_too_short_is_refused(plugin: Plugin) -> None:
    with pytest.raises(RefusedError, match="isn't of the form serviceNamespace/resourceId/scalableDimension"):
        plugin.read("aws:appautoscaling/target:Target", "ecs")
