"""How long the local stack takes: `make benchmark`.

Prints figures and asserts none: machines differ, and a slow one isn't wrong. Runs beside any local
stack of this clone, in a folder of its own. The first figure of a new machine, with the engine's build,
is `make setup` with an empty FILEFLOW_CACHE_DIR.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
PREVIEWS = 5


def timed(arguments: list[str], environment: Mapping[str, str]) -> float:
    """Seconds that a command of the local stack takes; its output shows only when it fails."""
    return seconds_of([sys.executable, "-m", "local", *arguments], environment)


def seconds_of(command: list[str], environment: Mapping[str, str]) -> float:
    """Seconds that a command takes in the checkout; its output shows only when it fails."""
    began = time.monotonic()
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return time.monotonic() - began


def main() -> None:
    """Measures a cold `up`, an unchanged `up` and unchanged previews, with the policy pack."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "FILEFLOW_LOCAL_DIR": str(Path(folder, "local"))}
        timed(["setup"], environment)
        try:
            print(f"up, from a cold emulator    {timed(['up'], environment):6.1f} s", flush=True)
            print(f"up, nothing changed         {timed(['up'], environment):6.1f} s", flush=True)
            previews = [timed(["preview"], environment) for _ in range(PREVIEWS)]
            spread = f"{min(previews):.1f} to {max(previews):.1f}"
            print(
                f"preview, nothing changed    {statistics.median(previews):6.1f} s"
                f"  (median of {PREVIEWS}, {spread})",
                flush=True,
            )
        finally:
            print(f"down                        {timed(['down'], environment):6.1f} s", flush=True)


if __name__ == "__main__":
    main()
