"""Tags as ECS spells them, and how they change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...resource import tag_changes, tag_list, tag_map


def to_ecs(inputs: Mapping[str, Any]) -> list[dict[str, str]]:
    return tag_list(inputs.get("tags"), "key", "value")


def from_ecs(tags: Any) -> dict[str, str]:
    return tag_map(tags, "key", "value")


def change(ecs: Any, arn: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Makes the tags of a resource those of the new arguments."""
    wanted, surplus = tag_changes(old, new)
    if surplus:
        ecs.untag_resource(resourceArn=arn, tagKeys=surplus)
    if wanted:
        ecs.tag_resource(resourceArn=arn, tags=tag_list(wanted, "key", "value"))
