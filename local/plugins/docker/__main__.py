"""Run the plugin: `python -m local.plugins.docker ENGINE_ADDRESS`. Prints its port and serves until ended."""

from __future__ import annotations

import sys

import grpc
from pulumi.runtime.proto import engine_pb2_grpc

from local.plugins.common.serving import engine_address, serve
from local.plugins.docker.servicer import DockerServicer, announcement

_PARALLEL_REQUESTS = 32

if __name__ == "__main__":
    engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(engine_address("docker", sys.argv[1:])))
    print(announcement(), file=sys.stderr)
    serve(DockerServicer(engine), _PARALLEL_REQUESTS)
