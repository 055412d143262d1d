"""A client that asks the web API ten times a second sees no failed request while a running stack changes.

On real containers behind the emulated load balancer; what started and stopped is the engine's own log.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import docker
import pytest

from local.containers import local_containers
from local.containers.local_containers import LocalContainers
from local.paths import Paths
from tests.engine.deployment import Deployment
from tests.local.containers.real_engine import ENVIRONMENT, start_or_skip
from tests.repeated import Repeated
from tests.waiting import eventually
from tests.walk.change import LEFT_OUT, PLAIN, Change, changed
from tests.walk.runs import base_values
from tests.walk.stack import WalkedStack
from tests.walk.watcher import Sight, ask

pytestmark = [
    pytest.mark.engine,
    pytest.mark.nightly,
    pytest.mark.xdist_group("requests-on-containers"),
]

BALANCER = "web_api.load_balancer"
CHANGES: Mapping[str, Mapping[str, Any]] = {
    "version": {"version": "1.1.0"},
    "port": {"web_api.port": 8090},
    "Spot": {"web_api.capacity.spot_weight": 1, "schedulers.spot_opt_in": True},
    "HTTPS": {f"{BALANCER}.plain_http": LEFT_OUT, f"{BALANCER}.certificate_arn": "$certificate"},
}
FAMILY = "com.amazonaws.ecs.task-definition-family"


class Asker(Repeated):
    """Asks ten times a second, each time by itself, and follows redirects."""

    def __init__(self, endpoint: str, url: str) -> None:
        super().__init__(pause_seconds=0.1)
        self.sights: list[Sight] = []
        self._asked = endpoint, url
        self._asking: list[threading.Thread] = []

    def __exit__(self, *raised: object) -> None:
        super().__exit__(*raised)
        for each in self._asking:
            each.join()

    def look(self) -> None:
        """Asks, and doesn't wait for the answer."""
        asking = threading.Thread(target=lambda: self.sights.append(ask(*self._asked)))
        asking.start()
        self._asking.append(asking)

    @property
    def failed(self) -> list[str]:
        """What was answered, where it wasn't the web API's own answer."""
        return [
            each.answer for each in self.sights if not each.answered or '"application"' not in each.answer
        ]


ON_THIS_MACHINE: Final = Change(
    values={
        "leases.context": "local/guard",
        "leases.dockerfile": "local/guard/Dockerfile",
        "web_api.sidecars": LEFT_OUT,
        "schedulers.sidecars": LEFT_OUT,
    }
)
"""Nothing that a registry of others is asked for: a compiler for the guard, and the walk's sidecar."""


@dataclass(frozen=True)
class OnContainers:
    """The stack, and the engine that its tasks run on."""

    stack: WalkedStack
    engine: docker.DockerClient

    def scheduler_log(self, since: float) -> dict[str, list[tuple[str, str]]]:
        """What became of the containers of each scheduler, in the engine's order: (what, container)."""
        found = self.engine.events(since=since, until=time.time(), decode=True, filters={"type": "container"})
        log: dict[str, list[tuple[str, str]]] = {}
        for event in sorted(found, key=lambda each: each["timeNano"]):
            family = event["Actor"]["Attributes"].get(FAMILY, "")
            if "-scheduler-" in family and event["Action"] in ("start", "kill", "die"):
                log.setdefault(family, []).append((event["Action"], event["id"]))
        return log

    def running(self) -> set[str]:
        """The containers that run."""
        return {each.id for each in self.engine.containers.list(filters={"label": FAMILY})}


@pytest.fixture(scope="module")
def on_containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnContainers]:
    copied = Deployment.copy(tmp_path_factory.mktemp("requests"))
    names = ("DOCKER_HOST", "FILEFLOW_REGISTRY", "FILEFLOW_CONTAINER_NETWORK", "FILEFLOW_DOCKER_DIR")
    environment = {name: value for name, value in copied.environment.items() if name not in names}
    deployment = Deployment(root=copied.root, environment=environment)
    folder = local_containers.folder_of(Paths.of({}, deployment.root), ENVIRONMENT)
    containers: LocalContainers = start_or_skip(folder)
    if containers.network == "host":
        pytest.skip("on the machine's own network the web API can't have two tasks on one port")
    try:
        stack = WalkedStack(deployment, PLAIN, [ON_THIS_MACHINE])
        stack.begin()
        engine = docker.DockerClient(base_url=containers.docker_host)
        yield OnContainers(stack, engine)
        engine.close()
    finally:
        deployment.down()


def counted_twice(running: set[str], log: Sequence[tuple[str, str]]) -> list[str]:
    """The containers that started while another one ran that hadn't been told to stop."""
    counted, doubles = set(running), []
    for action, container in log:
        if action == "start":
            doubles += [container] if counted else []
            counted.add(container)
        else:
            counted.discard(container)
    return doubles


def test_a_container_that_starts_beside_one_that_isnt_stopping_counts_twice() -> None:
    assert counted_twice({"old"}, [("kill", "old"), ("start", "new"), ("die", "old")]) == []
    assert counted_twice({"old"}, [("start", "new"), ("kill", "old"), ("die", "old")]) == ["new"]
    assert counted_twice(set(), [("start", "new"), ("die", "new"), ("start", "newer")]) == []


def test_no_request_fails_while_version_port_capacity_and_scheme_change(on_containers: OnContainers) -> None:
    stack = on_containers.stack
    values = changed(base_values(PLAIN), stack.changes)
    [url] = stack.urls
    for name, change in CHANGES.items():
        since, before = time.time(), on_containers.running()
        values = changed(values, [Change(values=change)])
        stack.write(values)
        with Asker(stack.endpoint, url) as asker:
            up = stack.up()
        assert up.succeeded, up.output
        print(f"{name}: {len(asker.sights)} requests, {len(asker.failed)} failed")
        assert asker.failed == [], name
        assert len(asker.sights) > 50, name
        log = on_containers.scheduler_log(since)
        for family, events in log.items():
            own = before & {container for _, container in events}
            print(f"  {family}: {', '.join(f'{action} {container[:6]}' for action, container in events)}")
            assert counted_twice(own, events) == [], (name, family)
        assert bool(log) == (name in ("version", "Spot")), name


def test_the_client_sees_it_when_the_web_apis_container_is_killed(on_containers: OnContainers) -> None:
    """What the test before proves, it proves because the client would see the opposite."""
    [url] = on_containers.stack.urls
    with Asker(on_containers.stack.endpoint, url) as asker:
        for each in on_containers.engine.containers.list(filters={"label": FAMILY}):
            if "-web-api-" in each.labels[FAMILY]:
                each.kill()
        assert eventually(lambda: asker.failed, bool) != []
        # The service has started another one.
        eventually(lambda: asker.sights[-1], lambda each: each.answered)
