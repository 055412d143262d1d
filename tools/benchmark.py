"""How long the local stack and its tests take on this machine: `make benchmark`.

Prints figures and asserts none: machines differ, and a slow one isn't wrong. Measures committed work, in
clones of its own, beside any local stack of this one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
PREVIEWS = 5
_CACHES = (
    "FILEFLOW_CACHE_DIR",
    "XDG_CACHE_HOME",
    "GOPATH",
    "GOCACHE",
    "GOMODCACHE",
    "PIP_CACHE_DIR",
    "UV_CACHE_DIR",
)


def seconds_of(command: list[str], environment: Mapping[str, str], folder: Path = ROOT) -> float:
    """Seconds that a command takes in a folder; its output shows only when it fails."""
    began = time.monotonic()
    done = subprocess.run(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return time.monotonic() - began


def told(what: str, seconds: float, more: str = "") -> None:
    print(f"{what:<42}{seconds:7.1f} s{more}", flush=True)


def previews(clones: Mapping[str, Path], environment: Mapping[str, str]) -> None:
    """Times unchanged previews of each clone by turns, so that what else the machine does meets them all."""
    taken: dict[str, list[float]] = {name: [] for name in clones}
    for _ in range(PREVIEWS):
        for name, clone in clones.items():
            taken[name].append(seconds_of(["make", "preview"], environment, clone))
    for name, each in taken.items():
        spread = f"  (median of {PREVIEWS}, {min(each):.1f} to {max(each):.1f})"
        told(f"preview, nothing changed{name}", statistics.median(each), spread)


@contextmanager
def clone(folder: Path, commit: str = "HEAD", environment: Mapping[str, str] = os.environ) -> Iterator[Path]:
    """A clone of this one at a commit; what was started in it has ended afterwards."""
    seconds_of(["git", "clone", "--quiet", str(ROOT), str(folder)], os.environ)
    wanted = subprocess.run(
        ["git", "rev-parse", commit], cwd=ROOT, capture_output=True, text=True, check=True
    )
    seconds_of(["git", "checkout", "--quiet", wanted.stdout.strip()], os.environ, folder)
    try:
        yield folder
    finally:
        seconds_of(["make", "down"], environment, folder)


def warm(folder: Path, against: str | None) -> None:
    """Measures a new clone with the cache as it is, and runs that change nothing."""
    with clone(folder / "clone") as new:
        told("up, a new clone and a filled cache", seconds_of(["make", "up"], os.environ, new))
        told("up, nothing changed", seconds_of(["make", "up"], os.environ, new))
        if against is None:
            previews({"": new}, os.environ)
            return
        with clone(folder / "against", against) as old:
            seconds_of(["make", "up"], os.environ, old)
            previews({"": new, f", {against}": old}, os.environ)


def cold(folder: Path) -> None:
    """Measures the first `make up` of a person who has nothing: empty home, no cache, packages from afar."""
    home = folder / "home"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if name not in _CACHES}
    environment |= {"HOME": str(home)}
    free, least, ended = shutil.disk_usage(folder).free, [], threading.Event()

    def watch() -> None:
        while not ended.wait(0.5):
            least.append(shutil.disk_usage(folder).free)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with clone(folder / "clone", environment=environment) as new:
            told("up, empty home", seconds_of(["make", "up"], environment, new))
    finally:
        ended.set()
        watcher.join()
    peak, after = ((free - each) / 2**30 for each in (min(least), shutil.disk_usage(folder).free))
    print(f"disk, at its most and after it            {peak:7.1f} and {after:.1f} GiB")


def main() -> None:
    """Measures what the command line asks for."""
    parser = argparse.ArgumentParser(prog="make benchmark ARGUMENTS=...", description=__doc__)
    parser.add_argument("--against", metavar="COMMIT", help="compare previews with those of a commit")
    parser.add_argument(
        "--cold", action="store_true", help="the first `make up`, without any cache (minutes)"
    )
    parser.add_argument("--suite", action="store_true", help="`make test` (minutes)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.cold:
            cold(Path(folder))
        elif options.suite:
            with clone(Path(folder, "clone")) as new:
                told("make test", seconds_of(["make", "test"], os.environ, new))
        else:
            warm(Path(folder), options.against)


if __name__ == "__main__":
    main()
