"""`python3 -m local.containers start | status | sample`: the engine and registry behind `make docker`.

Owns the command line only.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from local.cli import Call, carry_out
from local.containers import local_containers, sample

COMMANDS = {
    "start": "start a Docker engine and a registry, or say which ones answer already",
    "status": "say what runs; the exit code is 1 when an engine or a registry is missing",
    "sample": "build the program that local/sample packs into an image",
}


def main(argv: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python3 -m local.containers")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, help_text in COMMANDS.items():
        commands.add_parser(name, help=help_text)
    return carry_out(_run, parser.parse_args(argv), again="make docker")


def _run(call: Call) -> int:
    paths, environment, command = call.paths, call.environment, call.options.command
    folder = local_containers.folder_of(paths, environment)
    if command == "sample":
        print(sample.ensure(paths, environment))
        return 0
    if command == "start":
        started = local_containers.start(folder, environment)
        for name, value in started.variables().items():
            print(f"export {name}={value}")
        return 0
    print("\n".join(local_containers.describe(folder, environment)))
    return 0 if local_containers.find(folder, environment) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
