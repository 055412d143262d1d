"""Asks ministack from inside, by AWS's public API, so that its private stores need not be read.

Owns the way to ministack's own handlers in this process, in the account and region of the request that is
being answered. What the completions put before a handler isn't asked. Deliberately knows no service.
"""

from __future__ import annotations

import json
import re
from collections.abc import Coroutine
from typing import Any
from urllib.parse import parse_qs, urlencode

import botocore.parsers
import botocore.serialize
from ministack import app as ministack_app

from local.emulator.completions.patching import AwsError, Request, Response
from local.emulator.completions.protocols import MINISTACKS, modelled

_HANDLERS = dict(ministack_app.SERVICE_HANDLERS)
"""ministack's own, before anything was put before them."""

_LOOSE = re.compile(rb'&(?!(amp|lt|gt|quot|apos|#\d+);)|<(?!/?\w+( xmlns="[^"]*")?/?>|\?)')
"""What neither is an entity nor begins a tag: ministack doesn't escape all that it answers."""


def ask_json(service: str, action: str, request: Request) -> dict[str, Any]:
    """The answer of a service that speaks JSON; an error that it answers is raised."""
    headers = {"x-amz-target": f"Inside.{action}", "content-type": "application/x-amz-json-1.0"}
    status, _, body = end_of(_HANDLERS[service]("POST", "/", headers, json.dumps(request).encode(), {}))
    answer: dict[str, Any] = json.loads(body or b"{}")
    if status >= 400:
        code = str(answer.get("__type", "InternalFailure")).rpartition("#")[2]
        raise AwsError(code, str(answer.get("message") or answer.get("Message") or ""), status)
    return answer


def ask(service: str, action: str, request: Request) -> dict[str, Any]:
    """The answer of a service that speaks another protocol than JSON; an error that it answers is raised."""
    model = modelled(service).model
    operation = model.operation_model(action)
    protocol = model.metadata["protocol"]
    sent = botocore.serialize.create_serializer(protocol, include_validation=False).serialize_to_request(
        request, operation
    )
    body = sent["body"]
    content = urlencode(body).encode() if isinstance(body, dict) else body
    path, _, of_path = sent["url_path"].partition("?")
    if "Bucket" in request and f"/{request['Bucket']}" not in path:
        path = f"/{request['Bucket']}{path}"  # botocore has S3's endpoint rules put it into the host's name
    query = parse_qs(f"{of_path}&{urlencode(sent['query_string'])}", keep_blank_values=True)
    status, headers, answered = end_of(
        _HANDLERS[MINISTACKS.get(service, service)](
            sent["method"],
            path,
            {name.lower(): value for name, value in sent["headers"].items()},
            content,
            query,
        )
    )
    if protocol == "query":
        answered = _LOOSE.sub(lambda found: b"&amp;" if found[0] == b"&" else b"&lt;", answered)
    parsed: dict[str, Any] = botocore.parsers.create_parser(protocol).parse(
        {"status_code": status, "headers": headers, "body": answered}, operation.output_shape
    )
    if status >= 300:
        error = parsed["Error"]
        raise AwsError(error.get("Code", str(status)), error.get("Message", ""), status)
    parsed.pop("ResponseMetadata", None)
    return parsed


def end_of(handling: Coroutine[Any, Any, Response]) -> Response:
    """What a handler returns that waits for nothing, as those of records do."""
    try:
        handling.send(None)
    except StopIteration as end:
        answer: Response = end.value
        return answer
    handling.close()
    raise RuntimeError("a service that waits can't be asked from inside")
