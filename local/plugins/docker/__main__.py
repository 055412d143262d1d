"""Run the plugin: `python -m local.plugins.docker ENGINE_ADDRESS`. Prints its port and serves until ended."""

from __future__ import annotations

import sys

from local.plugins.common.serving import engine_address, serve
from local.plugins.docker.servicer import DockerServicer, announcement

_PARALLEL_REQUESTS = 32

if __name__ == "__main__":
    servicer = DockerServicer(engine_address("docker", sys.argv[1:]))
    print(announcement(), file=sys.stderr)
    serve(servicer, _PARALLEL_REQUESTS)
