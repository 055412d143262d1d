"""One scheduler, one lease and what happens to them. Tasks are processes of this machine.

Owns starting, stopping, pausing and killing tasks as ECS, people and machines do. A task is the guard with
the worker behind it or, without the lease, the worker alone. Doesn't own what is done to whom
(`provocations`) nor what came of it (`watcher`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.torture.faults import Way

ACCOUNT = "646886795421"
REGION = "ap-northeast-2"
LOOKS = 0.01


@dataclass(frozen=True, kw_only=True)
class Programs:
    """What tasks run, and the table that they meet in."""

    guard: Path
    worker: Path
    endpoint: str
    table: str


@dataclass
class Task:
    """One task; `events` are what its guard said."""

    name: str
    process: asyncio.subprocess.Process
    way: Way
    events: list[str] = field(default_factory=list)

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to the guard, or to the worker where there is no guard."""
        if self.alive:
            # asyncio's own way to do it takes the process's end from who waits for it.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, number)

    def send_child(self, number: signal.Signals) -> None:
        """Sends a signal to the worker."""
        children = Path(f"/proc/{self.process.pid}/task")
        found = [
            int(pid)
            for each in (children.glob("*/children") if children.exists() else ())
            for pid in _read(each).split()
        ]
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if not found:
            self.send(number)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        # The thread has ended.
        return ""


class Scene:
    """A stage for one provocation. Times are in leases, so that they scale."""

    def __init__(
        self,
        name: str,
        programs: Programs,
        folder: Path,
        dice: random.Random,
        lease_seconds: float,
        leased: bool,
    ) -> None:
        self.name, self.dice, self.lease_seconds, self.leased = name, dice, lease_seconds, leased
        self.place = folder / f"{name}.work"
        self.place.touch()
        self.tasks: list[Task] = []
        self.ways: list[Way] = []
        self.beside = 0
        """How often a task was started while another one was there: the ways to two."""
        self.kills = 0
        self._programs = programs
        self._readers: list[asyncio.Task[None]] = []
        self._started = 0
        self._starting = 0

    async def way(self) -> Way:
        """Another way to the table, as from another stack's network."""
        made = Way(
            self._programs.endpoint, random.Random(self.dice.random()), late_seconds=1.5 * self.lease_seconds
        )
        await made.open()
        self.ways.append(made)
        return made

    async def start(
        self, way: Way | None = None, *, stops_in: float = 0.0, stop_timeout: float = 0.5
    ) -> Task:
        """Starts a task, which works on for `stops_in` leases after SIGTERM."""
        way = way or await self.way()
        name = f"task-{self._started}"
        self._started += 1
        if self._starting or any(each.alive for each in self.tasks):
            self.beside += 1
        self._starting += 1
        work = [self._programs.worker, self.place, name, f"{stops_in * self.lease_seconds:.3f}s"]
        guard = [
            *(self._programs.guard, "run", "--table", self._programs.table, "--key", self.name),
            *("--lease", f"{self.lease_seconds:.3f}s"),
            *("--stop-timeout", f"{stop_timeout * self.lease_seconds:.3f}s"),
            *("--socket", f"@torture/{os.getpid()}/{self.name}/{name}", "--"),
        ]
        process = await asyncio.create_subprocess_exec(
            *(str(each) for each in ([*guard, *work] if self.leased else work)),
            stderr=asyncio.subprocess.PIPE,
            env={
                "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{way.port}",
                "AWS_REGION": REGION,
                "AWS_ACCESS_KEY_ID": ACCOUNT,
                "AWS_SECRET_ACCESS_KEY": "local",
            },
            start_new_session=True,
        )
        task = Task(name, process, way)
        self._starting -= 1
        self.tasks.append(task)
        self._readers.append(asyncio.create_task(self._listen(task)))
        return task

    async def _listen(self, task: Task) -> None:
        assert task.process.stderr is not None
        async for line in task.process.stderr:
            try:
                task.events.append(json.loads(line)["msg"])
            except ValueError:
                task.events.append(line.decode(errors="replace").strip())

    async def works(self, task: Task, *, leases: float = 6.0) -> bool:
        """Waits until this task works; false where it has ended, or time is up."""
        await self._until(lambda: not task.alive or f" {task.name} " in _read(self.place), leases)
        return task.alive

    async def somebody_works(self, leases: float = 6.0) -> None:
        """Waits for work that is done from now on; where no task is left, ECS starts another one."""
        begun = self.place.stat().st_size
        if not any(each.alive for each in self.tasks):
            await self.start()
        await self._until(lambda: self.place.stat().st_size > begun, leases)

    async def waits(self, leases: float) -> None:
        """Lets time go by."""
        await asyncio.sleep(leases * self.lease_seconds)

    async def stop(self, task: Task, timeout: float = 0.5) -> None:
        """Stops a task as ECS does: SIGTERM, and SIGKILL when the stop timeout is over."""
        task.send(signal.SIGTERM)
        await self._ended(task, timeout)

    async def kill(self, task: Task) -> None:
        """Kills the guard, or the worker where there is none."""
        self.kills += 1
        task.send(signal.SIGKILL)
        await task.process.wait()

    async def _ended(self, task: Task, leases: float) -> None:
        try:
            await asyncio.wait_for(task.process.wait(), leases * self.lease_seconds)
        except TimeoutError:
            task.send(signal.SIGCONT)
            await self.kill(task)

    async def _until(self, condition: Callable[[], bool], leases: float) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + leases * self.lease_seconds
        while not condition() and loop.time() < deadline:
            await asyncio.sleep(LOOKS)

    async def end(self) -> None:
        """Ends what is left."""
        for task in self.tasks:
            task.send(signal.SIGKILL)
            task.send(signal.SIGCONT)
        await asyncio.gather(*(task.process.wait() for task in self.tasks))
        await asyncio.gather(*self._readers)
        for way in self.ways:
            await way.close()

    def lines(self) -> Sequence[str]:
        """What the workers wrote."""
        return _read(self.place).splitlines(keepends=True)
