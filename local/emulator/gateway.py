"""The one ASGI application of the emulated AWS: ministack's, completed.

Owns which requests ministack doesn't get to see (health, and the services that it doesn't have) and that
every completion is installed before the first request. Deliberately doesn't own any service's behaviour;
each has a module under `local.emulator.completions`.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from importlib.metadata import version
from typing import Any

from ministack import app as ministack_app

from local.emulator import completions
from local.emulator.completions import account
from local.emulator.completions.ecs_containers import engine_name

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

HEALTH_PATH = "/_ministack/health"
GENERATION = secrets.token_hex(8)
"""Drawn anew by each process: a caller that knew another one knows that what it had stored is gone."""


def build_application() -> Application:
    """Installs every completion into ministack and returns the application that serves all."""
    # ministack would run whatever scripts it finds in /docker-entrypoint-initaws.d and /etc/localstack.
    ministack_app._collect_scripts = lambda *_directories: []
    completions.install()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == HEALTH_PATH:
            await _answer_health(send)
            return
        if scope["type"] == "http" and (nothing := account.nothing_there(scope)) is not None:
            await _send(send, *nothing)
            return
        await ministack_app.app(scope, receive, send)

    return application


async def _answer_health(send: Send) -> None:
    body = json.dumps(
        {
            "status": "ready",
            "generation": GENERATION,
            "pid": os.getpid(),
            "ministack": version("ministack"),
            "containers": engine_name(),
            "services": sorted(ministack_app.SERVICE_HANDLERS),
        }
    ).encode()
    await _send(send, 200, {"content-type": "application/json"}, body)


async def _send(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    named = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    named = [*named, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": named})
    await send({"type": "http.response.body", "body": body})
