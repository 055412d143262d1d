"""CloudWatch Logs: filter patterns with phrases and alternatives, metric filters that count, keys that can
be set.

Owns what ministack lacks of the filters that the program uses. Deliberately matches every event for
patterns on JSON or columns, as ministack does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch, cloudwatch_logs

from local.emulator.completions.inside import ask_json
from local.emulator.completions.patching import AwsError, Request, Response, serve_json, wrap

_TERM = re.compile(r'([-?]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]+)%|(\S+))')


def install() -> None:
    """Completes log groups and filters."""
    wrap(cloudwatch_logs, "_compile_filter_pattern", _compile_filter_pattern)
    wrap(cloudwatch_logs, "_put_log_events", _put_log_events)
    serve_json(
        "logs",
        {
            "PutMetricFilter": _put_metric_filter,
            "AssociateKmsKey": _associate_kms_key,
            "DisassociateKmsKey": _disassociate_kms_key,
        },
    )


def _compile_filter_pattern(original: Any) -> Any:
    """Terms are case-sensitive; all must occur, `-` ones must not, and of `?` ones any suffices."""

    def compile_pattern(raw: str) -> Callable[[str], bool]:
        pattern = (raw or "").strip()
        if not pattern or pattern.startswith(("{", "[")):
            matcher: Callable[[str], bool] = original("{" if pattern else "")
            return matcher
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

    return compile_pattern


def _occurs(phrase: str, expression: str, word: str) -> Callable[[str], bool]:
    if expression:
        compiled = re.compile(expression)
        return lambda message: compiled.search(message) is not None
    text = phrase or word
    return lambda message: text in message


def _put_metric_filter(request: Request) -> dict[str, Any]:
    """Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html"""
    transformations = request.get("metricTransformations") or []
    if len(transformations) != 1 or not all(
        transformations[0].get(name) for name in ("metricName", "metricNamespace", "metricValue")
    ):
        raise AwsError(
            "InvalidParameterException",
            "A metric filter needs exactly one metric transformation with metricName, metricNamespace and "
            "metricValue.",
        )
    return ask_json("logs", "PutMetricFilter", request)


def _put_log_events(original: Any) -> Any:
    """Adds up what the group's metric filters count in the new events."""

    def put(request: Request) -> Response:
        response: Response = original(request)
        if response[0] < 400:
            messages = [event.get("message", "") for event in request.get("logEvents", [])]
            of_group = {"logGroupName": request.get("logGroupName")}
            for metric_filter in ask_json("logs", "DescribeMetricFilters", of_group)["metricFilters"]:
                _count(metric_filter, messages)
        return response

    return put


def _count(metric_filter: dict[str, Any], messages: list[str]) -> None:
    matches = cloudwatch_logs._compile_filter_pattern(metric_filter["filterPattern"])
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


def _group(request: Request) -> dict[str, Any]:
    name = request.get("logGroupName") or request.get("resourceIdentifier", "").rpartition("log-group:")[2]
    group: dict[str, Any] | None = cloudwatch_logs._log_groups.get(name.removesuffix(":*"))
    if group is None:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    return group


def _associate_kms_key(request: Request) -> dict[str, Any]:
    _group(request)["kmsKeyId"] = request["kmsKeyId"]
    return {}


def _disassociate_kms_key(request: Request) -> dict[str, Any]:
    _group(request).pop("kmsKeyId", None)
    return {}
