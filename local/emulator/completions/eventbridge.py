"""EventBridge: a rule that has targets isn't deleted, and ECS's events reach the rules.

Owns the ECS events that this project's rules listen for (task and deployment state changes), and whether a
topic's policy lets EventBridge publish. Deliberately leaves matching and delivery to ministack.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import eventbridge

from local.emulator.completions.inside import ask_json
from local.emulator.completions.patching import AwsError, Request, wrap
from local.emulator.completions.protocols import serve
from local.emulator.completions.sns import EVENTS, may_publish

logger = logging.getLogger("fileflow.events")


def install() -> None:
    """Completes the deletion of rules."""
    serve("events", {"DeleteRule": _delete_rule})
    wrap(eventbridge, "_dispatch_to_sns", _dispatch_to_sns)


def _delete_rule(request: Request) -> dict[str, Any]:
    """Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteRule.html"""
    of_rule = {"Rule": request.get("Name"), "EventBusName": request.get("EventBusName", "default")}
    if ask_json("events", "ListTargetsByRule", of_rule)["Targets"]:
        raise AwsError("ValidationException", "Rule can't be deleted since it has targets.")
    return ask_json("events", "DeleteRule", request)


def _dispatch_to_sns(original: Any, topic_arn: str, payload: Any) -> None:
    """Publishes only where AWS would: by a statement for EventBridge without a Condition, which is never met.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html (section
    "Amazon SNS permissions")
    """
    if may_publish(topic_arn, EVENTS, {}):
        original(topic_arn, payload)


def publish(detail_type: str, resources: list[str], detail: dict[str, Any]) -> None:
    """Sends an event of ECS to the account's default event bus."""
    entry = {
        "Source": "aws.ecs",
        "DetailType": detail_type,
        "Resources": resources,
        "Detail": json.dumps(detail, default=str),
    }
    status, _, body = eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
    if status >= 400:
        logger.warning("%s in %s/%s: %s", detail_type, get_account_id(), get_region(), body)
