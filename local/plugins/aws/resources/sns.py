"""SNS: topics, their policies and subscriptions.

Doesn't own FIFO topics, what a topic tells of its deliveries, and what a subscription filters.
Sources of what replaces and of the defaults: `ForceNew` and `Default` in topic.go, topic_policy.go and
topic_subscription.go of https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/sns
"""

from __future__ import annotations

import json
from typing import Final

from ..modelled import Ask, Modelled
from ..naming import AutoName
from ..resource import Call, State, facts, names

_ARN: Final = "TopicArn|Attributes.TopicArn"
_CHANGED: Final = {"displayName": "DisplayName", "kmsMasterKeyId": "KmsMasterKeyId", "policy": "Policy"}
_READ: Final = Ask("GetTopicAttributes")


def _setting(argument: str) -> Ask:
    """SNS takes one attribute a call."""
    attribute = facts(AttributeName=_CHANGED[argument])
    return Ask("SetTopicAttributes", only=(argument,), fixed=attribute)


class Topic(Modelled):
    token = "aws:sns/topic:Topic"
    key = "arn"
    made_by = Ask("CreateTopic")
    read_by = (_READ,)
    changed_by = tuple(_setting(argument) for argument in _CHANGED)
    deleted_by = Ask("DeleteTopic")
    named = facts(
        {
            "arn": _ARN,
            "beginningArchiveTime": "Attributes.BeginningArchiveTime",
            "owner": "Attributes.Owner",
            **{name: f"Attributes.{attribute}|AttributeValue" for name, attribute in _CHANGED.items()},
        }
    )
    replacing = names("fifoTopic name")
    lacking = names("""archivePolicy *Feedback* contentBasedDeduplication deliveryPolicy fifo*
        maximumMessageSize namePrefix signatureVersion tracingConfig""")
    auto_name = AutoName(max_length=256)
    defaults = facts(contentBasedDeduplication=False, fifoTopic=False)
    policies = names("policy")
    end_of_arn = "name"


class TopicPolicy(Modelled):
    token = "aws:sns/topicPolicy:TopicPolicy"
    key = "arn"
    made_by = _setting("policy")
    read_by = (_READ,)
    changed_by = (made_by,)
    deleted_by = made_by
    places = Topic.places
    replacing = names("arn")
    policies = names("policy")

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        """Puts back the policy that every topic starts with: a topic can't be without one."""
        actions = [
            *("AddPermission", "DeleteTopic", "GetTopicAttributes", "ListSubscriptionsByTopic", "Publish"),
            *("RemovePermission", "SetTopicAttributes", "Subscribe"),
        ]
        statement = {
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": [f"SNS:{action}" for action in actions],
            "Resource": resource_id,
            "Condition": {"StringEquals": {"AWS:SourceOwner": call.aws.account_id}},
        }
        policy = {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}
        super().delete(call, resource_id, {**state, "policy": json.dumps(policy)})


class TopicSubscription(Modelled):
    token = "aws:sns/topicSubscription:TopicSubscription"
    key = "arn"
    made_by = Ask("Subscribe", fixed=facts(ReturnSubscriptionArn=True))
    read_by = (Ask("GetSubscriptionAttributes"),)
    deleted_by = Ask("Unsubscribe")
    named = facts(
        {
            "arn": "SubscriptionArn|Attributes.SubscriptionArn",
            "confirmationWasAuthenticated": "Attributes.ConfirmationWasAuthenticated",
            "endpoint": "Endpoint|Attributes.Endpoint",
            "ownerId": "Attributes.Owner",
            "pendingConfirmation": "Attributes.PendingConfirmation",
            "protocol": "Protocol|Attributes.Protocol",
            "topic": _ARN,
        }
    )
    replacing = names("endpoint protocol topic")
    lacking = names("""deliveryPolicy filterPolicy filterPolicyScope rawMessageDelivery redrivePolicy
        replayPolicy subscriptionRoleArn""")
    defaults = facts(confirmationTimeoutInMinutes=1, endpointAutoConfirms=False, rawMessageDelivery=False)
    kept = names("confirmationTimeoutInMinutes endpointAutoConfirms")
