"""Provokes two schedulers in every way, again and again, and says whether two ever worked at once.

The guard is the real one, as processes of this machine; the table is the local stack's DynamoDB, behind a
proxy for faults. Leases are shorter than 60 s, and everything about them with them. A scene is repeated by
the seed and the number that are printed with it, though not to the millisecond: processes are scheduled
as the machine likes. Owns the run and the table of its scenes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import boto3

from components.names import LEASE_KEY
from local import virtual_environments
from local.emulator import process as emulator
from local.engine import build
from local.paths import ROOT, Paths
from tests.torture.evidence import Evidence
from tests.torture.provocations import PROVOCATIONS
from tests.torture.scene import ACCOUNT, REGION, Programs, Scene
from tests.torture.watcher import Judgement, judge, read

TABLE = "leases"
COUNT = 525
LEASE_SECONDS = 6.0
AT_ONCE = 8


@dataclass
class Tally:
    """What came of the scenes of one kind."""

    scenes: int = 0
    beside: int = 0
    kills: int = 0
    overlapping: int = 0
    overlap_seconds: float = 0.0
    longest_gap_seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    idle: int = 0
    """Scenes in which nobody worked at all, which would prove nothing."""

    def add(self, scene: Scene, judged: Judgement) -> None:
        """Counts a scene."""
        self.scenes += 1
        self.beside += scene.beside
        self.kills += scene.kills
        self.overlapping += bool(judged.overlaps)
        self.overlap_seconds += judged.overlap_seconds
        self.longest_gap_seconds = max(self.longest_gap_seconds, judged.longest_gap_seconds)
        self.idle += judged.units == 0
        for way in scene.ways:
            self.faults += way.injected


@dataclass
class Outcome:
    """What came of a run. `failures` name each scene that had two at work, or an older fencing number."""

    lease_seconds: float
    tallies: dict[str, Tally] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    @property
    def total(self) -> Tally:
        total = Tally()
        for each in self.tallies.values():
            total.scenes += each.scenes
            total.beside += each.beside
            total.kills += each.kills
            total.overlapping += each.overlapping
            total.overlap_seconds += each.overlap_seconds
            total.longest_gap_seconds = max(total.longest_gap_seconds, each.longest_gap_seconds)
            total.faults += each.faults
            total.idle += each.idle
        return total

    def table(self) -> str:
        """The run as a table, gaps in leases: of one of 60 s they are minutes."""
        head = (
            "provocation",
            "scenes",
            "second starts",
            "faults",
            "kills",
            "with two at work",
            "longest gap",
        )
        lines = [f"| {' | '.join(head)} |", "|---|" + "---:|" * (len(head) - 1)]
        for name, tally in [*self.tallies.items(), ("**all**", self.total)]:
            gap = f"{tally.longest_gap_seconds / self.lease_seconds:.2f} leases"
            cells = (tally.scenes, tally.beside, tally.faults.total(), tally.kills, tally.overlapping, gap)
            lines.append(f"| {name} | {' | '.join(str(each) for each in cells)} |")
        return "\n".join(lines)


def plan(count: int, names: Sequence[str] = ()) -> list[str]:
    """Which provocation each scene is: all in turn."""
    chosen = list(names or PROVOCATIONS)
    return [chosen[number % len(chosen)] for number in range(count)]


async def torture(
    programs: Programs,
    folder: Path,
    scenes: Sequence[str],
    *,
    seed: int,
    lease_seconds: float,
    at_once: int,
    leased: bool = True,
    only: int | None = None,
) -> Outcome:
    """Plays the scenes, a few at once, and judges each."""
    outcome = Outcome(lease_seconds, {name: Tally() for name in dict.fromkeys(scenes)})
    room = asyncio.Semaphore(at_once)

    async def play(number: int, name: str) -> None:
        async with room:
            scene = Scene(
                f"scene-{seed}-{number}",
                programs,
                folder,
                random.Random(f"{seed}/{number}"),
                lease_seconds,
                leased,
            )
            try:
                await PROVOCATIONS[name](scene)
            finally:
                await scene.end()
            judged = judge(read(scene.lines()))
            outcome.tallies[name].add(scene, judged)
            if not judged.units:
                said = "; ".join(f"{task.name}: {', '.join(task.events[:3])}" for task in scene.tasks)
                print(f"nobody worked in {name}: {said}", flush=True)
            wrong = [*judged.overlaps, *(judged.older_tokens if leased else ())]
            if wrong:
                outcome.failures.append(f"{name}, --seed {seed} --only {number}: {wrong[0]}")
            done = outcome.total.scenes
            if done % 20 == 0 or (wrong and leased):
                print(
                    f"{done} of {len(scenes)} scenes, {outcome.total.overlapping} with two at work",
                    flush=True,
                )

    chosen = [(number, name) for number, name in enumerate(scenes) if only in (None, number)]
    await asyncio.gather(*(play(number, name) for number, name in chosen))
    return outcome


@contextlib.contextmanager
def stage(folder: Path) -> Iterator[Programs]:
    """The programs, built, and an emulated AWS with a table, for as long as it is needed."""
    guard, worker = (built(folder, source) for source in (ROOT / "guard", Path(__file__).parent / "worker"))
    state = folder / "emulator"
    python = virtual_environments.ensure(Paths.of(os.environ), virtual_environments.EMULATOR, os.environ)
    running = emulator.start(python, None, folder / "emulator.log", state)
    try:
        dynamodb = boto3.client(
            "dynamodb",
            endpoint_url=running.url,
            region_name=REGION,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="local",
        )
        dynamodb.create_table(
            TableName=TABLE,
            AttributeDefinitions=[{"AttributeName": LEASE_KEY, "AttributeType": "S"}],
            KeySchema=[{"AttributeName": LEASE_KEY, "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield Programs(guard=guard, worker=worker, endpoint=running.url, table=TABLE)
    finally:
        emulator.stop(state)


def built(folder: Path, source: Path) -> Path:
    """A Go program of this project, built into a folder."""
    go = build.ensure_go(Paths.of(os.environ).cache, os.environ)
    output = folder / source.name
    command = [str(go), "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", str(output), "."]
    subprocess.run(command, cwd=source, env=build.go_environment(os.environ), check=True)
    return output


def provoked(
    seed: int, count: int, lease_seconds: float, at_once: int, *, leased: bool = True, only: int | None = None
) -> Outcome:
    """Plays that many scenes on a stage of their own."""
    with tempfile.TemporaryDirectory(prefix="torture-") as name, stage(Path(name)) as programs:
        return asyncio.run(
            torture(
                programs,
                Path(name),
                plan(count),
                seed=seed,
                lease_seconds=lease_seconds,
                at_once=at_once,
                leased=leased,
                only=only,
            )
        )


def again(seed: int, only: int) -> str:
    """Plays one scene once more, with the lease."""
    outcome = provoked(seed, COUNT, LEASE_SECONDS, 1, only=only)
    return "\n".join([outcome.table(), *outcome.failures])


def evidence(seed: int, count: int = COUNT) -> Evidence:
    """The scenes with the lease, and as many without it, of which each has to have two at work."""
    outcome = provoked(seed, count, LEASE_SECONDS, AT_ONCE)
    without = provoked(seed, count, 1.0, AT_ONCE, leased=False)
    print(outcome.table())
    total = outcome.total
    failures = list(outcome.failures)
    if without.total.overlapping < count:
        failures.append(f"without the lease {count - without.total.overlapping} scenes have no two at work")
    return Evidence(
        "two schedulers, provoked with processes",
        {
            "scenes": total.scenes,
            "faults injected": total.faults.total(),
            "kills": total.kills,
            "overlaps of work with the lease": total.overlapping,
            "without it": without.total.overlapping,
            "longest time without a scheduler": f"{total.longest_gap_seconds / LEASE_SECONDS:.2f} leases",
        },
        failures,
        [
            f"{total.beside:,} starts of a second scheduler beside a first; leases of {LEASE_SECONDS:g} s, "
            f"seed {seed}"
        ],
    )
