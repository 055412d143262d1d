"""What holds for the tests of a whole process.

Some tests serve gRPC in their own process, others start commands that must end with it, by a function that
runs between fork and exec. gRPC's handlers run there too, and end one child in ten before its exec.
"""

from __future__ import annotations

import os

# Read when gRPC is first used; no test talks gRPC in a forked process.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
