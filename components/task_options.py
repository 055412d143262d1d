"""What one task is made from: the value that the task's functions hand to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pulumi

from components.options import (
    Alarms,
    ContainerOptions,
    Logging,
    Placement,
    Sidecar,
    TaskAccess,
    TaskSize,
    WritablePath,
)

EXEC_AGENT_PATHS = ("/managed-agents", "/var/lib/amazon/ssm", "/var/log/amazon/ssm")
"""Where the agent behind ECS Exec writes, inside the container."""


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

    @property
    def main(self) -> ContainerOptions:
        """The main container's options; ECS Exec's agent gets the folders that it writes.

        With a read-only root file system and without them no session ever opens.
        Source: https://github.com/aws/containers-roadmap/issues/1359
        """
        if not self.access.execute_command:
            return self.container
        paths = [*self.container.writable_paths, *(WritablePath(path=path) for path in EXEC_AGENT_PATHS)]
        return replace(self.container, writable_paths=paths)

    @property
    def containers(self) -> dict[str, ContainerOptions]:
        """The options of each container by the container's name, the main one first."""
        return {self.container_name: self.main, **{each.name: each.container for each in self.sidecars}}

    @property
    def images(self) -> list[pulumi.Input[str]]:
        """The images of all containers."""
        return [self.image, *(sidecar.image for sidecar in self.sidecars)]
