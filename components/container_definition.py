"""Turns container options into what ECS calls container definitions.

Pure: it makes values and creates no resource. The texts are built from names that are known at
preview, because one unknown value would hide the whole JSON from the policies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.names import digest
from components.options import ContainerOptions, Sidecar

TMPFS_MOUNT_OPTIONS = ("exec", "nosuid", "nodev")
"""Without options of its own a tmpfs is noexec, and a native library can't be loaded from it.

Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tmpfs.html
"""


@dataclass(frozen=True, kw_only=True)
class LogDestination:
    """The log group and region that containers write to."""

    group_name: pulumi.Input[str]
    region: pulumi.Input[str]

    def configuration(self, container_name: str) -> dict[str, Any]:
        """Streams are named `CONTAINER/CONTAINER/TASK_ID` by the awslogs driver.

        Non-blocking: a slow CloudWatch never halts the service.
        Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html
        """
        return {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": self.group_name,
                "awslogs-region": self.region,
                "awslogs-stream-prefix": container_name,
                "max-buffer-size": "25m",
                "mode": "non-blocking",
            },
        }


def container_definition(
    *,
    name: str,
    image: pulumi.Input[str],
    options: ContainerOptions,
    logs: LogDestination,
    port: int | None = None,
    port_name: str | None = None,
    essential: bool = True,
    memory_mib: int | None = None,
    stop_timeout_seconds: int | None = None,
) -> dict[str, Any]:
    """One container as ECS wants it, with the posture that every container here has.

    Not privileged, an init process to reap children, a read-only root file system, and no Linux
    capability at all. Lists are sorted by name so that no order makes a new revision.
    Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
    """
    temporary = [path for path in options.writable_paths if path.kind == "tmpfs"]
    linux_parameters: dict[str, Any] = {"capabilities": {"drop": ["ALL"]}, "initProcessEnabled": True}
    if temporary:
        linux_parameters["tmpfs"] = [
            {"containerPath": path.path, "size": path.size_mib, "mountOptions": list(TMPFS_MOUNT_OPTIONS)}
            for path in temporary
        ]
    definition: dict[str, Any] = {
        "name": name,
        "image": image,
        "essential": essential,
        "environment": [
            {"name": key, "value": options.environment[key]} for key in sorted(options.environment)
        ],
        "linuxParameters": linux_parameters,
        "logConfiguration": logs.configuration(name),
        "mountPoints": [
            {"containerPath": path.path, "readOnly": False, "sourceVolume": volume_name(name, path.path)}
            for path in options.writable_paths
            if path.kind == "volume"
        ],
        "portMappings": [],
        "privileged": False,
        "readonlyRootFilesystem": True,
        "secrets": [{"name": key, "valueFrom": options.secrets[key]} for key in sorted(options.secrets)],
        "systemControls": [],
        "user": options.user,
        "volumesFrom": [],
    }
    if port is not None:
        mapping: dict[str, Any] = {"containerPort": port, "hostPort": port, "protocol": "tcp"}
        if port_name is not None:
            mapping["name"] = port_name
        definition["portMappings"] = [mapping]
    if options.command:
        definition["command"] = list(options.command)
    if options.entry_point:
        definition["entryPoint"] = list(options.entry_point)
    if options.environment_file_arns:
        definition["environmentFiles"] = [
            {"type": "s3", "value": arn} for arn in options.environment_file_arns
        ]
    if options.health_check is not None:
        check = options.health_check
        definition["healthCheck"] = {
            "command": list(check.command),
            "interval": check.interval_seconds,
            "retries": check.retries,
            "startPeriod": check.start_period_seconds,
            "timeout": check.timeout_seconds,
        }
    if options.repository_credentials is not None:
        definition["repositoryCredentials"] = {"credentialsParameter": options.repository_credentials}
    if memory_mib is not None:
        definition["memory"] = memory_mib
    if stop_timeout_seconds is not None:
        definition["stopTimeout"] = stop_timeout_seconds
    return definition


def sidecar_definition(sidecar: Sidecar, logs: LogDestination) -> dict[str, Any]:
    """A sidecar as ECS wants it; the log router of a task writes its own log by awslogs."""
    definition = container_definition(
        name=sidecar.name,
        image=sidecar.image,
        options=sidecar.container,
        logs=logs,
        port=sidecar.port,
        essential=sidecar.essential,
        memory_mib=sidecar.memory_mib,
    )
    if sidecar.memory_reservation_mib is not None:
        definition["memoryReservation"] = sidecar.memory_reservation_mib
    if sidecar.firelens is not None:
        definition["firelensConfiguration"] = {"type": sidecar.firelens}
    return definition


def with_sidecars(
    main: Mapping[str, Any], sidecars: Sequence[Sidecar], logs: LogDestination
) -> list[dict[str, Any]]:
    """The main container first, then the sidecars; the main one waits for those that it should."""
    waits = [
        {"condition": sidecar.main_waits_for, "containerName": sidecar.name}
        for sidecar in sidecars
        if sidecar.main_waits_for is not None
    ]
    router = next((sidecar for sidecar in sidecars if sidecar.firelens is not None), None)
    first = dict(main)
    if waits:
        first["dependsOn"] = waits
    if router is not None:
        first["logConfiguration"] = {"logDriver": "awsfirelens", "options": dict(router.router_options)}
    return [first, *(sidecar_definition(sidecar, logs) for sidecar in sidecars)]


def volume_name(container_name: str, path: str) -> str:
    """The name of the task's volume behind `path` of a container.

    A path of more than one plain word ends in a digest, which keeps `/a/b` and `/a-b` apart.
    """
    name = container_name + re.sub(r"[/.]", "-", path)
    if re.fullmatch(r"/[A-Za-z0-9]+", path):
        return name
    return f"{name[:246]}-{digest(f'{container_name}:{path}')}"
