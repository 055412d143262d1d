"""The one ASGI application of the emulated AWS: ministack's, completed.

Owns which requests ministack doesn't get to see (health, and the services that it doesn't have) and that
every completion is installed before the first request. Deliberately doesn't own any service's behaviour;
each has a module under `local.emulator.completions`.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ministack import app as ministack_app

from local.emulator import completions
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
        await ministack_app.app(scope, receive, send)

    return application


async def _answer_health(send: Send) -> None:
    body = json.dumps(
        {
            "status": "ready",
            "generation": GENERATION,
            "pid": os.getpid(),
            "ministack": ministack_app._version(),
            "containers": engine_name(),
            "services": sorted(ministack_app.SERVICE_HANDLERS),
        }
    ).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
