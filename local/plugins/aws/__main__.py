"""`python -m local.plugins.aws ENGINE_ADDRESS`: prints the port, serves until it is told to stop."""

from __future__ import annotations

import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2_grpc

from ..common.serving import ADDRESS, announce, engine_address
from .provider import Provider

_PARALLEL_REQUESTS = 64
"""More than the engine's default parallelism: a waiting service must not hold up the others."""

_GRACE_SECONDS = 5


def main() -> None:
    engine_address("aws", sys.argv[1:])
    sys.stderr.write("aws: a stand-in for the aws plugin, on the emulated AWS\n")
    provider = Provider()
    server = grpc.server(ThreadPoolExecutor(_PARALLEL_REQUESTS), options=_GRPC_CHANNEL_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port(ADDRESS)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    server.start()
    announce(port)
    stopped.wait()
    provider.Cancel(None, None)
    server.stop(_GRACE_SECONDS).wait()


if __name__ == "__main__":
    main()
