"""A way to AWS on which things go wrong: throttling, errors, resets, late and lost answers, a cut.

Owns one listening port for each way. Doesn't own what is behind it, nor when what goes wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import http
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

ANSWERS = {
    "throttled": (400, "ProvisionedThroughputExceededException"),
    "failed": (500, "InternalServerError"),
    "denied": (400, "AccessDeniedException"),
    "no table": (400, "ResourceNotFoundException"),
    "slow down": (503, "SlowDown"),
}

KINDS = ("throttled", "failed", "reset", "lost", "late request", "late answer", "twice")
"""What can go wrong with a call. *lost*: it happens, and nobody hears of it. *late request*: it happens when
its caller has given up. *twice*: a network repeats it, and the second answer counts."""


@dataclass
class Way:
    """A way to the table. `share` of the calls go wrong, in one of `kinds`, `late_seconds` at most too late.

    While it `is_cut`, nothing gets through and nobody is told.
    """

    endpoint: str
    dice: random.Random
    late_seconds: float
    share: float = 0.0
    kinds: Sequence[str] = KINDS
    is_cut: bool = False
    injected: Counter[str] = field(default_factory=Counter)
    on_request: Callable[[bytes], object] | None = None
    """Hears each request, whole, before anything is done with it."""
    port: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def open(self) -> None:
        """Listens, on a free port of this machine."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stops listening, and forgets what is under way."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while request := await _message(reader):
                if self.on_request is not None:
                    self.on_request(request)
                if not await self._answer(request, writer):
                    break
        writer.close()

    async def _answer(self, request: bytes, writer: asyncio.StreamWriter) -> bool:
        """Answers one call, or lets it go wrong; false ends the connection."""
        kind = "cut" if self.is_cut else ""
        if not kind and self.dice.random() < self.share:
            kind = self.dice.choice(self.kinds)
        if kind:
            self.injected[kind] += 1
        if kind == "cut":
            await asyncio.sleep(self.late_seconds)
            return False
        if kind == "reset":
            writer.transport.abort()
            return False
        if kind in ANSWERS:
            answer = refusal(request, *ANSWERS[kind])
        else:
            if kind == "late request":
                # Its caller has gone by then; whether it comes before or after the next one is chance.
                self._later(request, self.dice.uniform(0, self.late_seconds))
                return await self._silence()
            if kind == "twice":
                await self._forward(request)
            answer = await self._forward(request)
            if kind == "lost":
                return await self._silence()
            if kind == "late answer":
                await asyncio.sleep(self.dice.uniform(0, self.late_seconds))
        writer.write(answer)
        await writer.drain()
        return True

    def _later(self, request: bytes, seconds: float) -> None:
        async def forward() -> None:
            await asyncio.sleep(seconds)
            await self._forward(request)

        task = asyncio.create_task(forward())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _silence(self) -> bool:
        await asyncio.sleep(self.late_seconds)
        return False

    async def _forward(self, request: bytes) -> bytes:
        host, _, port = self.endpoint.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            # To its end: an answer to HEAD has a length and no body.
            return _kept_alive(await reader.read())
        finally:
            writer.close()


async def _message(reader: asyncio.StreamReader) -> bytes:
    """A request, whole; nothing where the connection has ended."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return b""
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return head + await reader.readexactly(length)


def _kept_alive(answer: bytes) -> bytes:
    """AWS's own connection ends with the call; the caller's goes on."""
    head, gap, body = answer.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    return b"\r\n".join(lines) + gap + body


def refusal(request: bytes, status: int, code: str) -> bytes:
    """An error in the protocol that the request speaks.

    Source: https://smithy.io/2.0/aws/protocols/index.html
    """
    head = request.partition(b"\r\n\r\n")[0].lower()
    name = code.encode()
    if b"application/x-amz-json" in head:
        kind, body = b"application/x-amz-json-1.0", b'{"__type":"%s","message":"Injected"}' % name
    elif b"application/cbor" in head or b"rpc-v2-cbor" in head:
        # A map of one text.
        kind, body = b"application/cbor", b"\xa1\x66__type\x78" + bytes([len(name)]) + name
    else:
        error = b"<Error><Code>%s</Code><Message>Injected</Message></Error>" % name
        kind = b"text/xml"
        if b"application/x-www-form-urlencoded" in head:
            error = b"<ErrorResponse>%s<RequestId>injected</RequestId></ErrorResponse>" % error
        body = error
    extra = b"smithy-protocol: rpc-v2-cbor\r\n" if kind == b"application/cbor" else b""
    words = http.HTTPStatus(status).phrase.encode()
    answer = b"HTTP/1.1 %d %s\r\n%sContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
    return answer % (status, words, extra, kind, len(body)) + body
