"""What EC2's types do alike: ids and ARNs, tags at creation and later, and attributes, one a request.

Doesn't own the types. Sources: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TagSpecification.html,
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html (the ARNs)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ...modelled import Ask, Modelled, Tags
from ...resource import Call, Inputs, Outputs, State, names, pairs
from ...session import AwsError


class Ec2(Modelled):
    """A type of EC2; `kind` is what tags and ARNs call it (`internet-gateway`)."""

    service = "ec2"
    key = "id"
    kind: ClassVar[str]
    deleted_by: ClassVar[Ask]
    tags: ClassVar[Tags | None] = Tags(reading="", setting="CreateTags", removing="DeleteTags", of="id")
    named = pairs("tags=TagSpecifications.Tags kind=TagSpecifications.ResourceType tagsAll=Tags")
    by_hand = names("arn")

    def create(self, call: Call, inputs: Inputs) -> str:
        return super().create(call, {**inputs, "kind": self.kind} if inputs.get("tags") else inputs)

    def read(self, call: Call, resource_id: str, state: State) -> Outputs | None:
        outputs = super().read(call, resource_id, state)
        if not outputs or outputs.get("arn") or "arn" not in self.described.outputs:
            return outputs
        return {**outputs, "arn": call.arn("ec2", f"{self.kind}/{resource_id}")}

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        super().delete(call, resource_id, {name: state[name] for name in self.deleted_by.only})

    def _send(self, call: Call, operation: str, request: Mapping[str, Any], *, every: bool = False) -> Any:
        answer = super()._send(call, operation, request, every=every)
        for failure in answer.get("Unsuccessful", ()):
            if failure["Error"]["Code"] not in self.missing:
                raise AwsError(f"{operation}: {failure['Error']['Code']}: {failure['Error']['Message']}")
        return answer
