"""Runs a scheduler while it holds a lease, so that of all its tasks, whoever started them, one works.

Owns what the lease adds to a task: the guard that an init container puts into a volume, the scheduler's
command behind it, the one key of the table that the task may write, and the alarms on what the guard says.
Doesn't own the table (`lease_table`), nor the protocol, which is the guard's (`guard/`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components.aws_environment import AwsEnvironment
from components.aws_rules import check_table_name
from components.container_definition import LogDestination, sidecar_definition
from components.log_alarms import pattern_alarm
from components.names import GUARD, GUARD_FOLDER, digest
from components.options import Alarms, ContainerHealthCheck, ContainerOptions, Sidecar
from components.validation import (
    all_mistakes,
    check_entry_point,
    check_image,
    check_pattern,
    check_range,
    refuse,
)

BUILDPACKS_ENTRY_POINT = ("/cnb/process/web",)
"""What an image of `bootBuildImage` starts the application with.

Source: https://buildpacks.io/docs/for-app-developers/how-to/build-outputs/specify-launch-process/
"""

INSTALLER = "lease-guard"

PHRASES: Mapping[str, tuple[str, str]] = {
    "lease-lost": (
        "scheduler lease lost",
        "A scheduler lost its lease while it worked: it was ended before another one works",
    ),
    "lease-overdue": (
        "scheduler lease overdue",
        "A scheduler waits for its lease longer than a rollout takes: another one works",
    ),
}
"""What the guard says and what it means to the reader of an alarm, by the ending of the alarm on it."""


@dataclass(frozen=True, kw_only=True)
class Lease:
    """A lease in a DynamoDB table that a scheduler holds while it works.

    Raises `InvalidArgumentError` for a name that DynamoDB refuses, a duration that leaves no time to end the
    scheduler, and an image without a digest.
    """

    table_name: str
    """The table, in the scheduler's account and region, with the partition key `LeaseKey` (a string)."""
    key: str
    """What must have one scheduler: name the database, not the stack. Two stacks on one database share it."""
    guard_image: pulumi.Input[str]
    """The image of `guard/`, by its digest."""
    entry_point: Sequence[str] = BUILDPACKS_ENTRY_POINT
    """How the scheduler's image starts, where the container's options name no entry point of their own."""
    duration_seconds: int = 60
    """How long a lease outlives its last renewal, 60 by default. A dead task's successor waits for it; a
    scheduler that can't reach DynamoDB is told to end at half of it and killed at five sixths.
    """

    @all_mistakes
    def __post_init__(self) -> None:
        check_table_name("lease.table_name", self.table_name)
        check_pattern(
            "lease.key",
            self.key,
            # Plain enough for IAM, which reads *, ? and ${ in a condition's value, and for a command line.
            r"[A-Za-z0-9][A-Za-z0-9_./:@-]{0,254}",
            "a key has up to 255 letters, digits and '_./:@-', a letter or digit first",
            "Name the database and the scheduler, for example fileflow-db/download.",
        )
        check_image("lease.guard_image", self.guard_image)
        check_range("lease.duration_seconds", self.duration_seconds, 10, 600, "the duration of a lease")
        check_entry_point("lease.entry_point", self.entry_point)
        if not self.entry_point:
            refuse("lease.entry_point", [], "the guard needs a program to run", "Name the image's own.")

    @property
    def digest(self) -> str:
        """Stands for this lease, of all of an account and region, in a name."""
        return digest(f"{self.table_name}/{self.key}")

    def statement(self, environment: AwsEnvironment) -> dict[str, Any]:
        """What the guard may do: read and write this one key.

        Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
        """
        return {
            "Action": ["dynamodb:GetItem", "dynamodb:PutItem"],
            "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [self.key]}},
            "Effect": "Allow",
            "Resource": environment.arn("dynamodb", f"table/{self.table_name}"),
        }

    @property
    def installer(self) -> Sidecar:
        """Puts the guard into the volume, and ends before the scheduler starts."""
        return Sidecar(
            name=INSTALLER,
            image=self.guard_image,
            container=ContainerOptions(command=["install", GUARD_FOLDER], writable_paths=[]),
            main_waits_for="SUCCESS",
        )


def check_lease(container: ContainerOptions, sidecars: Sequence[Sidecar]) -> None:
    """Refuses what would meet a lease's own container or folder."""
    if any(each.name == INSTALLER for each in sidecars):
        refuse("sidecars.name", INSTALLER, "the lease has a container of that name", "Rename the sidecar.")
    for path in container.writable_paths:
        if path.path == GUARD_FOLDER or path.path.startswith(f"{GUARD_FOLDER}/"):
            refuse("writable_paths.path", path.path, "the guard lies there", "Choose another folder.")


def guarded(
    definitions: Sequence[Mapping[str, Any]],
    lease: Lease,
    container: ContainerOptions,
    stop_timeout_seconds: int,
    logs: LogDestination,
) -> list[dict[str, Any]]:
    """The containers of a task, of which the first runs under the guard."""
    main, *others = (dict(each) for each in definitions)
    installer = sidecar_definition(lease.installer, logs)
    installer["mountPoints"] = [_mount(read_only=False)]
    main["entryPoint"] = [
        *(GUARD, "run", "--table", lease.table_name, "--key", lease.key, "--region", logs.region),
        *("--lease", f"{lease.duration_seconds}s", "--stop-timeout", f"{stop_timeout_seconds}s", "--"),
        *(container.entry_point or lease.entry_point),
    ]
    main["mountPoints"] = [*main["mountPoints"], _mount(read_only=True)]
    main["dependsOn"] = [
        *main.get("dependsOn", []),
        {"condition": lease.installer.main_waits_for, "containerName": INSTALLER},
    ]
    main["healthCheck"] = _health_check(container.health_check)
    return [main, *others, installer]


def lease_volumes(lease: Lease | None) -> list[dict[str, Any]]:
    """The volume that the guard lies in."""
    return [] if lease is None else [{"name": INSTALLER}]


def _mount(*, read_only: bool) -> dict[str, Any]:
    return {"containerPath": GUARD_FOLDER, "readOnly": read_only, "sourceVolume": INSTALLER}


def _health_check(check: ContainerHealthCheck | None) -> dict[str, Any]:
    """Asks the guard, which asks the scheduler where it has a check of its own.

    A guard that waits isn't healthy before the start period has passed, so that a rollout is done when the
    new task works; afterwards it is, so that ECS doesn't end a standby.
    """
    its = check or ContainerHealthCheck(command=["CMD", "true"])
    command = ["CMD", GUARD, "health", "--start-period", f"{its.start_period_seconds}s"]
    if check is not None:
        kind, *words = check.command
        command += ["--", *(["/bin/sh", "-c"] if kind == "CMD-SHELL" else []), *words]
    return {
        "command": command,
        "interval": its.interval_seconds,
        "retries": its.retries,
        "startPeriod": its.start_period_seconds,
        "timeout": its.timeout_seconds,
    }


def lease_alarms(
    name: str,
    log_group: aws.cloudwatch.LogGroup,
    family: str,
    alarms: Alarms,
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> None:
    """Alarms on a lost lease, and on one that is waited for longer than a rollout takes.

    They read the log group: a log router has to send the guard's lines there too.
    """
    for suffix, (phrase, means) in PHRASES.items():
        meaning = f"{means} ({family})"
        pattern_alarm(name, suffix, f'"{phrase}"', meaning, log_group, family, alarms, tags, parent)
