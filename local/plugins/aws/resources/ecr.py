"""ECR: repositories, their lifecycle and access policies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..naming import AutoName
from ..resource import Call, Inputs, Resource, State, tag_changes, tag_list, tag_map, without_none
from .calls import touched, unless_absent

_NO_REPOSITORY = "RepositoryNotFoundException"


def same_lifecycle(left: Any, right: Any) -> bool:
    """The same rules, in the order of their priorities; the order in which a rule lists tags says nothing."""
    return bool(_rules(left) == _rules(right))


def _rules(text: Any) -> Any:
    try:
        document = json.loads(text)
        rules = sorted(document["rules"], key=lambda rule: int(rule["rulePriority"]))
    except (ValueError, TypeError, KeyError):
        return text
    for rule in rules:
        for name in ("tagPrefixList", "tagPatternList"):
            if isinstance(rule.get("selection", {}).get(name), list):
                rule["selection"][name] = sorted(rule["selection"][name])
    return rules


class Repository(Resource):
    token = "aws:ecr/repository:Repository"
    auto_name = AutoName(max_length=256, lower=True)
    defaults = MappingProxyType({"imageTagMutability": "MUTABLE"})
    when_absent = MappingProxyType({"encryptionConfigurations": [{"encryptionType": "AES256"}]})
    kept = frozenset({"forceDelete"})
    missing = frozenset({_NO_REPOSITORY})

    def create(self, call: Call, inputs: Inputs) -> str:
        encryption = next(iter(inputs.get("encryptionConfigurations") or []), None)
        call.client("ecr").create_repository(
            repositoryName=inputs["name"],
            tags=tag_list(inputs.get("tags")),
            **without_none(
                imageTagMutability=inputs.get("imageTagMutability"),
                imageTagMutabilityExclusionFilters=inputs.get("imageTagMutabilityExclusionFilters"),
                imageScanningConfiguration=inputs.get("imageScanningConfiguration"),
                encryptionConfiguration=encryption
                and without_none(
                    encryptionType=encryption.get("encryptionType") or "AES256",
                    kmsKey=encryption.get("kmsKey") or None,
                ),
            ),
        )
        return str(inputs["name"])

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        ecr = call.client("ecr")
        repository = ecr.describe_repositories(repositoryNames=[resource_id])["repositories"][0]
        encryption = repository.get("encryptionConfiguration") or {}
        scanning = repository.get("imageScanningConfiguration") or {}
        tags = ecr.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"]
        return {
            "arn": repository["repositoryArn"],
            "name": repository["repositoryName"],
            "registryId": repository["registryId"],
            "repositoryUrl": repository["repositoryUri"],
            "imageTagMutability": repository.get("imageTagMutability", "MUTABLE"),
            "imageTagMutabilityExclusionFilters": list(
                repository.get("imageTagMutabilityExclusionFilters") or []
            ),
            "imageScanningConfiguration": {"scanOnPush": bool(scanning.get("scanOnPush"))},
            "encryptionConfigurations": [
                {
                    "encryptionType": encryption.get("encryptionType", "AES256"),
                    "kmsKey": encryption.get("kmsKey", ""),
                }
            ],
            "tagsAll": tag_map(tags),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        ecr = call.client("ecr")
        if touched(changed, "imageTagMutability", "imageTagMutabilityExclusionFilters"):
            ecr.put_image_tag_mutability(
                repositoryName=resource_id,
                imageTagMutability=new.get("imageTagMutability") or "MUTABLE",
                **without_none(
                    imageTagMutabilityExclusionFilters=new.get("imageTagMutabilityExclusionFilters")
                ),
            )
        if touched(changed, "imageScanningConfiguration"):
            scanning = new.get("imageScanningConfiguration") or {"scanOnPush": False}
            ecr.put_image_scanning_configuration(
                repositoryName=resource_id, imageScanningConfiguration=scanning
            )
        wanted, surplus = tag_changes(old, new)
        if surplus:
            ecr.untag_resource(resourceArn=old["arn"], tagKeys=surplus)
        if wanted:
            ecr.tag_resource(resourceArn=old["arn"], tags=tag_list(wanted))
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        call.client("ecr").delete_repository(
            repositoryName=resource_id, force=bool(state.get("forceDelete", False))
        )


class LifecyclePolicy(Resource):
    token = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
    documents = frozenset({"policy"})
    same = MappingProxyType({"policy": same_lifecycle})
    delete_before_replace = True
    missing = frozenset({_NO_REPOSITORY, "LifecyclePolicyNotFoundException"})

    def create(self, call: Call, inputs: Inputs) -> str:
        call.client("ecr").put_lifecycle_policy(
            repositoryName=inputs["repository"], lifecyclePolicyText=inputs["policy"]
        )
        return str(inputs["repository"])

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        answer = call.client("ecr").get_lifecycle_policy(repositoryName=resource_id)
        return {
            "repository": answer["repositoryName"],
            "registryId": answer.get("registryId") or call.aws.account_id,
            "policy": answer["lifecyclePolicyText"],
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        self.create(call, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        call.client("ecr").delete_lifecycle_policy(repositoryName=resource_id)


class RepositoryPolicy(Resource):
    token = "aws:ecr/repositoryPolicy:RepositoryPolicy"
    policies = frozenset({"policy"})
    missing = frozenset({_NO_REPOSITORY, "RepositoryPolicyNotFoundException"})

    def create(self, call: Call, inputs: Inputs) -> str:
        call.client("ecr").set_repository_policy(
            repositoryName=inputs["repository"], policyText=inputs["policy"]
        )
        return str(inputs["repository"])

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        answer = call.client("ecr").get_repository_policy(repositoryName=resource_id)
        return {
            "repository": answer["repositoryName"],
            "registryId": answer.get("registryId") or call.aws.account_id,
            "policy": answer["policyText"],
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        self.create(call, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        unless_absent(
            lambda: call.client("ecr").delete_repository_policy(repositoryName=resource_id), *self.missing
        )


RESOURCES: tuple[Resource, ...] = (Repository(), LifecyclePolicy(), RepositoryPolicy())
