"""`awsx:ecr:Repository`: a repository with a lifecycle policy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from local.plugins.awsx.values import ComponentError, Constructed, aws_arguments, plain

TYPE = "awsx:ecr:Repository"
_DEFAULT_RULES = [
    {"description": "remove untagged images", "tagStatus": "untagged", "maximumNumberOfImages": 1}
]


async def construct(name: str, inputs: Mapping[str, Any], options: pulumi.ResourceOptions) -> Constructed:
    """Register the component and its children; raises ComponentError for an incomplete lifecycle rule."""
    component = pulumi.ComponentResource(TYPE, name, None, options)
    child = pulumi.ResourceOptions(parent=component)
    choice = plain("lifecyclePolicy", inputs.get("lifecyclePolicy")) or {}
    policy = None
    if not choice.get("skip"):
        rules = choice.get("rules")
        policy = pulumi.Output.from_input(_DEFAULT_RULES if rules is None else rules).apply(
            lifecycle_document
        )
    repository = aws.ecr.Repository(name.lower(), opts=child, **aws_arguments(aws.ecr.RepositoryArgs, inputs))
    outputs: dict[str, Any] = {"repository": repository}
    if policy is not None:
        # Text rather than an object: the SDK can't take an object back as this resource's output.
        outputs["lifecyclePolicy"] = aws.ecr.LifecyclePolicy(
            name.lower(),
            repository=repository.name,
            policy=policy,
            region=inputs.get("region"),
            opts=child,
        )
    component.register_outputs(outputs)
    return Constructed(component.urn, {**outputs, "url": repository.repository_url})


def lifecycle_document(rules: Sequence[Mapping[str, Any]]) -> str:
    """Return ECR's lifecycle policy for rules of the component, as JSON.

    Priorities follow the order given, except that a rule for any image comes last.
    """
    for_any = [rule for rule in rules if rule.get("tagStatus") == "any"]
    if len(for_any) > 1:
        raise ComponentError(f'lifecyclePolicy has {len(for_any)} rules of tagStatus "any"; keep one')
    ordered = [rule for rule in rules if rule.get("tagStatus") != "any"] + for_any
    return json.dumps({"rules": [_rule(rule, priority) for priority, rule in enumerate(ordered, start=1)]})


def _rule(rule: Mapping[str, Any], priority: int) -> dict[str, Any]:
    status = rule.get("tagStatus")
    if status in ("any", "untagged"):
        selection: dict[str, Any] = {"tagStatus": status}
    elif rule.get("tagPrefixList"):
        selection = {"tagStatus": "tagged", "tagPrefixList": rule["tagPrefixList"]}
    else:
        raise ComponentError(
            f"lifecyclePolicy rule {priority} selects tagged images, so give it a tagPrefixList, "
            'or set its tagStatus to "any" or "untagged"'
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
