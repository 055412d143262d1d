"""What one task is made from: the value that the task's functions hand to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.options import Alarms, ContainerOptions, Logging, Placement, Sidecar, TaskAccess, TaskSize


@dataclass(frozen=True, kw_only=True)
class TaskOptions:
    """Everything that one task is made from."""

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
    def containers(self) -> dict[str, ContainerOptions]:
        """The options of each container by the container's name, the main one first."""
        return {self.container_name: self.container, **{each.name: each.container for each in self.sidecars}}

    @property
    def images(self) -> list[pulumi.Input[str]]:
        """The images of all containers."""
        return [self.image, *(sidecar.image for sidecar in self.sidecars)]
