"""Stands between the engine and a policy pack until the pack can be told which stack it judges.

The engine sends the stack's name and configuration by the call ConfigureStack, after it has connected; a pack
in Python reads them from its environment, when it starts. So this proxy takes the connection, starts the pack
on ConfigureStack, or on the first call where the engine sends none, and passes every call on as it came.

Owns: the names in the environment, the order of the calls.
Does not own: the process (`language_host` starts and stops it), or what the calls mean.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Mapping
from concurrent import futures
from typing import Any, cast

import grpc
from pulumi.runtime.proto import analyzer_pb2

SERVICE = "/pulumirpc.Analyzer/"
START_TIMEOUT_SECONDS = 60.0


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


class PolicyProxy(grpc.GenericRpcHandler):  # type: ignore[misc] # grpc ships no types
    """An Analyzer service on a port of its own that forwards to a pack started by `start`."""

    def __init__(self, start: Callable[[Mapping[str, str]], subprocess.Popen[bytes]]) -> None:
        self._start = start
        self._starting = threading.Lock()
        self._handshake = analyzer_pb2.AnalyzerHandshakeRequest().SerializeToString()
        self._process: futures.Future[subprocess.Popen[bytes] | None] = futures.Future()
        self._pack: futures.Future[grpc.Channel] = futures.Future()
        self._server = grpc.server(
            futures.ThreadPoolExecutor(max_workers=16),
            options=[("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0)],
        )
        self._server.add_generic_rpc_handlers((self,))
        self.port: int = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """Choose the handler of a call; messages stay bytes."""
        method = str(handler_call_details.method)
        if not method.startswith(SERVICE):
            return None
        handlers = {"Handshake": self._hold_handshake, "ConfigureStack": self._configure}
        own = handlers.get(method.removeprefix(SERVICE))
        return grpc.unary_unary_rpc_method_handler(own or self._passing(method))

    def process(self) -> subprocess.Popen[bytes] | None:
        """Wait until the pack has been started; None when the proxy was closed first."""
        return self._process.result()

    def connect(self, port: int) -> None:
        """Forward to the pack, which serves on this port of the loopback address."""
        self._pack.set_result(
            grpc.insecure_channel(
                f"127.0.0.1:{port}",
                options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
            )
        )

    def close(self) -> None:
        """Stop serving; calls in flight fail as unavailable."""
        with self._starting:
            if not self._process.done():
                self._process.set_result(None)
        if not self._pack.done():
            self._pack.cancel()
        self._server.stop(grace=0)

    def _hold_handshake(self, message: bytes, _context: grpc.ServicerContext) -> bytes:
        self._handshake = message
        return cast("bytes", analyzer_pb2.AnalyzerHandshakeResponse().SerializeToString())

    def _configure(self, message: bytes, context: grpc.ServicerContext) -> bytes:
        self._ensure_started(
            stack_environment(analyzer_pb2.AnalyzerStackConfigureRequest.FromString(message))
        )
        return self._forward(f"{SERVICE}ConfigureStack", message, context)

    def _passing(self, method: str) -> Callable[[bytes, grpc.ServicerContext], bytes]:
        def call(message: bytes, context: grpc.ServicerContext) -> bytes:
            self._ensure_started({})
            return self._forward(method, message, context)

        return call

    def _ensure_started(self, environment: Mapping[str, str]) -> None:
        with self._starting:
            if self._process.done():
                return
            self._process.set_result(self._start(environment))
        try:
            pack = self._pack.result(START_TIMEOUT_SECONDS)
            pack.unary_unary(f"{SERVICE}Handshake")(self._handshake)
        except (futures.CancelledError, futures.TimeoutError):
            return
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNIMPLEMENTED:
                raise

    def _forward(self, method: str, message: bytes, context: grpc.ServicerContext) -> bytes:
        try:
            pack = self._pack.result(START_TIMEOUT_SECONDS)
        except (futures.CancelledError, futures.TimeoutError):
            context.abort(grpc.StatusCode.UNAVAILABLE, "the policy pack ended before it served")
        try:
            call = pack.unary_unary(method).future(message)
            context.add_callback(call.cancel)
            return cast("bytes", call.result())
        except grpc.RpcError as error:
            # The same status and details, as if the engine had called the pack itself.
            context.abort(error.code(), error.details())
            raise
