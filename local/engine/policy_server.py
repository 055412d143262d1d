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

import contextlib
import json
import os
import runpy
import sys
from collections.abc import Callable, Sequence
from concurrent import futures
from typing import Any, Final, cast

import grpc
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

PARALLEL_CALLS: Final = 16


def serve_pack(arguments: Sequence[str]) -> None:
    """Serve on a free port of the loopback address, print it, and run the pack in this thread until it ends.

    `arguments` are those of `python -m pulumi.policy`: the engine's address and the pack's folder.
    """
    pack = Pack()
    server = grpc.server(
        futures.ThreadPoolExecutor(PARALLEL_CALLS),
        options=[*_GRPC_CHANNEL_OPTIONS, ("grpc.so_reuseport", 0)],
    )
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(cast("analyzer_pb2_grpc.AnalyzerServicer", pack), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    os.environ.update(pack.stack.result())
    sys.argv = ["pulumi.policy", *arguments]

    def add(servicer: analyzer_pb2_grpc.AnalyzerServicer, server: Any) -> None:  # noqa: ARG001 - gRPC's signature
        pack.loaded.set_result(servicer)

    # What the SDK would serve by: this server serves already.
    grpc.server = lambda *_arguments, **_options: Serving()
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server = add
    try:
        runpy.run_module("pulumi.policy", run_name="__main__", alter_sys=True)
    finally:
        pack.loaded.cancel()
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


class Pack:
    """The Analyzer service: a call waits until the pack is loaded, and is answered by it."""

    def __init__(self) -> None:
        self.stack: futures.Future[dict[str, str]] = futures.Future()
        """The variables that say which stack the pack judges."""
        self.loaded: futures.Future[analyzer_pb2_grpc.AnalyzerServicer] = futures.Future()

    def __getattr__(self, method: str) -> Callable[[Any, grpc.ServicerContext], Any]:
        """Return the handler of a call."""

        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            if method == "Handshake":
                return analyzer_pb2.AnalyzerHandshakeResponse()
            told = stack_environment(request) if method == "ConfigureStack" else {}
            with contextlib.suppress(futures.InvalidStateError):
                self.stack.set_result(told)
            try:
                loaded = self.loaded.result()
            except futures.CancelledError:
                context.abort(grpc.StatusCode.UNAVAILABLE, "the policy pack ended before it served")
            return getattr(loaded, method)(request, context)

        return answer


class Serving:
    """What the SDK asks of the server that it makes for a pack, of one that serves already."""

    def add_insecure_port(self, address: str) -> str:  # noqa: ARG002 - gRPC's signature
        """Nothing, for the SDK to announce: the engine has the port, and passes over an empty line."""
        return ""

    def start(self) -> None:
        """Nothing."""

    def stop(self, grace: float | None) -> None:
        """Nothing: the end of the pack stops the server."""
