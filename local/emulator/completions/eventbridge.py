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

from local.emulator.completions.patching import Request, Response, wrap
from local.emulator.completions.sns import EVENTS, may_publish

logger = logging.getLogger("fileflow.events")


def install() -> None:
    """Completes the deletion of rules."""
    wrap(eventbridge, "_delete_rule", _delete_rule)
    wrap(eventbridge, "_dispatch_to_sns", _dispatch_to_sns)


def _delete_rule(original: Any) -> Any:
    def delete(request: Request) -> Response:
        key = eventbridge._rule_key(request.get("Name"), request.get("EventBusName", "default"))
        if eventbridge._targets.get(key):
            refused: Response = eventbridge.error_response_json(
                "ValidationException", "Rule can't be deleted since it has targets.", 400
            )
            return refused
        response: Response = original(request)
        return response

    return delete


def _dispatch_to_sns(original: Any) -> Any:
    """Publishes only where AWS would: by a statement for EventBridge without a Condition, which is never met.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html (section
    "Amazon SNS permissions")
    """

    def dispatch(topic_arn: str, payload: Any) -> None:
        if may_publish(topic_arn, EVENTS, {}):
            original(topic_arn, payload)

    return dispatch


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
