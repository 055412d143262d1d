"""CloudWatch Logs: filter patterns with phrases and alternatives, metric filters that count, keys that can
be set.

Owns what ministack lacks of the filters that the program uses. Deliberately matches every event for
patterns on JSON or columns, as ministack does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ministack import app as ministack_app
from ministack.services import cloudwatch, cloudwatch_logs

from local.emulator.completions.patching import AwsError, Request, Response, json_action, wrap

_TERM = re.compile(r'([-?]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]+)%|(\S+))')


def install() -> None:
    """Completes log groups and filters."""
    wrap(cloudwatch_logs, "_compile_filter_pattern", _compile_filter_pattern)
    wrap(cloudwatch_logs, "_put_log_events", _put_log_events)
    wrap(cloudwatch_logs, "_put_metric_filter", _put_metric_filter)
    add_json_actions(
        "logs", {"AssociateKmsKey": _associate_kms_key, "DisassociateKmsKey": _disassociate_kms_key}
    )


def add_json_actions(service: str, actions: dict[str, Callable[[Request], dict[str, Any]]]) -> None:
    """Answers these actions of a JSON service of ministack; the service itself answers all others."""
    import json

    original = ministack_app.SERVICE_HANDLERS[service]

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Response:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action in actions:
            return json_action(actions[action])(json.loads(body or b"{}"))
        response: Response = await original(method, path, headers, body, query)
        return response

    ministack_app.SERVICE_HANDLERS[service] = handle_request


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


def _put_metric_filter(original: Any) -> Any:
    def put(request: Request) -> Response:
        transformations = request.get("metricTransformations") or []
        if len(transformations) != 1 or not all(
            transformations[0].get(name) for name in ("metricName", "metricNamespace", "metricValue")
        ):
            refused: Response = cloudwatch_logs.error_response_json(
                "InvalidParameterException",
                "A metric filter needs exactly one metric transformation with metricName, metricNamespace "
                "and "
                "metricValue.",
                400,
            )
            return refused
        response: Response = original(request)
        return response

    return put


def _put_log_events(original: Any) -> Any:
    """Adds up what the group's metric filters count in the new events."""

    def put(request: Request) -> Response:
        response: Response = original(request)
        if response[0] < 400:
            for (group, _), metric_filter in cloudwatch_logs._metric_filters.items():
                if group == request.get("logGroupName"):
                    _count(
                        metric_filter, [event.get("message", "") for event in request.get("logEvents", [])]
                    )
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
