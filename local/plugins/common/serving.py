"""How a plugin starts and ends: it prints its port, serves on 127.0.0.1, and doesn't outlive the engine.

An engine that is killed can't stop its plugins, so each watches its parent process and leaves with it.
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
import threading
from collections.abc import Sequence

import grpc
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import ResourceProviderServicer, provider_pb2_grpc

ADDRESS = "127.0.0.1:0"
_PARENT_POLL_SECONDS = 1.0


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


async def serve_async(servicer: ResourceProviderServicer) -> None:
    """Serve a plugin whose methods are coroutines, until the process is ended."""
    server = grpc.aio.server(options=_GRPC_CHANNEL_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    announce(server.add_insecure_port(ADDRESS))
    await server.start()
    await server.wait_for_termination()


def announce(port: int) -> None:
    """Tell the engine the port, and begin to watch it."""
    gc.set_threshold(200_000, 50, 50)
    exit_with_parent()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
