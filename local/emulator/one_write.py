"""An answer's head and body in one write, since a client in Go may lose what comes after the head.

The SDK for Go closes a request's body as soon as it sees an answer. Its transport, which may not be through
with that body yet, takes this for an error and closes the connection; what it hasn't read of the answer by
then is lost, and the SDK sends the request again: a second create fails. It reads up to 4 KiB at once, so
what comes with the head is safe.
Source: https://github.com/aws/aws-sdk-go-v2/issues/2737, https://github.com/aws/aws-sdk-go-v2/pull/2949

Owns the one change to hypercorn that this needs; it can go when hypercorn joins both by itself, which its
test shows by passing without it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import hypercorn.protocol
from hypercorn.events import RawData

from local.emulator.completions.patching import replace

Write = Callable[[Any], Awaitable[None]]


class OneWrite:
    """Hands on what HTTP/1.1 sends, an answer's head with what follows it."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._head = b""

    async def __call__(self, event: Any) -> None:
        if isinstance(event, RawData):
            # An informational answer (100 Continue) is waited for, and nothing follows it.
            begins = event.data.startswith(b"HTTP/1.1 ") and not event.data.startswith(b"HTTP/1.1 1")
            if begins and not self._head:
                self._head = event.data
                return
            event = RawData(self._head + event.data)
        elif self._head:
            await self._write(RawData(self._head))
        self._head = b""
        await self._write(event)


def install() -> None:
    """Has hypercorn's HTTP/1.1 send by it."""

    def joining(*arguments: Any, **options: Any) -> Any:
        protocol = original(*arguments, **options)
        protocol.send = OneWrite(protocol.send)
        return protocol

    original = replace(hypercorn.protocol, "H11Protocol", joining)
