"""SNS: topics, their policies and subscriptions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from ..naming import AutoName
from ..resource import Call, Inputs, Resource, State, name_of, tag_changes, tag_list, tag_map
from .calls import touched

_MISSING: Final = frozenset({"NotFound", "NotFoundException"})

_TOPIC_ATTRIBUTES: Final[Mapping[str, str]] = {
    "applicationFailureFeedbackRoleArn": "ApplicationFailureFeedbackRoleArn",
    "applicationSuccessFeedbackRoleArn": "ApplicationSuccessFeedbackRoleArn",
    "applicationSuccessFeedbackSampleRate": "ApplicationSuccessFeedbackSampleRate",
    "archivePolicy": "ArchivePolicy",
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deliveryPolicy": "DeliveryPolicy",
    "displayName": "DisplayName",
    "fifoThroughputScope": "FifoThroughputScope",
    "fifoTopic": "FifoTopic",
    "firehoseFailureFeedbackRoleArn": "FirehoseFailureFeedbackRoleArn",
    "firehoseSuccessFeedbackRoleArn": "FirehoseSuccessFeedbackRoleArn",
    "firehoseSuccessFeedbackSampleRate": "FirehoseSuccessFeedbackSampleRate",
    "httpFailureFeedbackRoleArn": "HTTPFailureFeedbackRoleArn",
    "httpSuccessFeedbackRoleArn": "HTTPSuccessFeedbackRoleArn",
    "httpSuccessFeedbackSampleRate": "HTTPSuccessFeedbackSampleRate",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "lambdaFailureFeedbackRoleArn": "LambdaFailureFeedbackRoleArn",
    "lambdaSuccessFeedbackRoleArn": "LambdaSuccessFeedbackRoleArn",
    "lambdaSuccessFeedbackSampleRate": "LambdaSuccessFeedbackSampleRate",
    "policy": "Policy",
    "signatureVersion": "SignatureVersion",
    "sqsFailureFeedbackRoleArn": "SQSFailureFeedbackRoleArn",
    "sqsSuccessFeedbackRoleArn": "SQSSuccessFeedbackRoleArn",
    "sqsSuccessFeedbackSampleRate": "SQSSuccessFeedbackSampleRate",
    "tracingConfig": "TracingConfig",
}
_NUMBERS: Final = frozenset({"signatureVersion", *(n for n in _TOPIC_ATTRIBUTES if n.endswith("SampleRate"))})
_BOOLEANS: Final = frozenset({"contentBasedDeduplication", "fifoTopic", "rawMessageDelivery"})


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _value(name: str, text: Any) -> Any:
    """An attribute, which SNS gives as text."""
    if name in _NUMBERS:
        return int(text) if text else 0
    if name in _BOOLEANS:
        return text == "true"
    return text or ""


class Topic(Resource):
    token = "aws:sns/topic:Topic"
    auto_name = AutoName(max_length=256)
    defaults = MappingProxyType({"contentBasedDeduplication": False, "fifoTopic": False})
    exclusive = (("name", "namePrefix"),)
    policies = frozenset({"policy"})
    documents = frozenset({"deliveryPolicy", "archivePolicy"})
    missing = _MISSING

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        name = inputs.get("name")
        if inputs.get("fifoTopic") is True and isinstance(name, str) and not name.endswith(".fifo"):
            yield "name", f"`name` is {name!r}: the name of a FIFO topic ends in .fifo"
        if inputs.get("contentBasedDeduplication") is True and inputs.get("fifoTopic") is False:
            yield (
                "contentBasedDeduplication",
                "content-based deduplication can only be set for FIFO topics: set `fifoTopic`",
            )

    def create(self, call: Call, inputs: Inputs) -> str:
        attributes = {}
        if inputs.get("fifoTopic"):
            attributes["FifoTopic"] = "true"
        for name, attribute in _TOPIC_ATTRIBUTES.items():
            value = inputs.get(name)
            if name != "fifoTopic" and value not in (None, "", False, 0):
                attributes[attribute] = _text(value)
        sns = call.client("sns")
        answer = sns.create_topic(
            Name=name_of(inputs), Attributes=attributes, Tags=tag_list(inputs.get("tags"))
        )
        return str(answer["TopicArn"])

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        sns = call.client("sns")
        attributes = sns.get_topic_attributes(TopicArn=resource_id)["Attributes"]
        tags = sns.list_tags_for_resource(ResourceArn=resource_id).get("Tags")
        size = attributes.get("MaximumMessageSize")
        return {
            **{
                name: _value(name, attributes.get(attribute)) for name, attribute in _TOPIC_ATTRIBUTES.items()
            },
            "arn": attributes["TopicArn"],
            "name": resource_id.rpartition(":")[2],
            "namePrefix": state.get("namePrefix", ""),
            "owner": attributes.get("Owner", ""),
            "beginningArchiveTime": attributes.get("BeginningArchiveTime", ""),
            "maximumMessageSize": int(size) if size else 262144,
            "tagsAll": tag_map(tags),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        sns = call.client("sns")
        for name, attribute in _TOPIC_ATTRIBUTES.items():
            if name in changed or (not changed and name in new and name != "fifoTopic"):
                sns.set_topic_attributes(
                    TopicArn=resource_id,
                    AttributeName=attribute,
                    AttributeValue=_text(new.get(name) if new.get(name) is not None else ""),
                )
        wanted, surplus = tag_changes(old, new)
        if surplus:
            sns.untag_resource(ResourceArn=resource_id, TagKeys=surplus)
        if wanted:
            sns.tag_resource(ResourceArn=resource_id, Tags=tag_list(wanted))
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        call.client("sns").delete_topic(TopicArn=resource_id)


class TopicPolicy(Resource):
    token = "aws:sns/topicPolicy:TopicPolicy"
    policies = frozenset({"policy"})
    missing = _MISSING

    def create(self, call: Call, inputs: Inputs) -> str:
        call.client("sns").set_topic_attributes(
            TopicArn=inputs["arn"], AttributeName="Policy", AttributeValue=inputs["policy"]
        )
        return str(inputs["arn"])

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        attributes = call.client("sns").get_topic_attributes(TopicArn=resource_id)["Attributes"]
        if not attributes.get("Policy"):
            return None
        return {
            "arn": resource_id,
            "owner": attributes.get("Owner", ""),
            "policy": attributes["Policy"],
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        self.create(call, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        """Puts back the policy that every topic starts with: a topic can't be without one."""
        policy = {
            "Version": "2008-10-17",
            "Id": "__default_policy_ID",
            "Statement": [
                {
                    "Sid": "__default_statement_ID",
                    "Effect": "Allow",
                    "Principal": {"AWS": "*"},
                    "Action": [
                        f"SNS:{action}"
                        for action in (
                            "GetTopicAttributes",
                            "SetTopicAttributes",
                            "AddPermission",
                            "RemovePermission",
                            "DeleteTopic",
                            "Subscribe",
                            "ListSubscriptionsByTopic",
                            "Publish",
                        )
                    ],
                    "Resource": resource_id,
                    "Condition": {"StringEquals": {"AWS:SourceOwner": call.aws.account_id}},
                }
            ],
        }
        call.client("sns").set_topic_attributes(
            TopicArn=resource_id, AttributeName="Policy", AttributeValue=json.dumps(policy)
        )


_SUBSCRIPTION_ATTRIBUTES: Final[Mapping[str, str]] = {
    "deliveryPolicy": "DeliveryPolicy",
    "filterPolicy": "FilterPolicy",
    "filterPolicyScope": "FilterPolicyScope",
    "rawMessageDelivery": "RawMessageDelivery",
    "redrivePolicy": "RedrivePolicy",
    "replayPolicy": "ReplayPolicy",
    "subscriptionRoleArn": "SubscriptionRoleArn",
}


class TopicSubscription(Resource):
    token = "aws:sns/topicSubscription:TopicSubscription"
    defaults = MappingProxyType(
        {"confirmationTimeoutInMinutes": 1, "endpointAutoConfirms": False, "rawMessageDelivery": False}
    )
    documents = frozenset({"deliveryPolicy", "filterPolicy", "redrivePolicy", "replayPolicy"})
    kept = frozenset({"confirmationTimeoutInMinutes", "endpointAutoConfirms"})
    missing = _MISSING

    def create(self, call: Call, inputs: Inputs) -> str:
        attributes = {
            attribute: _text(inputs[name])
            for name, attribute in _SUBSCRIPTION_ATTRIBUTES.items()
            if inputs.get(name) not in (None, "", False)
        }
        answer = call.client("sns").subscribe(
            TopicArn=inputs["topic"],
            Protocol=inputs["protocol"],
            Endpoint=inputs["endpoint"],
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )
        return str(answer["SubscriptionArn"])

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        attributes = call.client("sns").get_subscription_attributes(SubscriptionArn=resource_id)["Attributes"]
        return {
            **{
                name: _value(name, attributes.get(attribute))
                for name, attribute in _SUBSCRIPTION_ATTRIBUTES.items()
            },
            "arn": attributes["SubscriptionArn"],
            "confirmationWasAuthenticated": attributes.get("ConfirmationWasAuthenticated") == "true",
            "endpoint": attributes["Endpoint"],
            "ownerId": attributes.get("Owner", ""),
            "pendingConfirmation": attributes.get("PendingConfirmation") == "true",
            "protocol": attributes["Protocol"],
            "topic": attributes["TopicArn"],
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        for name, attribute in _SUBSCRIPTION_ATTRIBUTES.items():
            if touched(changed, name) and new.get(name) != old.get(name):
                empty = "{}" if name in self.documents else ""
                value = new.get(name)
                call.client("sns").set_subscription_attributes(
                    SubscriptionArn=resource_id,
                    AttributeName=attribute,
                    AttributeValue=empty if value is None else _text(value),
                )
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        call.client("sns").unsubscribe(SubscriptionArn=resource_id)


RESOURCES: tuple[Resource, ...] = (Topic(), TopicPolicy(), TopicSubscription())
