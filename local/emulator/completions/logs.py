"""CloudWatch Logs: metric filters that count, by patterns as AWS reads them, and keys that can be set.

Owns what ministack lacks of the filters that the program uses, and the key of a group that is there. For
patterns on JSON or columns deliberately every event matches, as in ministack.
Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html,
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_AssociateKmsKey.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch, cloudwatch_logs

from local.emulator.completions.inside import ask_json
from local.emulator.completions.patching import AwsError, Request, Response, wrap
from local.emulator.completions.protocols import serve

_TERM = re.compile(r'([-?]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]+)%|(\S+))')


def install() -> None:
    """Completes log groups and filters."""
    wrap(cloudwatch_logs, "_put_log_events", _put_log_events)
    serve("logs", {"AssociateKmsKey": _set_kms_key, "DisassociateKmsKey": _set_kms_key})


def _matcher(pattern: str) -> Callable[[str], bool]:
    """Terms are case-sensitive; all must occur, `-` ones must not, and of `?` ones any suffices."""
    pattern = pattern.strip()
    if pattern.startswith(("{", "[")):
        return lambda _message: True
    wanted: dict[str, list[Callable[[str], bool]]] = {"": [], "-": [], "?": []}
    for sign, phrase, expression, word in _TERM.findall(pattern):
        wanted[sign].append(_occurs(phrase.replace('\\"', '"'), expression, word))

    def matches(message: str) -> bool:
        if any(occurs(message) for occurs in wanted["-"]):
            return False
        if not all(occurs(message) for occurs in wanted[""]):
            return False
        alternatives = wanted["?"] if not wanted[""] else []
        return not alternatives or any(occurs(message) for occurs in alternatives)

    return matches


def _occurs(phrase: str, expression: str, word: str) -> Callable[[str], bool]:
    if expression:
        compiled = re.compile(expression)
        return lambda message: compiled.search(message) is not None
    text = phrase or word
    return lambda message: text in message


def _put_log_events(original: Any, request: Request) -> Response:
    """Adds up what the group's metric filters count in the new events."""
    response: Response = original(request)
    if response[0] < 400:
        messages = [event.get("message", "") for event in request.get("logEvents", [])]
        of_group = {"logGroupName": request.get("logGroupName")}
        for metric_filter in ask_json("logs", "DescribeMetricFilters", of_group)["metricFilters"]:
            _count(metric_filter, messages)
    return response


def _count(metric_filter: dict[str, Any], messages: list[str]) -> None:
    matches = _matcher(metric_filter["filterPattern"])
    transformation = metric_filter["metricTransformations"][0]
    for message in messages:
        value = transformation["metricValue"] if matches(message) else transformation.get("defaultValue")
        if value is None:
            continue
        try:
            number = float(value)
        except ValueError:
            continue  # a value taken from the event ("$size") isn't modelled
        cloudwatch.record_metric(
            transformation["metricNamespace"],
            transformation["metricName"],
            number,
            transformation.get("unit", "None"),
        )


def _log_group(name: str) -> dict[str, Any] | None:
    """What ministack itself keeps of a log group."""
    arn = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{name}"
    found: dict[str, Any] | None = cloudwatch_logs.resolve_tag_resource(arn)
    return found


def log_group_exists(name: str) -> bool:
    """Whether the account has a log group of this name in the region."""
    return _log_group(name) is not None


def _set_kms_key(request: Request) -> dict[str, Any]:
    name = request.get("logGroupName") or request.get("resourceIdentifier", "").rpartition("log-group:")[2]
    group = _log_group(name.removesuffix(":*"))
    if group is None:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    group["kmsKeyId"] = request.get("kmsKeyId")
    return {}
