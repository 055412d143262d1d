"""SNS: who may publish to an encrypted topic, what CloudWatch delivers, and a subscription's ARN.

Owns whether the key of a topic, and the topic's own policy, let a service of AWS in, for the two services
that publish on this project's behalf. Deliberately encrypts nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch, kms, sns

from local.emulator.completions.patching import Response, wrap
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
    wrap(sns, "_subscribe", _subscribe)


def _subscribe(original: Any) -> Any:
    """Names the subscription where that is asked for, although nobody has confirmed it yet.

    Source: https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html (ReturnSubscriptionArn)
    """

    def subscribe(params: Any) -> Response:
        status, headers, body = original(params)
        pending = b">pending confirmation<"
        if pending in body and sns._p(params, "ReturnSubscriptionArn") == "true":
            topic = sns._topic_by_arn_any_scope(sns._p(params, "TopicArn"))
            body = body.replace(pending, f">{topic['subscriptions'][-1]['arn']}<".encode())
        return status, headers, body

    return subscribe


def _dispatch_alarm_actions(original: Any) -> Any:
    """Tells the topics alone that let CloudWatch in: the failure shows in the alarm's history on AWS.

    Source: https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns
    """

    def dispatch(alarm: dict[str, Any], old_state: str, new_state: str, reason: str) -> None:
        arn = alarm.get("AlarmArn") or (
            f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm:{alarm.get('AlarmName')}"
        )
        context = {"aws:SourceAccount": get_account_id(), "aws:SourceArn": arn}
        kept = dict(alarm)
        for field in ("AlarmActions", "OKActions", "InsufficientDataActions"):
            kept[field] = [
                each
                for each in alarm.get(field) or ()
                if not cloudwatch._is_sns_action_arn(each) or may_publish(each, CLOUDWATCH, context)
            ]
        original(kept, old_state, new_state, reason)

    return dispatch


def may_publish(topic_arn: str, service: str, context: Mapping[str, str]) -> bool:
    """Whether the policies of the topic and of its key let the service publish; says in the log what doesn't.

    Of EventBridge AWS tells a key neither account nor source, so that a key's condition on them is never met.
    """
    topic = sns._topic_by_arn_any_scope(topic_arn)
    if topic is None:
        # The publication itself says that there is none.
        return True
    attributes = topic.get("attributes") or {}
    if not admits(attributes.get("Policy"), service, "sns:Publish", topic_arn, context):
        logger.warning("%s's policy doesn't let %s publish; the message is lost", topic_arn, service)
        return False
    key_id = attributes.get("KmsMasterKeyId")
    if not key_id:
        return True
    key = kms._resolve_key(key_id)
    if key is None or not key.get("Enabled", True) or key.get("KeyState", "Enabled") != "Enabled":
        # AWS's own alias/aws/sns is no key of the account's, and its policy admits no service at all.
        logger.warning("%s's key %s lets %s do nothing; the message is lost", topic_arn, key_id, service)
        return False
    told = {"kms:EncryptionContext:aws:sns:topicArn": topic_arn} | (
        {} if service == EVENTS else dict(context)
    )
    refused = [each for each in KEY_ACTIONS if not admits(key.get("Policy"), service, each, key["Arn"], told)]
    if refused:
        logger.warning(
            "%s's key %s doesn't let %s do %s; the message is lost", topic_arn, key_id, service, refused
        )
    return not refused
