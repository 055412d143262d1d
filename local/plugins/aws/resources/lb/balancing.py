"""What everything of Elastic Load Balancing has alike: its ARN names it, tags have their own operations.

Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from typing import ClassVar

from ...modelled import Modelled, Tags
from ...naming import AutoName
from ...resource import Call, Inputs
from ...session import AwsError
from ..calls import unless_absent


class Balancing(Modelled):
    service = "elbv2"
    key = "arn"
    tags = Tags("DescribeTags", "AddTags", "RemoveTags")


class Named(Balancing):
    """What AWS hands over where it's there already, whoever made it: creation is idempotent. `what` is it."""

    what: ClassVar[str]
    auto_name = AutoName(max_length=32)

    def create(self, call: Call, inputs: Inputs) -> str:
        name, ask = inputs["name"], self.read_by[0]
        if unless_absent(
            lambda: self._send(call, ask.operation, {"Names": [name]})[ask.into], *self.absence(call)
        ):
            raise AwsError(f"a {self.what} named {name} exists already: import it, or give another name")
        return super().create(call, inputs)
