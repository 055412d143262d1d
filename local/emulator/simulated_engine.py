"""A container engine that runs nothing: what ECS tasks run on where no Docker engine is reachable.

ministack drives the whole life of a task (start, exit, circuit breaker, logs) through a Docker client. This
is such a client, as far as ministack uses one, so that tasks live the same life with and without an engine.
No process runs and no port is open; the first line of each container's log says so.

A container's end can be simulated, by environment variables of the container that the README beside this file
lists (read here only, without effect on AWS and on a real engine). Deliberately doesn't own the ECS side
(`completions.ecs_tasks`) nor which engine is used.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

PREFIX = "FILEFLOW_SIMULATE_"
DEFAULT_EXIT_AFTER_SECONDS = 0.3
DEFAULT_STOP_SECONDS = 0.5
START_UP_SECONDS = 10.0
"""A container that is told to end within this time is one that fails to start."""
SIGKILL_EXIT_CODE = 137
OOM_EXIT_CODE = SIGKILL_EXIT_CODE

FAILURES = {
    "database": (
        "com.zaxxer.hikari.pool.HikariPool$PoolInitializationException: Failed to initialize pool: "
        "Communications link failure",
        "APPLICATION FAILED TO START: Unable to open JDBC Connection to the database",
    ),
    "redis": (
        "org.springframework.data.redis.RedisConnectionFailureException: Unable to connect to Redis",
        "APPLICATION FAILED TO START: Unable to connect to Redis",
    ),
    "secrets": (
        "software.amazon.awssdk.services.secretsmanager.model.SecretsManagerException: User is not "
        "authorized to perform: secretsmanager:GetSecretValue (Service: SecretsManager, Status Code: 400)",
        "APPLICATION FAILED TO START: AccessDeniedException while reading a secret",
    ),
    "oom": (
        'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space',
        "Terminating due to java.lang.OutOfMemoryError: Java heap space",
    ),
}
"""The last words of a FileFlow that can't start, by cause; `local/sample` says the same in a real
container."""


class ContainerNotFoundError(Exception):
    """No such container; ministack treats any exception as that."""


@dataclass(frozen=True)
class SimulatedBehaviour:
    """What a container was told to simulate; by default it runs for ever."""

    exit_code: int | None = None
    exit_after_seconds: float = DEFAULT_EXIT_AFTER_SECONDS
    out_of_memory: bool = False
    unhealthy: bool = False
    stop_seconds: float = DEFAULT_STOP_SECONDS
    ignores_sigterm: bool = False
    log: str = ""

    @property
    def ends_soon(self) -> bool:
        """Whether it ends so soon that it can't count as started."""
        return self.exit_code is not None and self.exit_after_seconds < START_UP_SECONDS

    @classmethod
    def from_environment(cls, environment: dict[str, str]) -> SimulatedBehaviour:
        """Reads the behaviour from a container's environment. A value that isn't a number counts as 1."""
        out_of_memory = environment.get(f"{PREFIX}OOM", "") == "1"
        code = environment.get(f"{PREFIX}EXIT", "")
        failure = FAILURES.get(environment.get(f"{PREFIX}FAILURE", ""), ())
        exit_code: int | None = None
        if out_of_memory:
            exit_code = OOM_EXIT_CODE
        elif code:
            exit_code = int(code) if code.isdigit() else 1
        elif failure:
            exit_code = 1
        return cls(
            exit_code=exit_code,
            exit_after_seconds=_seconds(environment, "EXIT_AFTER_SECONDS", DEFAULT_EXIT_AFTER_SECONDS),
            out_of_memory=out_of_memory,
            unhealthy=environment.get(f"{PREFIX}UNHEALTHY", "") == "1",
            stop_seconds=_seconds(environment, "STOP_SECONDS", DEFAULT_STOP_SECONDS),
            ignores_sigterm=environment.get(f"{PREFIX}IGNORE_SIGTERM", "") == "1",
            log="\n".join((environment.get(f"{PREFIX}LOG", ""), *failure)).strip(),
        )


def _seconds(environment: dict[str, str], name: str, default: float) -> float:
    try:
        return float(environment.get(f"{PREFIX}{name}", default))
    except ValueError:
        return 1.0


@dataclass
class SimulatedContainer:
    """A container that is only a record, with what ministack reads of a Docker SDK container."""

    name: str
    image: str
    labels: dict[str, str]
    behaviour: SimulatedBehaviour
    engine: SimulatedEngine
    id: str = field(default_factory=lambda: secrets.token_hex(32))
    status: str = "running"
    exit_code: int | None = None
    started: float = field(default_factory=time.monotonic)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def attrs(self) -> dict[str, Any]:
        return {
            "NetworkSettings": {"Networks": {}},
            "State": {
                "OOMKilled": self.behaviour.out_of_memory and self.exit_code is not None,
                "ExitCode": self.exit_code,
                "Health": {"Status": "unhealthy" if self.behaviour.unhealthy else "healthy"},
            },
        }

    def reload(self) -> None:
        """Brings `status` up to date: a simulated exit happens when its time has come."""
        due = self.started + self.behaviour.exit_after_seconds
        if self.behaviour.exit_code is not None and self.status == "running" and time.monotonic() >= due:
            self._end(self.behaviour.exit_code)

    def wait(self) -> dict[str, int]:
        self.ended.wait()
        return {"StatusCode": self.exit_code or 0}

    def stop(self, timeout: float = 0) -> None:
        if self.status != "running":
            return
        killed = self.behaviour.ignores_sigterm or self.behaviour.stop_seconds > timeout
        time.sleep(timeout if killed else self.behaviour.stop_seconds)
        # What a JVM exits with on SIGTERM, and what SIGKILL leaves.
        self._end(SIGKILL_EXIT_CODE if killed else 143)

    def remove(self, v: bool = False, force: bool = False) -> None:  # noqa: ARG002 - the Docker SDK's signature
        self.stop()
        self.engine.containers.forget(self.id)

    def logs(self, stream: bool = False, **_options: Any) -> Any:
        lines = self._lines()
        return lines if stream else b"".join(line for line in self._first_lines())

    def _first_lines(self) -> Iterator[bytes]:
        yield (
            f"[fileflow emulator] container {self.name} of {self.image} was started by the emulator without "
            "a container engine: no process runs and nothing listens on its ports\n"
        ).encode()
        for line in self.behaviour.log.splitlines():
            yield f"{line}\n".encode()

    def _lines(self) -> Iterator[bytes]:
        yield from self._first_lines()
        self.ended.wait()
        if self.exit_code is not None and self.behaviour.exit_code is not None:
            yield f"[fileflow emulator] simulated exit with code {self.exit_code}\n".encode()

    def _end(self, exit_code: int) -> None:
        self.status = "exited"
        self.exit_code = exit_code
        self.ended.set()


class _Containers:
    def __init__(self, engine: SimulatedEngine) -> None:
        self._engine = engine
        self._known: dict[str, SimulatedContainer] = {}

    def get(self, container_id: str) -> SimulatedContainer:
        try:
            return self._known[container_id]
        except KeyError:
            raise ContainerNotFoundError(container_id) from None

    def list(self, **_filters: Any) -> list[SimulatedContainer]:
        return list(self._known.values())

    def run(
        self, image: str, *, name: str, labels: dict[str, str], environment: dict[str, str]
    ) -> SimulatedContainer:
        container = SimulatedContainer(
            name=name,
            image=image,
            labels=labels,
            behaviour=SimulatedBehaviour.from_environment(environment),
            engine=self._engine,
        )
        self._known[container.id] = container
        return container

    def forget(self, container_id: str) -> None:
        self._known.pop(container_id, None)


@dataclass(frozen=True)
class _RegistryData:
    id: str


class _Images:
    def __init__(self, digest_of: Callable[[str], str | None]) -> None:
        self._digest_of = digest_of

    def get_registry_data(self, image: str, **_options: Any) -> _RegistryData:
        digest = self._digest_of(image)
        if digest is None:
            raise ContainerNotFoundError(f"no registry that this engine knows has {image}")
        return _RegistryData(digest)

    def get(self, image: str) -> str:
        return image


class SimulatedEngine:
    """The client object that takes the place of `docker.from_env()`.

    `digest_of` resolves an image's name to its digest, or to None for an image of a registry that isn't
    emulated.
    """

    def __init__(self, digest_of: Callable[[str], str | None]) -> None:
        self.containers = _Containers(self)
        self.images = _Images(digest_of)
