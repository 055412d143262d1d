"""`awsx:ecr:Repository`: a repository with a lifecycle policy of rules for tagged and for untagged images."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from local.plugins.awsx.values import ComponentError, Constructed, aws_arguments, only, plain

TYPE = "awsx:ecr:Repository"
_ARGUMENTS = (
    "encryptionConfigurations",
    "forceDelete",
    "imageScanningConfiguration",
    "imageTagMutability",
    "imageTagMutabilityExclusionFilters",
    "lifecyclePolicy",
    "name",
    "tags",
)


async def construct(name: str, inputs: Mapping[str, Any], options: pulumi.ResourceOptions) -> Constructed:
    """Register the component and its children; raises ComponentError for what isn't stood in for."""
    component = pulumi.ComponentResource(TYPE, name, None, options)
    child = pulumi.ResourceOptions(parent=component)
    only(TYPE, inputs, _ARGUMENTS)
    lifecycle = plain("lifecyclePolicy", inputs.get("lifecyclePolicy")) or {}
    only("lifecyclePolicy", lifecycle, ("rules",))
    if "rules" not in lifecycle:
        raise ComponentError(
            "the local stand-in for awsx makes a repository with lifecyclePolicy.rules alone; "
            "give them or install the real awsx plugin"
        )
    repository = aws.ecr.Repository(name.lower(), opts=child, **aws_arguments(aws.ecr.RepositoryArgs, inputs))
    # Text rather than an object: the SDK can't take an object back as this resource's output.
    policy = aws.ecr.LifecyclePolicy(
        name.lower(),
        repository=repository.name,
        policy=pulumi.Output.from_input(lifecycle["rules"]).apply(lifecycle_document),
        opts=child,
    )
    outputs: dict[str, Any] = {"repository": repository, "lifecyclePolicy": policy}
    component.register_outputs(outputs)
    return Constructed(component.urn, {**outputs, "url": repository.repository_url})


def lifecycle_document(rules: Sequence[Mapping[str, Any]]) -> str:
    """Return ECR's lifecycle policy for rules of the component, as JSON, with their order as priorities."""
    return json.dumps({"rules": [_rule(rule, priority) for priority, rule in enumerate(rules, start=1)]})


def _rule(rule: Mapping[str, Any], priority: int) -> dict[str, Any]:
    if rule["tagStatus"] == "untagged":
        selection: dict[str, Any] = {"tagStatus": "untagged"}
    elif rule["tagStatus"] == "tagged" and rule.get("tagPrefixList"):
        selection = {"tagStatus": "tagged", "tagPrefixList": rule["tagPrefixList"]}
    else:
        raise ComponentError(
            f"lifecyclePolicy rule {priority} has to select untagged images, or tagged ones by its "
            "tagPrefixList: the local stand-in for awsx knows no other"
        )
    if rule.get("maximumNumberOfImages") is not None:
        selection |= {"countType": "imageCountMoreThan", "countNumber": int(rule["maximumNumberOfImages"])}
    elif rule.get("maximumAgeLimit") is not None:
        days = int(rule["maximumAgeLimit"])
        selection |= {"countType": "sinceImagePushed", "countNumber": days, "countUnit": "days"}
    else:
        raise ComponentError(
            f"lifecyclePolicy rule {priority} never expires an image; "
            "give it maximumNumberOfImages or maximumAgeLimit (days)"
        )
    described = {} if rule.get("description") is None else {"description": rule["description"]}
    return {"rulePriority": priority, **described, "selection": selection, "action": {"type": "expire"}}
