"""What services say of their tasks, alike for a web API and a scheduler.

Owns those arguments, their checks, and what follows from them. Doesn't own what only one kind of service has,
nor a resource.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import pulumi

from components.aws_rules import check_tags
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
    check_containers,
    check_memory,
    main_memory_mib,
)
from components.tags import ROLE_TAG
from components.validation import check_arn, check_image, check_port, check_range, check_service_names

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
    """The arguments that a web API and a scheduler have alike; each says what they mean to it."""

    role: ClassVar[str]
    """What the service says that it is, by the tag that the policy pack reads."""

    cluster_arn: pulumi.Input[str]
    """The ECS cluster, with the capacity providers FARGATE and FARGATE_SPOT."""
    service_name: str
    """The service's name."""
    family: str
    """The task definition's name."""
    image: pulumi.Input[str]
    """The main container's image, by its digest."""
    port: int
    """The TCP port at which the main container listens; it is told by `SERVER_PORT`."""
    placement: Placement
    """The VPC and the subnets."""
    container_name: str | None = None
    """The main container's name; the service's by default."""
    size: TaskSize = field(default_factory=TaskSize)
    """What Fargate gives a task: half a vCPU and 1 GiB by default."""
    container: ContainerOptions = field(default_factory=ContainerOptions)
    """What runs in the main container, and how."""
    sidecars: Sequence[Sidecar] = ()
    """Further containers of each task; none by default."""
    stop_timeout_seconds: int
    """How long a task may take to end, from SIGTERM to SIGKILL: 2 to 120."""
    access: TaskAccess = field(default_factory=TaskAccess)
    """What a task may do in AWS; nothing by default."""
    log_group_name: str
    """The log group that is made for the tasks' output."""
    logging: Logging = field(default_factory=Logging)
    """For how long, and under which key."""
    alarms: Alarms = field(default_factory=Alarms)
    """Who hears of trouble; by default alarms show in the console only."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Put on everything; none by default."""

    def check_alike(self) -> None:
        """Checks what both kinds of services have; within `all_mistakes` every mistake is told."""
        check_tags("tags", self.tags)
        check_arn("cluster_arn", self.cluster_arn, "ecs")
        check_service_names(self.service_name, self.family, self.container_name, self.log_group_name)
        check_image("image", self.image)
        check_port("port", self.port)
        check_range("stop_timeout_seconds", self.stop_timeout_seconds, 2, 120, "Fargate's stop timeout")
        check_containers(self.main_name, self.sidecars)
        check_memory(self.size, self.container, self.sidecars)

    @property
    def main_name(self) -> str:
        """The main container's name."""
        return self.container_name or self.service_name

    @property
    def all_tags(self) -> Mapping[str, str]:
        """The tags of everything, the service's role among them."""
        return {**self.tags, ROLE_TAG: self.role}

    @property
    def port_name(self) -> str | None:
        """How other services of a mesh call the port; None outside one."""
        return None

    @property
    def lease(self) -> Lease | None:
        """The lease that the main container holds while it works; None where it needs none."""
        return None

    @property
    def told(self) -> Mapping[str, str]:
        """The variables by which the main container is told where it runs; its own ones win."""
        few_threads = FEW_THREADS if self.main_memory_mib < FEW_THREADS_BELOW_MIB else {}
        return {"SERVER_PORT": str(self.port), **few_threads}

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
        container = replace(self.container, environment={**self.told, **self.container.environment})
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
        return {self.main_name: self.main, **{each.name: each.container for each in self.sidecars}}

    @property
    def images(self) -> list[pulumi.Input[str]]:
        """The images of all containers."""
        guard = [] if self.lease is None else [self.lease.guard_image]
        return [self.image, *(sidecar.image for sidecar in self.sidecars), *guard]
