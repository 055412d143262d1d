"""What CloudWatch makes and changes by one and the same call, with tags that have calls of their own.

Owns creation, update and tags of such a type. Doesn't own the call itself, which each type states.
"""

from __future__ import annotations

from typing import Any, ClassVar

from ...resource import Call, Inputs, Resource, State, tag_list, tag_map
from ..calls import change_tags


class PutAgain(Resource):
    """A type whose `named_by` is the argument that becomes its id."""

    named_by: ClassVar[str] = "name"

    def put(self, call: Call, inputs: Inputs, tags: Any = None) -> None:
        """Makes it, or changes what is there; only a new one takes tags."""
        raise NotImplementedError

    def create(self, call: Call, inputs: Inputs) -> str:
        self.put(call, inputs, tag_list(inputs.get("tags")) or None)
        return str(inputs[self.named_by])

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        del resource_id
        if not changed or changed - {"tags"}:
            self.put(call, new)
        change_tags(call.client("cloudwatch"), str(old["arn"]), old, new)
        return None


def tags_of(call: Call, arn: str) -> dict[str, str]:
    """The tags of an alarm or a mute rule."""
    return tag_map(call.client("cloudwatch").list_tags_for_resource(ResourceARN=arn).get("Tags"))
