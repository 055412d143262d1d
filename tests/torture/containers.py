"""Ways to two schedulers on real containers: a stack whose schedulers write their work to one place.

Owns the engine, the image of the worker, what people and machines do to the tasks, and the place. The worker
is the torture's own (`worker/`); each unit of its work goes over a connection to this process, in whose
buffer it stays when the container is killed. What came of it is the watcher's to say (`watcher`).
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import socketserver
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker

from local.containers import local_containers
from local.errors import LocalError
from tests.local.containers.real_engine import ENVIRONMENT
from tests.torture.evidence import Evidence
from tests.torture.scenes import built
from tests.torture.stack import CLUSTER, DOWNLOAD, TorturedStack
from tests.torture.watcher import Judgement, judge, read
from tests.waiting import eventually

TASK_LABEL = "com.amazonaws.ecs.task-arn"
NAME_LABEL = "com.amazonaws.ecs.container-name"
LEASE_SECONDS = 10
STOP_SECONDS = 12
FORCED_DEPLOYMENTS = 5
WITHOUT_ANOTHER_ENGINE = dict.fromkeys(
    ("DOCKER_HOST", "FILEFLOW_REGISTRY", "FILEFLOW_CONTAINER_NETWORK", "FILEFLOW_DOCKER_DIR"), ""
)

DOCKERFILE = """FROM scratch
COPY worker /worker
USER 1000:1000
ENTRYPOINT ["/worker", "{place}", "-", "600s"]
"""
"""The worker is deaf to SIGTERM for longer than any stop timeout."""


class Place(socketserver.ThreadingTCPServer):
    """Where the workers write, by what each says that it works for."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: str) -> None:
        lines = self.lines = defaultdict[str, list[str]](list)

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                for line in self.rfile:
                    text = line.decode()
                    lines[text.split()[1].partition("/")[0]].append(text)

        super().__init__((address, 0), Handler)
        self.url = f"tcp:{address}:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.1,), name="place", daemon=True).start()

    def judged(self, what: str) -> Judgement:
        """What came of the work for one scheduler so far."""
        return judge(read(list(self.lines[what])))


@dataclass
class Stage:
    """A stack on containers, its engine and the place."""

    stack: TorturedStack
    engine: docker.DockerClient
    place: Place
    dice: random.Random
    kills: int = 0

    @property
    def ecs(self) -> Any:
        return self.stack.client("ecs")

    def units(self) -> int:
        """How many units the download scheduler has begun."""
        return len(self.place.lines["download"])

    def works(self) -> None:
        """Waits for work that is done from now on."""
        before = self.units()
        eventually(self.units, lambda units: units > before, seconds=180)

    def containers(self) -> list[Any]:
        """The download scheduler's main containers that run, the oldest first."""
        found = self.engine.containers.list(filters={"label": f"{NAME_LABEL}={DOWNLOAD}"})
        return sorted(found, key=lambda each: each.attrs["State"]["StartedAt"])

    def another_task(self) -> str:
        """Runs a second task of the service by hand, and waits until its container runs."""
        [service] = self.ecs.describe_services(cluster=CLUSTER, services=[DOWNLOAD])["services"]
        [task] = self.ecs.run_task(
            cluster=CLUSTER,
            taskDefinition=service["taskDefinition"],
            networkConfiguration=service["networkConfiguration"],
        )["tasks"]
        arn = str(task["taskArn"])
        # Not by how many there are: one of a former deployment may end meanwhile.
        eventually(
            lambda: {each.labels[TASK_LABEL] for each in self.containers()},
            lambda arns: arn in arns,
            seconds=120,
        )
        return arn

    def waits(self, leases: float) -> None:
        """Lets time go by."""
        time.sleep(leases * LEASE_SECONDS)

    def one_again(self) -> None:
        """Waits until the service alone runs, with one task."""
        eventually(lambda: len(self.containers()), lambda count: count == 1, seconds=180)
        self.works()


Provocation = Callable[[Stage], None]


def rollout(stage: Stage) -> None:
    """A new revision, while the old task is deaf to SIGTERM."""
    stage.stack.release += 1
    stage.stack.write()
    up = stage.stack.up()
    assert up.returncode == 0, up.stdout


def run_task(stage: Stage) -> None:
    """A second task by hand, which goes again."""
    task = stage.another_task()
    stage.waits(stage.dice.uniform(0.2, 1.0))
    stage.ecs.stop_task(cluster=CLUSTER, task=task)


def count_of_two(stage: Stage) -> None:
    """Desired count 2 by hand, and back."""
    stage.ecs.update_service(cluster=CLUSTER, service=DOWNLOAD, desiredCount=2)
    eventually(lambda: len(stage.containers()), lambda count: count == 2, seconds=120)
    stage.waits(stage.dice.uniform(0.2, 1.0))
    stage.ecs.update_service(cluster=CLUSTER, service=DOWNLOAD, desiredCount=1)


def second_stack(stage: Stage) -> None:
    """Another service on the same key, as a second stack has one."""
    [service] = stage.ecs.describe_services(cluster=CLUSTER, services=[DOWNLOAD])["services"]
    stage.ecs.create_service(
        cluster=CLUSTER,
        serviceName="fileflow-scheduler-elsewhere",
        taskDefinition=service["taskDefinition"],
        networkConfiguration=service["networkConfiguration"],
        desiredCount=1,
    )
    eventually(lambda: len(stage.containers()), lambda count: count == 2, seconds=120)
    stage.waits(stage.dice.uniform(0.2, 1.0))
    stage.ecs.delete_service(cluster=CLUSTER, service="fileflow-scheduler-elsewhere", force=True)


def forced_deployments(stage: Stage) -> None:
    """Forced deployments in a row."""
    for _ in range(FORCED_DEPLOYMENTS):
        stage.ecs.update_service(cluster=CLUSTER, service=DOWNLOAD, forceNewDeployment=True)
        stage.waits(stage.dice.uniform(0.05, 0.3))


def paused(stage: Stage) -> None:
    """The working container is paused for longer than the lease, beside a second task."""
    task = stage.another_task()
    first = stage.containers()[0]
    first.pause()
    stage.waits(stage.dice.uniform(1.2, 1.8))
    with contextlib.suppress(docker.errors.APIError):
        first.unpause()
    stage.waits(0.5)
    stage.ecs.stop_task(cluster=CLUSTER, task=task)


def _killed(depth: int) -> Provocation:
    """Kills a process of the working container: its first one, the guard, the scheduler."""

    def kill(stage: Stage) -> None:
        task = stage.another_task()
        line = [stage.containers()[0].attrs["State"]["Pid"]]
        while children := _children(line[-1]):
            line.append(children[0])
        os.kill(line[min(depth, len(line) - 1)], signal.SIGKILL)
        stage.kills += 1
        stage.works()
        stage.ecs.stop_task(cluster=CLUSTER, task=task)

    return kill


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


PROVOCATIONS: dict[str, Provocation] = {
    "a rollout whose old task ignores SIGTERM": rollout,
    "`run-task` by hand": run_task,
    "desired count 2 by hand": count_of_two,
    "a second service on the same lease": second_stack,
    f"{FORCED_DEPLOYMENTS} forced deployments in a row": forced_deployments,
    "container paused beside a second task": paused,
    "container killed beside a second task": _killed(0),
    "guard killed beside a second task": _killed(1),
    "scheduler killed beside a second task": _killed(2),
}


@dataclass
class Played:
    """What came of the scenes."""

    scenes: int = 0
    kills: int = 0
    overlapping: list[str] = field(default_factory=list)
    longest_gap_seconds: float = 0.0
    tokens: list[str] = field(default_factory=list)


def played(stage: Stage, names: list[str]) -> Played:
    """Plays the scenes one after the other, and judges the work of each."""
    result = Played()
    for name in names:
        begun = time.monotonic()
        before = stage.place.judged("download")
        PROVOCATIONS[name](stage)
        stage.one_again()
        after = stage.place.judged("download")
        if len(after.overlaps) > len(before.overlaps):
            result.overlapping.append(f"{name}: {after.overlaps[len(before.overlaps)]}")
        result.scenes += 1
        result.longest_gap_seconds = max(result.longest_gap_seconds, after.longest_gap_seconds)
        result.tokens = list(after.older_tokens)
        print(
            f"{name}: {len(result.overlapping)} with two at work, {time.monotonic() - begun:.0f} s",
            flush=True,
        )
    result.kills = stage.kills
    return result


@contextlib.contextmanager
def stage(folder: Path, seed: int, *, leased: bool) -> Iterator[Stage]:
    """A stack on an engine of its own, with or without leases, whose image is the worker.

    Raises LocalError where this machine can have no engine.
    """
    stack = TorturedStack.copy(folder, WITHOUT_ANOTHER_ENGINE)
    containers = local_containers.start(local_containers.folder_of(stack.paths, {}), ENVIRONMENT)
    connected = docker.DockerClient(base_url=containers.docker_host)
    with Place(_gateway(connected, containers.network)) as place:
        image = stack.root / "work"
        image.mkdir()
        shutil.copy2(built(folder, Path(__file__).parent / "worker"), image)
        (image / "Dockerfile").write_text(DOCKERFILE.format(place=place.url))
        stack.release = 1
        stack.edit = lambda text: _of_workers(text, place.url, leased)
        stack.write()
        try:
            stack.begin()
            made = Stage(stack, connected, place, random.Random(seed))
            made.works()
            yield made
        finally:
            stack.down()
            place.shutdown()
            connected.close()


def _of_workers(text: str, place: str, leased: bool) -> str:
    """The stack's file with the worker's image, short leases or none, and a short stop timeout."""
    text = text.replace("local/sample/Dockerfile", "work/Dockerfile").replace("local/sample", "work")
    text = re.sub(r"environment: \{", "environment: {WORKER: download, ", text, count=1)
    words = f'duration_seconds: {LEASE_SECONDS}, entry_point: [/worker, "{place}", "-", 600s]'
    text = text.replace("entry_point: [/fileflow]", words)
    stop = f"\n      stop_timeout_seconds: {STOP_SECONDS}"
    text = re.sub(
        r"(?m)^(      lease: .*)$", (r"\g<1>" if leased else "      spot_opt_in: false") + stop, text
    )
    return text if leased else re.sub(r"(?m)^  fileflow:leases:\n(    .*\n)+", "", text)


def _gateway(engine: docker.DockerClient, network: str) -> str:
    """The address of this machine that containers of the network reach."""
    if network == "host":
        return "127.0.0.1"
    [config] = engine.networks.get(network).attrs["IPAM"]["Config"]
    return str(config["Gateway"])


def evidence(seed: int) -> Evidence:
    """The scenes on containers as a row of the table, or why there is none."""
    kind = "two schedulers, provoked on containers"
    outcomes = []
    for leased in (True, False):
        with tempfile.TemporaryDirectory(prefix="torture-") as name:
            try:
                with stage(Path(name), seed, leased=leased) as there:
                    outcomes.append(played(there, list(PROVOCATIONS)))
            except LocalError as error:
                return Evidence(kind, {"scenes": 0}, [], [f"this machine can't: {error.problem}"])
    held, without = outcomes
    failures = [*held.overlapping, *held.tokens]
    if not without.overlapping:
        failures.append("without the lease no two were seen at work")
    return Evidence(
        kind,
        {
            "scenes": held.scenes,
            "kills": held.kills,
            "overlaps of work with the lease": len(held.overlapping),
            "without it": len(without.overlapping),
            "longest time without a scheduler": f"{held.longest_gap_seconds / LEASE_SECONDS:.2f} leases",
        },
        failures,
        [f"leases of {LEASE_SECONDS} s, a stop timeout of {STOP_SECONDS} s, seed {seed}"],
    )
