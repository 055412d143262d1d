"""How a plugin starts and ends: it prints its port, serves on 127.0.0.1, and doesn't outlive the engine.

An engine that is killed can't stop its plugins, so each watches its parent process and leaves with it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

import grpc
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import ResourceProviderServicer, provider_pb2_grpc

ADDRESS = "127.0.0.1:0"
_PARENT_POLL_SECONDS = 1.0
ENGINES_PATIENCE_SECONDS = 5.0
"""What the engine gives all plugins of a run together, which it ends one after the other: one that it can't
ask any more "exited prematurely", which "is always a bug in the provider".

Source: ReleaseContext in https://github.com/pulumi/pulumi/blob/v3.250.0/pkg/host/host.go
"""
GRACE_SECONDS = 1.0
"""How long a request under way may hold its plugin up; nobody hears its answer by then."""
_ENDING = (signal.SIGTERM, signal.SIGINT)


def engine_address(plugin: str, arguments: Sequence[str]) -> str:
    """Return the engine's address from the command line; options that the engine adds are ignored."""
    parser = argparse.ArgumentParser(
        prog=f"pulumi-resource-{plugin}", description=f"the local stand-in for {plugin}"
    )
    parser.add_argument("engine", nargs="?", default="", help="the engine's address, HOST:PORT")
    known, _ = parser.parse_known_args(arguments)
    return str(known.engine)


def exit_with_parent() -> None:
    """End this process soon after the one that started it has ended."""
    parent = os.getppid()
    stopped = threading.Event()

    def watch() -> None:
        while not stopped.wait(_PARENT_POLL_SECONDS):
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGTERM)
                return

    threading.Thread(target=watch, name="parent watch", daemon=True).start()


def serve(servicer: ResourceProviderServicer, parallel_requests: int) -> NoReturn:
    """Serve a plugin until this process is asked to end, which a request under way holds up for a moment."""
    server = grpc.server(ThreadPoolExecutor(parallel_requests), options=_GRPC_CHANNEL_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port(ADDRESS)
    stopped = threading.Event()
    for number in _ENDING:
        signal.signal(number, lambda *_: stopped.set())
    server.start()
    _announce(port)
    stopped.wait()
    servicer.Cancel(None, None)
    server.stop(GRACE_SECONDS).wait()
    # Threads of unfinished requests would hold the interpreter back.
    os._exit(0)


async def serve_async(servicer: ResourceProviderServicer) -> None:
    """Serve a plugin whose methods are coroutines until this process is asked to end."""
    server = grpc.aio.server(options=_GRPC_CHANNEL_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port(ADDRESS)
    stopped = asyncio.Event()
    for number in _ENDING:
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await server.start()
    _announce(port)
    await stopped.wait()
    # A component under construction waits for an engine that is gone.
    await asyncio.wait([asyncio.ensure_future(server.stop(None))], timeout=GRACE_SECONDS)
    os._exit(0)


def _announce(port: int) -> None:
    """Tell the engine the port, and begin to watch it."""
    gc.set_threshold(200_000, 50, 50)
    exit_with_parent()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
