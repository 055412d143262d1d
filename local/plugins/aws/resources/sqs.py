"""SQS: queues, and their policies where these are resources of their own.

Sources of what replaces and of the defaults: `ForceNew` and `Default` in queue.go and queue_policy.go of
https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/sqs
"""

from __future__ import annotations

from collections.abc import Iterable

from ..modelled import Ask, Modelled
from ..naming import AutoName
from ..resource import Answer, Inputs, Outputs, State, facts, names, pairs

_ALL = facts(AttributeNames=["All"])


class Queue(Modelled):
    token = "aws:sqs/queue:Queue"
    key = "url"
    made_by = Ask("CreateQueue")
    read_by = (Ask("GetQueueAttributes", fixed=_ALL),)
    changed_by = (Ask("SetQueueAttributes"),)
    deleted_by = Ask("DeleteQueue")
    noun = "Queue"
    within = "Attributes"
    named = pairs("""maxMessageSize=MaximumMessageSize messageRetentionSeconds=MessageRetentionPeriod
        receiveWaitTimeSeconds=ReceiveMessageWaitTimeSeconds visibilityTimeoutSeconds=VisibilityTimeout""")
    end_of_arn = "name"
    replacing = names("fifoQueue name")
    auto_name = AutoName(max_length=80)
    off = names("contentBasedDeduplication delaySeconds fifoQueue receiveWaitTimeSeconds")
    defaults = facts(maxMessageSize=262144, messageRetentionSeconds=345600, visibilityTimeoutSeconds=30)
    when_absent = facts(kmsDataKeyReusePeriodSeconds=300)
    policies = names("policy")
    documents = names("redrivePolicy redriveAllowPolicy")
    missing = names("AWS.SimpleQueueService.NonExistentQueue")

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        name = inputs.get("name")
        if isinstance(name, str) and name.endswith(".fifo") is not bool(inputs.get("fifoQueue")):
            yield "name", f"`name` is {name!r}; a FIFO queue's, and no other's, ends in .fifo"


class QueuePolicy(Modelled):
    token = "aws:sqs/queuePolicy:QueuePolicy"
    key = "queueUrl"
    made_by = Ask("SetQueueAttributes", whole=True)
    read_by = (Ask("GetQueueAttributes", fixed=_ALL),)
    deleted_by = Ask("SetQueueAttributes", fixed=facts(Attributes={"Policy": ""}))
    within = "Attributes"
    replacing = names("queueUrl")
    policies = names("policy")
    missing = Queue.missing

    def told(self, outputs: Outputs, found: Answer, state: State) -> Outputs | None:
        return outputs if outputs["policy"] else None
