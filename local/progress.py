"""Tells a person what is being done and for how long.

Owns: lines on stderr, rewritten in place on a terminal and plain everywhere else. Deliberately doesn't own
results (stdout) or failures (`local.errors`, printed by `local.cli`).
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from time import monotonic

PLAIN_INTERVAL_SECONDS = 10.0
TERMINAL_INTERVAL_SECONDS = 0.2


class Step:
    """One thing that takes a while. Whoever waits for it calls `tick` often."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._stream = sys.stderr
        self._terminal = self._stream.isatty()
        self._began = self._said = monotonic()
        self._note = ""
        self._print("", end="" if self._terminal else "\n")

    def note(self, text: str) -> None:
        """Say at the end of the step how it came out, for example where something was found."""
        self._note = text

    def tick(self, detail: str = "") -> None:
        """Show that the step is alive, at most every ten seconds where the output is not a terminal."""
        interval = TERMINAL_INTERVAL_SECONDS if self._terminal else PLAIN_INTERVAL_SECONDS
        if monotonic() - self._said < interval:
            return
        self._said = monotonic()
        self._print(f" {self._said - self._began:.0f} s{f' ({detail})' if detail else ''}", end="\n")

    def finish(self, outcome: str) -> None:
        """Say how it ended."""
        note = f": {self._note}" if self._note else ""
        self._print(f"{note} {outcome} in {monotonic() - self._began:.1f} s", end="\n", last=True)

    def _print(self, text: str, end: str, last: bool = False) -> None:
        line = f"{self._what} ...{text}" if not last else f"{self._what}{text}"
        if self._terminal:
            self._stream.write(f"\r\x1b[K{line[:200]}{chr(10) if last else ''}")
        else:
            self._stream.write(line + end)
        self._stream.flush()


def say(line: str) -> None:
    """Print one line."""
    print(line, file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(what: str) -> Iterator[Step]:
    """Announce a step, and say afterwards how it ended and how long it took."""
    begun = Step(what)
    try:
        yield begun
    except BaseException:
        begun.finish("stopped")
        raise
    begun.finish("done")
