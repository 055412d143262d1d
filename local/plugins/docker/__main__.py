"""Run the plugin: `python -m local.plugins.docker ENGINE_ADDRESS`. Prints its port and serves until ended."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2_grpc

from local.plugins.common.serving import ADDRESS, announce, engine_address
from local.plugins.docker.servicer import DockerServicer, announcement

_PARALLEL_REQUESTS = 32

if __name__ == "__main__":
    servicer = DockerServicer(engine_address("docker", sys.argv[1:]))
    print(announcement(), file=sys.stderr)
    server = grpc.server(ThreadPoolExecutor(_PARALLEL_REQUESTS), options=_GRPC_CHANNEL_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port(ADDRESS)
    server.start()
    announce(port)
    server.wait_for_termination()
