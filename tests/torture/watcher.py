"""Who worked when, from what the workers wrote: whether two did at once, and how long nobody did.

Pure. Owns the judgement; it knows nothing of leases, so that it sees the same with and without one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NANOSECONDS = 1e9


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One unit of work, in seconds of the machine's own clock.

    One that its worker didn't live to finish ends when it began: what came of it is unknown, but nothing
    shows that it went on.
    """

    worker: str
    token: int
    begin: float
    end: float


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What the units of one place say."""

    units: int
    workers: int
    overlap_seconds: float
    """How long two workers were at work at once, in all."""
    overlaps: Sequence[str]
    """Each pair of units that did, in words."""
    longest_gap_seconds: float
    """The longest time between two units without any."""
    older_tokens: Sequence[str]
    """Each unit whose fencing number is below one that worked before it, in words."""


def read(lines: Iterable[str]) -> list[Unit]:
    """The units that workers wrote, by their begin. A last line that was cut off by a kill is left out."""
    begun: dict[tuple[str, str, str], float] = {}
    ended: dict[tuple[str, str, str], float] = {}
    for line in lines:
        if not line.endswith("\n"):
            continue
        event, worker, token, number, at = line.split()
        (begun if event == "begin" else ended)[worker, token, number] = int(at) / NANOSECONDS
    units = [
        Unit(worker=key[0], token=int(key[1]), begin=begin, end=ended.get(key, begin))
        for key, begin in begun.items()
    ]
    return sorted(units, key=lambda each: each.begin)


def judge(units: Sequence[Unit]) -> Judgement:
    """Two units of different workers that share a moment are one overlap."""
    overlap, overlaps, older, gap = 0.0, [], [], 0.0
    # The unit that reaches farthest, of each worker: a later begin is compared with all of them.
    reach: dict[str, Unit] = {}
    newest = units[0] if units else None
    for unit in units:
        for other in reach.values():
            if other.worker != unit.worker and other.end >= unit.begin:
                overlap += min(other.end, unit.end) - unit.begin
                overlaps.append(f"{other.worker} ({other.token}) and {unit.worker} ({unit.token})")
        if newest is not None and unit.token < newest.token:
            older.append(f"{unit.worker} ({unit.token}) after {newest.worker} ({newest.token})")
        elif newest is None or unit.token > newest.token:
            newest = unit
        farthest = reach.get(unit.worker)
        if farthest is None or unit.end > farthest.end:
            reach[unit.worker] = unit
    end = units[0].end if units else 0.0
    for before, unit in itertools.pairwise(units):
        end = max(end, before.end)
        gap = max(gap, unit.begin - end)
    return Judgement(
        units=len(units),
        workers=len({each.worker for each in units}),
        overlap_seconds=overlap,
        overlaps=overlaps,
        longest_gap_seconds=gap,
        older_tokens=older,
    )
