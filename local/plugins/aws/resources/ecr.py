"""ECR: repositories, their lifecycle and access policies.

Sources of what replaces and of the defaults: `ForceNew` and `Default` in repository.go, lifecycle_policy.go
and repository_policy.go of
https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/ecr
"""

from __future__ import annotations

import json
from typing import Any, Final

from ..modelled import Ask, Modelled
from ..naming import AutoName
from ..resource import Inputs, facts, names, pairs

_SCANNING: Final = "imageScanningConfiguration"


class Repository(Modelled):
    token = "aws:ecr/repository:Repository"
    made_by = Ask("CreateRepository", "repository")
    read_by = (Ask("DescribeRepositories", "repositories"),)
    changed_by = (Ask("PutImageTagMutability", whole=True), Ask("PutImageScanningConfiguration"))
    deleted_by = Ask("DeleteRepository")
    noun = "repository"
    named = pairs("forceDelete=force repositoryUrl=repositoryUri")
    replacing = names("encryptionConfigurations name")
    auto_name = AutoName(max_length=256, lower=True)
    defaults = facts(imageTagMutability="MUTABLE")
    when_absent = facts(encryptionConfigurations=[{"encryptionType": "AES256"}])

    def shaped(self, inputs: Inputs) -> Inputs:
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
    key = "repository"
    made_by = Ask("PutLifecyclePolicy")
    read_by = (Ask("GetLifecyclePolicy"),)
    deleted_by = Ask("DeleteLifecyclePolicy")
    named = pairs("policy=lifecyclePolicyText repository=repositoryName")
    replacing = names("policy repository")
    documents = names("policy")
    same = facts(policy=same_lifecycle)
    delete_before_replace = True


class RepositoryPolicy(Modelled):
    token = "aws:ecr/repositoryPolicy:RepositoryPolicy"
    key = "repository"
    made_by = Ask("SetRepositoryPolicy")
    read_by = (Ask("GetRepositoryPolicy"),)
    changed_by = (made_by,)
    deleted_by = Ask("DeleteRepositoryPolicy")
    named = pairs("policy=policyText repository=repositoryName")
    replacing = names("repository")
    policies = names("policy")
