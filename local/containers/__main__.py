"""`python3 -m local.containers start`: the engine and registry behind `make docker`.

Owns the command line only.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from local.cli import Call, carry_out
from local.containers import local_containers


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python3 -m local.containers")
    parser.add_argument("command", choices=["start"])
    return carry_out(_start, parser.parse_args(argv), again="make docker")


def _start(call: Call) -> int:
    """Start a Docker engine and a registry, or say which ones answer already."""
    folder = local_containers.folder_of(call.paths, call.environment)
    for name, value in local_containers.start(folder, call.environment).variables().items():
        print(f"export {name}={value}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
