"""The ways to two schedulers: what people, ECS, machines and networks do that starts a second one.

Each is a function of a scene; how long things take in it is chance, by the scene's dice. Owns what
happens; what came of it is the watcher's to say.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence

from tests.torture.faults import KINDS, Way
from tests.torture.scene import Scene, Task

Provocation = Callable[[Scene], Awaitable[None]]

PROVOCATIONS: dict[str, Provocation] = {}


def provocation(name: str) -> Callable[[Provocation], Provocation]:
    """Puts a function into the table of provocations."""

    def put(function: Provocation) -> Provocation:
        PROVOCATIONS[name] = function
        return function

    return put


async def _working(scene: Scene, *, stops_in: float = 0.0, stop_timeout: float = 0.5) -> Task:
    task = await scene.start(stops_in=stops_in, stop_timeout=stop_timeout)
    await scene.works(task)
    return task


async def _pair(scene: Scene, *, stops_in: float = 0.0) -> tuple[Task, Task]:
    """One that works, and one that was started beside it a moment ago."""
    first = await _working(scene, stops_in=stops_in)
    second = await scene.start()
    await scene.waits(scene.dice.uniform(0.05, 0.4))
    return first, second


@provocation("`run-task` by hand")
async def run_task(scene: Scene) -> None:
    first, second = await _pair(scene)
    for task in scene.dice.sample([first, second], 2):
        await scene.stop(task)
        await scene.waits(0.1)


@provocation("desired count 2 or 3 by hand")
async def count_by_hand(scene: Scene) -> None:
    tasks = await asyncio.gather(*(scene.start() for _ in range(scene.dice.choice((2, 3)))))
    await scene.somebody_works()
    for task in scene.dice.sample(tasks, len(tasks)):
        await scene.waits(scene.dice.uniform(0.02, 0.2))
        await scene.stop(task)


@provocation("a second service, stopped in either order")
async def second_service(scene: Scene) -> None:
    first, second = await _pair(scene, stops_in=scene.dice.uniform(0, 0.3))
    await asyncio.gather(scene.stop(first), scene.waits(scene.dice.uniform(0, 0.2)))
    if scene.dice.random() < 0.5:
        await scene.stop(second)
        second = await scene.start()
    await scene.works(second)


@provocation("a second stack, on a network of its own where calls fail")
async def second_stack(scene: Scene) -> None:
    first = await _working(scene)
    elsewhere = await scene.way()
    elsewhere.share = 0.2
    second = await scene.start(elsewhere)
    await scene.waits(scene.dice.uniform(0.2, 1.2))
    await scene.stop(scene.dice.choice((first, second)))
    await scene.somebody_works()


@provocation("a rename: the new service starts before the old one ends")
async def rename(scene: Scene) -> None:
    first = await _working(scene, stops_in=0.1)
    second = await scene.start()
    await scene.waits(scene.dice.uniform(0, 0.5))
    await scene.stop(first)
    await scene.works(second)


@provocation("a rollout whose old task takes its time to stop")
async def slow_rollout(scene: Scene) -> None:
    first = await _working(scene, stops_in=scene.dice.uniform(0.1, 0.7), stop_timeout=1.0)
    first.send(signal.SIGTERM)
    second = await scene.start()
    await scene.stop(first, 1.0)
    await scene.works(second)


@provocation("a rollout whose old task ignores SIGTERM")
async def deaf_rollout(scene: Scene) -> None:
    timeout = scene.dice.uniform(0.3, 1.0)
    first = await _working(scene, stops_in=99, stop_timeout=timeout)
    first.send(signal.SIGTERM)
    second = await scene.start()
    await scene.stop(first, timeout)
    await scene.works(second)


@provocation("ten forced deployments in a row")
async def deployments(scene: Scene) -> None:
    task = await _working(scene, stops_in=0.05)
    stopping = []
    for _ in range(10):
        stopping.append(asyncio.create_task(scene.stop(task)))
        task = await scene.start(stops_in=0.05)
        await scene.waits(scene.dice.uniform(0, 0.15))
    await asyncio.gather(*stopping)
    await scene.works(task)


@provocation("guard killed")
async def guard_killed(scene: Scene) -> None:
    first, second = await _pair(scene)
    await scene.kill(scene.dice.choice((first, first, second)))
    await scene.start()
    await scene.somebody_works()


@provocation("guard killed at a moment of its start")
async def killed_at_start(scene: Scene) -> None:
    for _ in range(4):
        task = await scene.start()
        await scene.waits(scene.dice.uniform(0, 0.04))
        await scene.kill(task)
    await asyncio.gather(scene.start(), scene.start())
    await scene.somebody_works()
    await scene.waits(0.1)


@provocation("scheduler killed")
async def child_killed(scene: Scene) -> None:
    first, second = await _pair(scene)
    scene.kills += 1
    first.send_child(signal.SIGKILL)
    await scene.works(second)


@provocation("guard stands still")
async def guard_stopped(scene: Scene) -> None:
    first, second = await _pair(scene)
    first.send(signal.SIGSTOP)
    await scene.waits(scene.dice.uniform(0.1, 1.6))
    first.send(signal.SIGCONT)
    await scene.waits(0.2)
    await scene.stop(scene.dice.choice((first, second)))
    await scene.somebody_works()


@provocation("scheduler stands still while it is told to stop")
async def child_stopped(scene: Scene) -> None:
    first = await _working(scene, stop_timeout=0.6)
    first.send_child(signal.SIGSTOP)
    first.send(signal.SIGTERM)
    second = await scene.start()
    await scene.waits(scene.dice.uniform(0, 0.6))
    first.send_child(signal.SIGCONT)
    await scene.stop(first, 0.8)
    await scene.works(second)


@provocation("container paused")
async def paused(scene: Scene) -> None:
    first, _ = await _pair(scene)
    first.send(signal.SIGSTOP)
    first.send_child(signal.SIGSTOP)
    await scene.waits(scene.dice.uniform(0.1, 1.6))
    first.send_child(signal.SIGCONT)
    first.send(signal.SIGCONT)
    await scene.waits(0.3)
    await scene.somebody_works()


@provocation("network of the holder cut, and healed")
async def holder_cut(scene: Scene) -> None:
    first, second = await _pair(scene, stops_in=scene.dice.choice((0, 99)))
    first.way.is_cut = True
    await scene.waits(scene.dice.uniform(0.1, 1.6))
    first.way.is_cut = False
    await scene.waits(0.2)
    await scene.stop(scene.dice.choice((first, second)))
    await scene.somebody_works()


@provocation("network of all cut, and healed")
async def all_cut(scene: Scene) -> None:
    await _pair(scene, stops_in=scene.dice.choice((0, 99)))
    for way in scene.ways:
        way.is_cut = True
    await scene.waits(scene.dice.uniform(0.2, 1.6))
    for way in scene.ways:
        way.is_cut = False
    await scene.somebody_works()


def _faulty(kinds: Sequence[str], share: float) -> Provocation:
    async def provoke(scene: Scene) -> None:
        async def faulty() -> Way:
            way = await scene.way()
            way.kinds, way.share = kinds, share
            return way

        first = await scene.start(await faulty(), stops_in=scene.dice.uniform(0, 0.2))
        second = await scene.start(await faulty())
        await scene.somebody_works()
        await scene.waits(scene.dice.uniform(0.2, 0.8))
        await scene.stop(first)
        third = await scene.start(await faulty())
        await scene.waits(scene.dice.uniform(0.2, 0.6))
        await scene.stop(scene.dice.choice((second, third)))
        await scene.somebody_works()

    return provoke


for _share in (0.05, 0.2, 0.5):
    PROVOCATIONS[f"{_share:.0%} of all calls to DynamoDB fail, in every way"] = _faulty(KINDS, _share)
PROVOCATIONS["half of the answers lost"] = _faulty(("lost",), 0.5)
PROVOCATIONS["half of the calls late, some after their successor"] = _faulty(
    ("late request", "late answer"), 0.5
)


def _outage(kind: str) -> Provocation:
    async def provoke(scene: Scene) -> None:
        await _pair(scene, stops_in=scene.dice.choice((0, 99)))
        for way in scene.ways:
            way.kinds, way.share = (kind,), 1.0
        await scene.waits(scene.dice.uniform(0.2, 1.3))
        for way in scene.ways:
            way.share = 0.0
        await scene.start()
        await scene.somebody_works()

    return provoke


PROVOCATIONS["DynamoDB throttles all for a while"] = _outage("throttled")
PROVOCATIONS["renewals succeed and their answers are lost for a while"] = _outage("lost")
PROVOCATIONS["permission taken away for a while"] = _outage("denied")
PROVOCATIONS["table gone for a while"] = _outage("no table")
