"""Serves a policy pack's Analyzer service from the start, and loads the pack once its stack is known.

The engine sends the stack's name and configuration by the call ConfigureStack, after it has connected; a
pack in Python reads them from its environment, when it is loaded. So this server takes the connection, loads
the pack on ConfigureStack, or on the first call where the engine sends none, and has the pack answer from
then on.

Owns: the names in the environment, the order of the calls, the server in place of the one that the SDK would
start. A call takes no way round by another process: the engine waits for two per resource.
Does not own: the process (`language_runtime` starts and stops it), or what the calls mean.
"""

from __future__ import annotations

import io
import json
import os
import runpy
import sys
import threading
from collections.abc import Sequence
from concurrent import futures
from functools import partial
from typing import IO, Any, Final, NamedTuple, cast

import grpc
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import analyzer_pb2

SERVICE: Final = "/pulumirpc.Analyzer/"
PARALLEL_CALLS: Final = 16


class Call(NamedTuple):
    """What a handler is chosen by."""

    method: str
    invocation_metadata: Sequence[Any]


def serve_pack(arguments: Sequence[str]) -> None:
    """Serve on a free port of the loopback address, print it, and run the pack in this thread until it ends.

    `arguments` are those of `python -m pulumi.policy`: the engine's address and the pack's folder.
    """
    server = PackServer()
    print(server.port, flush=True)
    os.environ.update(server.stack())
    sys.argv = ["pulumi.policy", *arguments]
    grpc.server = server.stand_in_for_grpc_server
    try:
        runpy.run_module("pulumi.policy", run_name="__main__", alter_sys=True)
    finally:
        server.stop(grace=0)


def stack_environment(request: Any) -> dict[str, str]:
    """Return what the SDK reads as configuration, project, stack and mode, from a ConfigureStack request."""
    environment = {
        "PULUMI_CONFIG": json.dumps(dict(request.config)),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.config_secret_keys)),
        "PULUMI_ORGANIZATION": request.organization,
        "PULUMI_PROJECT": request.project,
        "PULUMI_STACK": request.stack,
        "PULUMI_DRY_RUN": "true" if request.dry_run else "false",
    }
    return {name: value for name, value in environment.items() if value}


class PackServer(grpc.GenericRpcHandler):  # type: ignore[misc] # grpc ships no types
    """An Analyzer service that takes calls before there is a pack to answer them."""

    def __init__(self) -> None:
        self._stack: futures.Future[dict[str, str]] = futures.Future()
        self._choosing = threading.Lock()
        self._pack: futures.Future[grpc.GenericRpcHandler] = futures.Future()
        self._server = grpc.server(
            futures.ThreadPoolExecutor(PARALLEL_CALLS),
            options=[*_GRPC_CHANNEL_OPTIONS, ("grpc.so_reuseport", 0)],
        )
        self._server.add_generic_rpc_handlers((self,))
        self.port: int = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def service(self, call: Any) -> grpc.RpcMethodHandler | None:
        """Choose the handler of a call: the pack's, or one that waits for the pack."""
        if not call.method.startswith(SERVICE):
            return None
        if call.method == f"{SERVICE}Handshake":
            return grpc.unary_unary_rpc_method_handler(
                _shake_hands, response_serializer=analyzer_pb2.AnalyzerHandshakeResponse.SerializeToString
            )
        if self._pack.done() and not self._pack.cancelled():
            return self._pack.result().service(call)
        return grpc.unary_unary_rpc_method_handler(
            partial(self._answer_by_pack, Call(call.method, call.invocation_metadata))
        )

    def stack(self) -> dict[str, str]:
        """Wait until the engine has said which stack the pack judges; return the variables that say so."""
        return self._stack.result()

    def stand_in_for_grpc_server(self, *_arguments: Any, **_options: Any) -> PackServer:
        """What the SDK gets where it makes the server of a pack."""
        return self

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Have the pack's service answer."""
        (handler,) = handlers
        self._pack.set_result(handler)

    def add_insecure_port(self, address: str) -> int:  # noqa: ARG002 - gRPC's signature
        """The port that this server has already; its announcement, which the engine has had, is dropped."""
        announcement = f"{self.port}\n".encode()
        sys.stdout = io.TextIOWrapper(_Without(announcement, sys.stdout.buffer), write_through=True)
        return self.port

    def start(self) -> None:
        """Nothing: this server serves already."""

    def stop(self, grace: float | None) -> None:
        """Serve no more; calls that wait for the pack fail as unavailable."""
        self._pack.cancel()
        self._server.stop(grace)

    def _answer_by_pack(self, call: Call, message: bytes, context: grpc.ServicerContext) -> bytes:
        with self._choosing:
            if not self._stack.done():
                configured = call.method == f"{SERVICE}ConfigureStack"
                request = analyzer_pb2.AnalyzerStackConfigureRequest
                self._stack.set_result(stack_environment(request.FromString(message)) if configured else {})
        try:
            handler = self._pack.result().service(call)
        except futures.CancelledError:
            context.abort(grpc.StatusCode.UNAVAILABLE, "the policy pack ended before it served")
        if handler is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"the policy pack has no {call.method}")
        answer = handler.unary_unary(handler.request_deserializer(message), context)
        return cast("bytes", handler.response_serializer(answer))


class _Without(io.RawIOBase):
    """A stream that drops one line, the first time that it is written."""

    def __init__(self, line: bytes, stream: IO[bytes]) -> None:
        super().__init__()
        self._line: bytes | None = line
        self._stream = stream

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any, /) -> int:
        """Write all but the line."""
        written = bytes(data)
        if written == self._line:
            self._line = None
        else:
            self._stream.write(written)
            self._stream.flush()
        return len(written)


def _shake_hands(_message: bytes, _context: grpc.ServicerContext) -> Any:
    return analyzer_pb2.AnalyzerHandshakeResponse()
