"""SNS: who may publish to an encrypted topic, what CloudWatch delivers, and a subscription's ARN.

Owns whether the key of a topic, and the topic's own policy, let a service of AWS in, for the two services
that publish on this project's behalf. Deliberately encrypts nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch

from local.emulator.completions.inside import ask, ask_json
from local.emulator.completions.patching import AwsError, Request, wrap
from local.emulator.completions.protocols import Result, serve
from local.emulator.completions.resource_policies import admits

logger = logging.getLogger("fileflow.sns")

CLOUDWATCH = "cloudwatch.amazonaws.com"
EVENTS = "events.amazonaws.com"
KEY_ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey")
"""Source: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html (section "Enable compatibility
between event sources from AWS services and encrypted topics")
"""


def install() -> None:
    """Puts the topic's policy and key before what an alarm tells, and answers a subscription by its ARN."""
    wrap(cloudwatch, "_dispatch_alarm_actions", _dispatch_alarm_actions)
    serve("sns", {"Subscribe": _subscribe})


def _subscribe(request: Request) -> Result:
    """Names the subscription where that is asked for, although nobody has confirmed it yet.

    Source: https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html (ReturnSubscriptionArn)
    """
    answer = ask("sns", "Subscribe", request)
    if answer["SubscriptionArn"] == "pending confirmation" and request.get("ReturnSubscriptionArn"):
        of_topic = {"TopicArn": request["TopicArn"]}
        last = ask("sns", "ListSubscriptionsByTopic", of_topic)["Subscriptions"][-1]
        return {"SubscriptionArn": last["SubscriptionArn"]}
    return answer


def _dispatch_alarm_actions(
    original: Any, alarm: dict[str, Any], old_state: str, new_state: str, reason: str
) -> None:
    """Tells the topics alone that let CloudWatch in: the failure shows in the alarm's history on AWS.

    Source: https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns
    """
    arn = alarm.get("AlarmArn") or (
        f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm:{alarm.get('AlarmName')}"
    )
    context = {"aws:SourceAccount": get_account_id(), "aws:SourceArn": arn}
    kept = dict(alarm)
    for field in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        kept[field] = [
            each
            for each in alarm.get(field) or ()
            if ":sns:" not in each or may_publish(each, CLOUDWATCH, context)
        ]
    original(kept, old_state, new_state, reason)


def may_publish(topic_arn: str, service: str, context: Mapping[str, str]) -> bool:
    """Whether the policies of the topic and of its key let the service publish; says in the log what doesn't.

    Of EventBridge AWS tells a key neither account nor source, so that a key's condition on them is never met.
    """
    try:
        attributes = ask("sns", "GetTopicAttributes", {"TopicArn": topic_arn})["Attributes"]
    except AwsError:
        # The publication itself says that there is none.
        return True
    if not admits(attributes.get("Policy"), service, "sns:Publish", topic_arn, context):
        logger.warning("%s's policy doesn't let %s publish; the message is lost", topic_arn, service)
        return False
    key_id = attributes.get("KmsMasterKeyId")
    if not key_id:
        return True
    try:
        key = ask_json("kms", "DescribeKey", {"KeyId": key_id})["KeyMetadata"]
        of_key = {"KeyId": key["KeyId"], "PolicyName": "default"}
        policy = ask_json("kms", "GetKeyPolicy", of_key)["Policy"] if key["Enabled"] else None
    except AwsError:
        policy = None
    if policy is None:
        # AWS's own alias/aws/sns is no key of the account's, and its policy admits no service at all.
        logger.warning("%s's key %s lets %s do nothing; the message is lost", topic_arn, key_id, service)
        return False
    told = {"kms:EncryptionContext:aws:sns:topicArn": topic_arn} | (
        {} if service == EVENTS else dict(context)
    )
    refused = [each for each in KEY_ACTIONS if not admits(policy, service, each, key["Arn"], told)]
    if refused:
        logger.warning(
            "%s's key %s doesn't let %s do %s; the message is lost", topic_arn, key_id, service, refused
        )
    return not refused
