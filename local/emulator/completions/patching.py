"""How a completion is put into ministack: replace or wrap by name, and fail at start if the name is gone.

Owns nothing but that. ministack's functions find each other through their module's names and through one
table of actions per service, so a completion replaces entries of both.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

Request = dict[str, Any]
Response = tuple[int, dict[str, Any], bytes]
Handler = Callable[[Request], Response]


class AwsError(Exception):
    """An error that the emulated service answers, by AWS's error code and message."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def replace(module: ModuleType, name: str, replacement: Any) -> Any:
    """Puts `replacement` in the place of the module's `name`; returns what was there."""
    if not hasattr(module, name):
        raise RuntimeError(
            f"{module.__name__} has no {name!r}: the completions don't fit this version of ministack"
        )
    original = getattr(module, name)
    setattr(module, name, replacement)
    return original


def wrap(module: ModuleType, name: str, function: Callable[..., Any]) -> None:
    """Has `function` called in the place of the module's `name`, with that one before the arguments."""
    setattr(module, name, partial(function, replace(module, name, None)))


def json_body(response: Response) -> dict[str, Any]:
    """The decoded body of an answer in JSON."""
    body: dict[str, Any] = json.loads(response[2])
    return body


def json_action(handler: Callable[[Request], dict[str, Any]]) -> Handler:
    """Turns a function from request to result, which may raise AwsError, into an action of a JSON service."""
    from ministack.core.responses import error_response_json, json_response

    def action(request: Request) -> Response:
        try:
            response: Response = json_response(handler(request))
        except AwsError as error:
            response = error_response_json(error.code, error.message, error.status)
        return response

    return action
