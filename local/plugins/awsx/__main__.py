"""Run the plugin: `python -m local.plugins.awsx ENGINE_ADDRESS`. Prints its port, then serves until ended."""

from __future__ import annotations

import asyncio
import sys

from local.plugins.awsx.servicer import VERSION, AwsxServicer
from local.plugins.common.serving import engine_address, serve_async

if __name__ == "__main__":
    address = engine_address("awsx", sys.argv[1:])
    print(f"awsx {VERSION} is stood in for by this project's local plugin", file=sys.stderr)
    asyncio.run(serve_async(AwsxServicer(address)))
