"""SQS: queues, and their policies where these are resources of their own.

Sources of what replaces and of the defaults: `ForceNew` and `Default` in queue.go and queue_policy.go of
https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/sqs
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..modelled import Ask, Modelled, Tags
from ..naming import AutoName
from ..places import Places
from ..resource import Inputs, Resource, State, facts, names

_ALL = facts(AttributeNames=["All"])
_FIFO = ("contentBasedDeduplication", "fifoQueue")


class Queue(Modelled):
    token = "aws:sqs/queue:Queue"
    key = "url"
    made_by = Ask("CreateQueue")
    read_by = (Ask("GetQueueAttributes", fixed=_ALL),)
    changed_by = (Ask("SetQueueAttributes"),)
    deleted_by = Ask("DeleteQueue")
    tags = Tags("ListQueueTags", "TagQueue", "UntagQueue", of="url")
    places = Places(
        noun="Queue",
        within="Attributes",
        named={
            "arn": "Attributes.QueueArn",
            "maxMessageSize": "Attributes.MaximumMessageSize",
            "messageRetentionSeconds": "Attributes.MessageRetentionPeriod",
            "receiveWaitTimeSeconds": "Attributes.ReceiveMessageWaitTimeSeconds",
            "visibilityTimeoutSeconds": "Attributes.VisibilityTimeout",
        },
    )
    replacing = names("fifoQueue name namePrefix")
    auto_name = AutoName(max_length=80)
    defaults = facts(
        {
            **dict.fromkeys(_FIFO, False),
            "delaySeconds": 0,
            "maxMessageSize": 262144,
            "messageRetentionSeconds": 345600,
            "receiveWaitTimeSeconds": 0,
            "visibilityTimeoutSeconds": 30,
        }
    )
    exclusive = (("name", "namePrefix"),)
    policies = names("policy")
    documents = names("redrivePolicy redriveAllowPolicy")
    kept = names("namePrefix")
    by_hand = names("name")
    missing = names("AWS.SimpleQueueService.NonExistentQueue")

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        name = inputs.get("name")
        if isinstance(name, str) and name.endswith(".fifo") is not bool(inputs.get("fifoQueue")):
            yield "name", f"`name` is {name!r}; a FIFO queue's, and no other's, ends in .fifo"

    def shaped(self, inputs: Inputs) -> Mapping[str, Any]:
        # SQS doesn't know these attributes of a queue that is no FIFO queue, not even as false.
        return {name: value for name, value in inputs.items() if name not in _FIFO or inputs.get("fifoQueue")}

    def told(self, outputs: Mapping[str, Any], found: Mapping[str, Any], state: State) -> Mapping[str, Any]:
        return {**outputs, "name": outputs["arn"].rpartition(":")[2]}


class QueuePolicy(Modelled):
    token = "aws:sqs/queuePolicy:QueuePolicy"
    key = "queueUrl"
    made_by = Ask("SetQueueAttributes", whole=True)
    read_by = (Ask("GetQueueAttributes", fixed=_ALL),)
    changed_by = (made_by,)
    deleted_by = Ask("SetQueueAttributes", fixed=facts(Attributes={"Policy": ""}))
    places = Places(within="Attributes")
    replacing = names("queueUrl")
    policies = names("policy")
    missing = Queue.missing

    def told(
        self, outputs: Mapping[str, Any], found: Mapping[str, Any], state: State
    ) -> Mapping[str, Any] | None:
        return outputs if outputs["policy"] else None


RESOURCES: tuple[Resource, ...] = (Queue(), QueuePolicy())
