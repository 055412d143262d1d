"""ECR: repositories, their lifecycle and access policies.

Sources of what replaces and of the defaults: `ForceNew` and `Default` in repository.go, lifecycle_policy.go
and repository_policy.go of
https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/ecr
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from ..modelled import Ask, Modelled, Tags
from ..naming import AutoName
from ..places import Places
from ..resource import Inputs, Resource

_NO_REPOSITORY: Final = "RepositoryNotFoundException"
_SCANNING: Final = "imageScanningConfiguration"


class Repository(Modelled):
    token = "aws:ecr/repository:Repository"
    service = "ecr"
    made_by = Ask("CreateRepository", "repository")
    read_by = (Ask("DescribeRepositories", "repositories"),)
    changed_by = (Ask("PutImageTagMutability", whole=True), Ask("PutImageScanningConfiguration"))
    deleted_by = Ask("DeleteRepository")
    tags = Tags()
    places = Places(
        noun="repository",
        named={
            "encryptionConfigurations": "encryptionConfiguration",
            "forceDelete": "force",
            "repositoryUrl": "repositoryUri",
        },
    )
    replacing = frozenset({"encryptionConfigurations", "name"})
    auto_name = AutoName(max_length=256, lower=True)
    defaults = MappingProxyType({"imageTagMutability": "MUTABLE"})
    when_absent = MappingProxyType({"encryptionConfigurations": [{"encryptionType": "AES256"}]})
    kept = frozenset({"forceDelete"})
    missing = frozenset({_NO_REPOSITORY})

    def shaped(self, inputs: Inputs) -> Mapping[str, Any]:
        # Without the block nothing is scanned, which ECR wants to be told.
        return {**inputs, _SCANNING: inputs.get(_SCANNING) or {"scanOnPush": False}}


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


class LifecyclePolicy(Modelled):
    token = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
    service = "ecr"
    key = "repository"
    made_by = Ask("PutLifecyclePolicy")
    read_by = (Ask("GetLifecyclePolicy"),)
    deleted_by = Ask("DeleteLifecyclePolicy")
    places = Places(named={"policy": "lifecyclePolicyText", "repository": "repositoryName"})
    replacing = frozenset({"policy", "repository"})
    documents = frozenset({"policy"})
    same = MappingProxyType({"policy": same_lifecycle})
    delete_before_replace = True
    missing = frozenset({_NO_REPOSITORY, "LifecyclePolicyNotFoundException"})


class RepositoryPolicy(Modelled):
    token = "aws:ecr/repositoryPolicy:RepositoryPolicy"
    service = "ecr"
    key = "repository"
    made_by = Ask("SetRepositoryPolicy")
    read_by = (Ask("GetRepositoryPolicy"),)
    changed_by = (made_by,)
    deleted_by = Ask("DeleteRepositoryPolicy")
    places = Places(named={"policy": "policyText", "repository": "repositoryName"})
    replacing = frozenset({"repository"})
    policies = frozenset({"policy"})
    missing = frozenset({_NO_REPOSITORY, "RepositoryPolicyNotFoundException"})


RESOURCES: tuple[Resource, ...] = (Repository(), LifecyclePolicy(), RepositoryPolicy())
