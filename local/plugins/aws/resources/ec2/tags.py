"""Tags of EC2 resources, which have an API of their own."""

from __future__ import annotations

from typing import Any

from ...resource import Inputs, State, tag_changes, tag_list


def tag_specifications(kind: str, inputs: Inputs) -> dict[str, Any]:
    """The request parameter that tags a new resource of a kind (`internet-gateway`); nothing without tags."""
    if not inputs.get("tags"):
        return {}
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": tag_list(inputs["tags"])}]}


def update_tags(ec2: Any, resource_id: str, old: State, new: Inputs) -> None:
    """Makes the tags those of the new inputs."""
    wanted, gone = tag_changes(old, new)
    if gone:
        ec2.delete_tags(Resources=[resource_id], Tags=[{"Key": key} for key in gone])
    if wanted:
        ec2.create_tags(Resources=[resource_id], Tags=tag_list(wanted))
