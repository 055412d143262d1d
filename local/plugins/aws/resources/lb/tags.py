"""Tags of everything in Elastic Load Balancing."""

from __future__ import annotations

from typing import Any

from ...resource import Inputs, State, tag_changes, tag_list, tag_map


def creation_tags(inputs: Inputs) -> dict[str, Any]:
    """The request parameter that tags something new; nothing without tags."""
    return {"Tags": tag_list(inputs["tags"])} if inputs.get("tags") else {}


def read_tags(elbv2: Any, arn: str) -> dict[str, str]:
    """The tags of a load balancer, target group, listener or rule."""
    descriptions = elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    return tag_map(descriptions[0].get("Tags")) if descriptions else {}


def update_tags(elbv2: Any, arn: str, old: State, new: Inputs) -> None:
    """Makes the tags those of the new inputs."""
    wanted, gone = tag_changes(old, new)
    if gone:
        elbv2.remove_tags(ResourceArns=[arn], TagKeys=gone)
    if wanted:
        elbv2.add_tags(ResourceArns=[arn], Tags=tag_list(wanted))
