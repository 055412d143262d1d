"""The embedded default: everything `make up` needs on a machine without an AWS account or a Pulumi CLI."""

import sys

try:
    import fcntl  # noqa: F401 stands for all that only a Unix has: locks, process groups, signals
except ImportError:
    raise SystemExit(
        f"error: the local stack runs on Linux, macOS or WSL, and {sys.platform} is none of them.\n"
        "Fix: on Windows, install WSL (wsl --install) and work in a clone inside it."
    ) from None
