"""Asks ministack from inside, by AWS's public API, so that its private stores need not be read.

Owns the way to ministack's own handlers in this process, in the account and region of the request that is
being answered. What the completions put before a handler isn't asked. Deliberately knows no service.
"""

from __future__ import annotations

import json
from collections.abc import Coroutine
from typing import Any

from ministack import app as ministack_app

from local.emulator.completions.patching import AwsError, Request, Response

_HANDLERS = dict(ministack_app.SERVICE_HANDLERS)
"""ministack's own, before anything was put before them."""


def ask_json(service: str, action: str, request: Request) -> dict[str, Any]:
    """The answer of a service that speaks JSON; an error that it answers is raised."""
    headers = {"x-amz-target": f"Inside.{action}", "content-type": "application/x-amz-json-1.0"}
    status, _, body = _end_of(_HANDLERS[service]("POST", "/", headers, json.dumps(request).encode(), {}))
    answer: dict[str, Any] = json.loads(body or b"{}")
    if status >= 400:
        code = str(answer.get("__type", "InternalFailure")).rpartition("#")[2]
        raise AwsError(code, str(answer.get("message") or answer.get("Message") or ""), status)
    return answer


def _end_of(handling: Coroutine[Any, Any, Response]) -> Response:
    """What a handler returns that waits for nothing, as those of records do."""
    try:
        handling.send(None)
    except StopIteration as end:
        answer: Response = end.value
        return answer
    handling.close()
    raise RuntimeError("a service that waits can't be asked from inside")
