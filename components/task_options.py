"""What one task is made from: the value that the task's functions hand to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pulumi

from components.lease import Lease
from components.options import (
    Alarms,
    ContainerOptions,
    Logging,
    Placement,
    Sidecar,
    TaskAccess,
    TaskSize,
    WritablePath,
    main_memory_mib,
)

EXEC_AGENT_PATHS = ("/managed-agents", "/var/lib/amazon/ssm", "/var/log/amazon/ssm")
"""Where the agent behind ECS Exec writes, inside the container."""


FEW_THREADS_BELOW_MIB = 1024
FEW_THREADS = {"BPL_JVM_THREAD_COUNT": "50"}
"""How a JVM of a Buildpacks image starts in little memory: its calculator reserves 1 MiB a thread.

With its 250 threads the fixed regions take 605 MiB, and it refuses to start in 512. An image built otherwise
doesn't read it; a value in the container's own environment counts.
Source: https://github.com/paketo-buildpacks/libjvm (calc), https://paketo.io/docs/reference/java-reference/
"""


@dataclass(frozen=True, kw_only=True)
class TaskOptions:
    """Everything that one task is made from."""

    cluster_arn: pulumi.Input[str]
    family: str
    container_name: str
    image: pulumi.Input[str]
    port: int
    size: TaskSize
    container: ContainerOptions
    sidecars: Sequence[Sidecar]
    stop_timeout_seconds: int
    access: TaskAccess
    log_group_name: str
    logging: Logging
    placement: Placement
    alarms: Alarms
    tags: Mapping[str, str]
    port_name: str | None = None
    lease: Lease | None = None

    @property
    def main(self) -> ContainerOptions:
        """The main container's options: where it listens, and the folders that ECS Exec's agent writes.

        The port is what everybody else asks at, so a Spring Boot application is told to listen there; a
        variable of the container's own wins.
        Source: https://docs.spring.io/spring-boot/reference/features/external-config.html (SERVER_PORT)
        With a read-only root file system and without them no session ever opens. AWS documents a read-only
        root with ECS Exec as unsupported.
        Source: https://github.com/aws/containers-roadmap/issues/1359
        """
        few_threads = FEW_THREADS if self.main_memory_mib < FEW_THREADS_BELOW_MIB else {}
        told = {"SERVER_PORT": str(self.port), **few_threads}
        container = replace(self.container, environment={**told, **self.container.environment})
        if not self.access.execute_command:
            return container
        paths = [*container.writable_paths, *(WritablePath(path=path) for path in EXEC_AGENT_PATHS)]
        return replace(container, writable_paths=paths)

    @property
    def main_memory_mib(self) -> int:
        """The main container's hard limit."""
        return main_memory_mib(self.size, self.sidecars)

    @property
    def containers(self) -> dict[str, ContainerOptions]:
        """The options of each container by the container's name, the main one first."""
        return {self.container_name: self.main, **{each.name: each.container for each in self.sidecars}}

    @property
    def images(self) -> list[pulumi.Input[str]]:
        """The images of all containers."""
        guard = [] if self.lease is None else [self.lease.guard_image]
        return [self.image, *(sidecar.image for sidecar in self.sidecars), *guard]
