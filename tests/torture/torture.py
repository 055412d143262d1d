"""All that is done to FileFlow to make it fail, and a table of what came of it.

    python -m tests.torture.torture [KIND...] [--seed N] [--only N]

Without a KIND all of them run, one after the other. Everything by chance is by the seed, which is printed; a
failure says how to see it again. Owns the command line and the table. Each kind is a module of its own.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from tests.torture import canary, configurations, containers, hands, kills, provider_faults, scenes
from tests.torture.evidence import Evidence, table

KINDS: dict[str, Callable[[int], Evidence]] = {
    "scenes": scenes.evidence,
    "containers": containers.evidence,
    "kills": kills.evidence,
    "faults": provider_faults.evidence,
    "hands": hands.evidence,
    "secrets": canary.evidence,
    "configurations": configurations.evidence,
}
"""What `make torture` runs, in this order."""

AGAIN: dict[str, Callable[[int, int], str]] = {
    "scenes": scenes.again,
    "configurations": configurations.again,
}
"""What plays one of a kind once more, by its number."""


def main() -> int:
    """Runs the kinds, and returns 1 where anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.torture", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}; all if omitted")
    parser.add_argument(
        "--seed", type=int, default=time.time_ns() % 1_000_000, help="by default another each time"
    )
    parser.add_argument(
        "--only", type=int, help=f"this one of {' or '.join(AGAIN)} alone, as a failure named it"
    )
    given = parser.parse_args()
    if unknown := set(given.kinds) - set(KINDS):
        parser.error(f"there is no kind {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
    if given.only is not None:
        if len(given.kinds) != 1 or given.kinds[0] not in AGAIN:
            parser.error(f"--only belongs to one of {', '.join(AGAIN)}")
        print(AGAIN[given.kinds[0]](given.seed, given.only))
        return 0
    found = []
    for kind in given.kinds or KINDS:
        begun = time.monotonic()
        print(f"{kind}, seed {given.seed}", flush=True)
        found.append(KINDS[kind](given.seed))
        print(table(found[-1:]), f"in {time.monotonic() - begun:.0f} s", sep="\n", flush=True)
    print(table(found), flush=True)
    return 1 if any(each.failures for each in found) else 0


if __name__ == "__main__":
    sys.exit(main())
