"""`python -m local.plugins.aws ENGINE_ADDRESS`: prints the port, serves until it is told to stop."""

from __future__ import annotations

import sys

from ..common.serving import engine_address, serve
from .provider import Provider

_PARALLEL_REQUESTS = 64
"""More than the engine's default parallelism: a waiting service must not hold up the others."""

if __name__ == "__main__":
    engine_address("aws", sys.argv[1:])
    sys.stderr.write("aws: a stand-in for the aws plugin, on the emulated AWS\n")
    serve(Provider(), _PARALLEL_REQUESTS)
