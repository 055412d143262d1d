"""Small typed values that group what belongs together, each usable with its defaults.

Owns what both components offer alike: the task's size, its container, its logs, its place in the
network, its alarms. Doesn't own what only one of them has: see `web_options`. Every group checks
itself when it is made, so that a wrong value never reaches a resource.

Fields typed `pulumi.Input` may be outputs of other resources. All other fields decide whether or
how many resources exist, and are plain values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi

from components.credentials import credential_in_command
from components.validation import (
    HIDDEN,
    all_mistakes,
    check_arn,
    check_arns,
    check_choice,
    check_command,
    check_entry_point,
    check_environment,
    check_image,
    check_pattern,
    check_range,
    check_retention_days,
    check_secret_reference,
    check_task_size,
    check_unique,
    check_variable_names,
    refuse,
)

CpuArchitecture = Literal["X86_64", "ARM64"]


@dataclass(frozen=True, kw_only=True)
class TaskSize:
    """What Fargate gives one task, by default the guide's size (section "리소스 할당").

    Raises `InvalidArgumentError` for a pair that Fargate doesn't offer.
    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
    """

    cpu: int = 512
    """In CPU units, 1024 are one vCPU; 512 by default."""
    memory_mib: int = 1024
    """In MiB, one of those that Fargate offers with that CPU; 1024 by default."""
    cpu_architecture: CpuArchitecture = "X86_64"
    """What the image is built for; X86_64 by default."""
    ephemeral_storage_gib: int | None = None
    """The task's storage in GiB, 21 to 200; 20 when left out."""

    @all_mistakes
    def __post_init__(self) -> None:
        check_task_size("cpu", self.cpu, "memory_mib", self.memory_mib)
        check_choice(
            "cpu_architecture", self.cpu_architecture, ("X86_64", "ARM64"), "the architecture of a task"
        )
        if self.ephemeral_storage_gib is not None:
            check_range(
                "ephemeral_storage_gib", self.ephemeral_storage_gib, 21, 200, "the task's storage in GiB"
            )


@dataclass(frozen=True, kw_only=True)
class ContainerHealthCheck:
    """How ECS asks the container itself whether it is well.

    The start period is 120 s by default, since Spring Boot with its migrations takes that long on half a
    vCPU. Raises `InvalidArgumentError` outside the limits of ECS.
    Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html
    """

    command: Sequence[str]
    """What runs inside the container, `CMD` or `CMD-SHELL` first; it is well where that ends with 0."""
    interval_seconds: int = 30
    """From one check to the next, 5 to 300; 30 by default."""
    timeout_seconds: int = 5
    """How long a check may take, 2 to 60; 5 by default."""
    retries: int = 3
    """How many failures in a row make the container unhealthy, 1 to 10; 3 by default."""
    start_period_seconds: int = 120
    """How long failures don't count at first, 0 to 300; 120 by default."""

    @all_mistakes
    def __post_init__(self) -> None:
        check_command("health_check.command", self.command)
        if len(self.command) < 2 or self.command[0] not in ("CMD", "CMD-SHELL"):
            refuse(
                "health_check.command",
                HIDDEN if credential_in_command(self.command) else list(self.command),
                "the command begins with CMD or CMD-SHELL and goes on with what to run",
                'Write for example ["CMD", "/health-check"].',
            )
        check_range(
            "health_check.interval_seconds", self.interval_seconds, 5, 300, "the time between two checks"
        )
        check_range("health_check.timeout_seconds", self.timeout_seconds, 2, 60, "the time a check may take")
        check_range("health_check.retries", self.retries, 1, 10, "the number of failures in a row")
        check_range(
            "health_check.start_period_seconds", self.start_period_seconds, 0, 300, "the start period"
        )


@dataclass(frozen=True, kw_only=True)
class WritablePath:
    """A folder that the container may write although its root file system is read-only.

    `volume` lies on the task's storage: Fargate makes it root's unless the image declares the path as
    `VOLUME`, whose owner it then takes over. `tmpfs` lies in the container's memory, is writable for
    everyone with any image, and takes `size_mib` at most (64 by default). Programs may be run from it, since
    a JVM's libraries unpack their native parts into /tmp; set-user-id programs and devices may not.
    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/bind-mounts.html,
    https://github.com/netty/netty-tcnative/issues/264
    """

    path: str
    """The folder, absolute."""
    kind: Literal["volume", "tmpfs"] = "volume"
    """`volume` (the default) or `tmpfs`."""
    size_mib: int = 64
    """How much a tmpfs may hold, in MiB; 64 by default. A volume has the task's storage."""

    @all_mistakes
    def __post_init__(self) -> None:
        check_pattern(
            "writable_paths.path",
            self.path,
            # A container can't be started with a mount over its processes, devices or kernel settings.
            r"(?!/(proc|sys|dev)$)(?!/(proc|sys)/)(?!.*/\.{1,2}(/|$))(/[A-Za-z0-9._-]+)+",
            "a path is absolute, without '.' and '..', and is none of /proc, /sys and /dev",
            "Write for example /tmp.",
        )
        check_choice("writable_paths.kind", self.kind, ("volume", "tmpfs"), "the kind of a writable path")
        check_range("writable_paths.size_mib", self.size_mib, 1, 122880, "the size of a tmpfs in MiB")


@dataclass(frozen=True, kw_only=True)
class ContainerOptions:
    """What runs in the task's main container, and how.

    The root file system is read-only. An image built by Buildpacks has no tool to run a health check.
    `secrets` maps a variable's name to a secret of Secrets Manager or a parameter of SSM, by ARN or by name
    (`secretsmanager:NAME`, `ssm:NAME`); behind a secret, `:JSON_KEY::` takes one value of several. A secret
    that is named must exist; the execution role may read exactly these. `repository_credentials` is the
    secret, by ARN or by name, with the `username` and `password`. Raises `InvalidArgumentError` for the
    user root, for a variable that is named both ways, for a plain variable whose name says that it is a
    secret, and for a command that holds a credential.
    Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
    """

    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Plain variables; none by default. What is secret belongs to `secrets`."""
    secrets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Variables by the secret that they come from, by ARN, `secretsmanager:NAME` or `ssm:NAME`."""
    environment_file_arns: Sequence[str] = ()
    """Files of variables in S3; none by default."""
    command: Sequence[str] = ()
    """The arguments of what starts; the image's own by default."""
    entry_point: Sequence[str] = ()
    """What starts, each word by itself; the image's own by default."""
    user: str = "1000:1000"
    """Who runs it, as USER or USER:GROUP, by name or number; never root. 1000:1000 by default."""
    writable_paths: Sequence[WritablePath] = (WritablePath(path="/tmp"),)
    """Folders that may be written; `/tmp` by default."""
    health_check: ContainerHealthCheck | None = None
    """How ECS asks whether it is well; it doesn't by default."""
    repository_credentials: pulumi.Input[str] | None = None
    """The secret with user name and password of a private registry that isn't ECR."""

    @all_mistakes
    def __post_init__(self) -> None:
        check_environment("environment", self.environment)
        check_entry_point("entry_point", self.entry_point)
        check_command("command", self.command)
        if isinstance(self.repository_credentials, str):
            check_secret_reference("repository_credentials", self.repository_credentials)
            if self.repository_credentials.startswith("ssm:") or ":ssm:" in self.repository_credentials:
                refuse(
                    "repository_credentials",
                    self.repository_credentials,
                    "ECS takes a registry's credentials from Secrets Manager only",
                    "Store username and password there as JSON.",
                )
        check_arns("environment_file_arns", self.environment_file_arns, "s3")
        check_variable_names("secrets", self.secrets)
        for name, reference in self.secrets.items():
            if isinstance(reference, str):
                check_secret_reference(f"secrets.{name}", reference)
            if name in self.environment:
                refuse(
                    f"environment.{name}", "given", f"{name} is also under secrets", "Keep one of the two."
                )
        check_writable_paths([each.path for each in self.writable_paths])
        check_pattern(
            "user",
            self.user,
            r"([a-z_][a-z0-9_-]{0,31}|\d{1,9})(:([a-z_][a-z0-9_-]{0,31}|\d{1,9}))?",
            "it is a user, or a user and a group, by name or by number",
            "Write for example 1000:1000.",
        )
        if re.fullmatch(r"0+|root", self.user.split(":")[0]):
            refuse(
                "user",
                self.user,
                "a container never runs as root",
                "Name the image's own user, for example 1000:1000.",
            )


@dataclass(frozen=True, kw_only=True)
class Sidecar:
    """A further container of the task, beside the main one.

    `image` names a digest. An `essential` sidecar takes the task down with it; by default none is.
    The main container starts after the sidecar has reached `main_waits_for`, or at once by default.
    `firelens` makes it the log router of the main container, of that type; `router_options` tell it where
    that log goes (for example `Name`, `region`, `log_group_name`), none by default. What a sidecar may take
    of the task's memory (`memory_mib`, a hard limit, or `memory_reservation_mib`) the main container can't.
    Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html,
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_firelens.html
    """

    name: str
    """The container's name."""
    image: pulumi.Input[str]
    """The image, by its digest."""
    essential: bool = False
    """Whether its end is the task's; off by default."""
    container: ContainerOptions = field(default_factory=ContainerOptions)
    """What runs in it, and how."""
    main_waits_for: Literal["START", "COMPLETE", "SUCCESS", "HEALTHY"] | None = None
    """What the main container's start waits for; nothing by default."""
    port: int | None = None
    """Where it listens, 1 to 65535; nowhere by default."""
    memory_mib: int | None = None
    """Its hard limit in MiB; none by default. The main container can't have it."""
    memory_reservation_mib: int | None = None
    """What is kept for it, in MiB; nothing by default."""
    firelens: Literal["fluentbit", "fluentd"] | None = None
    """Which log router it is; none by default."""
    router_options: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Where a log router sends the main container's log."""

    @all_mistakes
    def __post_init__(self) -> None:
        if self.router_options and self.firelens is None:
            refuse(
                "sidecars.router_options",
                sorted(self.router_options),
                "only a log router has them",
                f"Give the sidecar {self.name} a firelens type, or leave its router_options out.",
            )
        check_pattern(
            "sidecars.name",
            self.name,
            r"[A-Za-z0-9_-]{1,255}",
            "a container's name has letters, digits, '_' and '-'",
            "Rename it.",
        )
        check_image("sidecars.image", self.image)
        if self.main_waits_for == "HEALTHY" and self.container.health_check is None:
            refuse(
                "sidecars.main_waits_for",
                "HEALTHY",
                "a container without a health check never becomes healthy",
                f"Give the sidecar {self.name} a health_check, or wait for START.",
            )
        if self.port is not None:
            check_range("sidecars.port", self.port, 1, 65535, "a port")


def check_writable_paths(paths: Sequence[str]) -> None:
    """Refuses a folder that is writable twice, by itself or as a part of another one."""
    check_unique("writable_paths.path", paths, "a writable path")
    for path in paths:
        outer = [other for other in paths if path.startswith(f"{other}/")]
        if outer:
            refuse(
                "writable_paths.path",
                path,
                f"it lies within {outer[0]}, and whichever is mounted last hides the other",
                "Keep one of the two.",
            )


def check_containers(main: str, sidecars: Sequence[Sidecar]) -> None:
    """Refuses a task in which two containers have one name, and one with two log routers."""
    routers = [sidecar.name for sidecar in sidecars if sidecar.firelens is not None]
    if len(routers) > 1:
        refuse(
            "sidecars.firelens", routers, "a task has one log router at most", "Keep firelens on one of them."
        )
    check_unique("sidecars.name", [main, *(sidecar.name for sidecar in sidecars)], "a container's name")


SMALLEST_MEMORY_MIB = 256
"""Less than this no JVM starts in."""


def main_memory_mib(size: TaskSize, sidecars: Sequence[Sidecar]) -> int:
    """What the sidecars leave of the task's memory to the main container.

    It becomes the container's hard limit: a container without one shows its processes the limit of the whole
    machine, and a JVM sizes its heap by that.
    Source: https://github.com/corretto/corretto-21/issues/135,
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html (memory)
    """
    return size.memory_mib - sum(each.memory_mib or each.memory_reservation_mib or 0 for each in sidecars)


def check_memory(size: TaskSize, container: ContainerOptions, sidecars: Sequence[Sidecar] = ()) -> None:
    """Refuses containers that the task's memory can't hold, and files in memory that leave a process none."""
    left = main_memory_mib(size, sidecars)
    if left < SMALLEST_MEMORY_MIB:
        refuse(
            "sidecars.memory_reservation_mib",
            size.memory_mib - left,
            f"of the task's {size.memory_mib} MiB it leaves the main container {left}, and it needs "
            f"{SMALLEST_MEMORY_MIB} at least",
            "Raise size.memory_mib or lower what the sidecars take.",
        )
    in_memory = sum(each.size_mib for each in container.writable_paths if each.kind == "tmpfs")
    if in_memory > left - SMALLEST_MEMORY_MIB:
        refuse(
            "writable_paths.size_mib",
            in_memory,
            f"a tmpfs lies in the container's memory of {left} MiB, of which the process needs "
            f"{SMALLEST_MEMORY_MIB} at least",
            "Lower it, raise size.memory_mib, or make it a volume.",
        )


@dataclass(frozen=True, kw_only=True)
class Logging:
    """Where a task's output goes, and for how long.

    With `retain_on_delete` the log group outlives its service and its stack, and is taken over again,
    with the retention that it was kept with, when a service of its name comes back; by default it goes.
    Raises `InvalidArgumentError` for a period that CloudWatch Logs doesn't know.
    """

    retention_days: int = 30
    """How long lines are kept, one of the periods that CloudWatch knows; 30 by default."""
    kms_key_arn: pulumi.Input[str] | None = None
    """The key that they lie under; CloudWatch's own by default."""
    retain_on_delete: bool = False
    """Whether the log group outlives its service and its stack; off by default."""

    @all_mistakes
    def __post_init__(self) -> None:
        check_retention_days("retention_days", self.retention_days)
        check_arn("kms_key_arn", self.kms_key_arn, "kms")


@dataclass(frozen=True, kw_only=True)
class Placement:
    """The VPC and the subnets that a service lives in.

    Tasks run in `private_subnet_ids` and never have a public address. `cidr_block` is the VPC's range:
    who asks an Actuator for metrics asks from inside it.
    """

    vpc_id: pulumi.Input[str]
    """The VPC."""
    cidr_block: pulumi.Input[str]
    """The VPC's range, from which the Actuator may be asked."""
    private_subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]]
    """Where tasks run: subnets with a way out (NAT gateway or endpoints) and no way in."""


@dataclass(frozen=True, kw_only=True)
class Alarms:
    """Who hears of trouble, and from which values on.

    `topic_arns` are told when an alarm begins and when it ends; with none (the default) alarms show
    in the console only. CPU and memory alarm above 85 % over `evaluation_periods` minutes (5). A rollout
    is put back when the service's own alarm begins during it, unless `roll_back_deployments` is off: for
    the web API that is the one on errors, for a scheduler the one on a failed start.
    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html
    """

    topic_arns: Sequence[pulumi.Input[str]] = ()
    """SNS topics that are told, five at most; none by default."""
    cpu_percent: int = 85
    """Above which share of the CPU it rings; 85 by default."""
    memory_percent: int = 85
    """Above which share of the memory it rings; 85 by default."""
    evaluation_periods: int = 5
    """For how many minutes it must be so; 5 by default."""
    roll_back_deployments: bool = True
    """Whether a ringing alarm of the service puts its rollout back; on by default."""

    @all_mistakes
    def __post_init__(self) -> None:
        check_arns("topic_arns", self.topic_arns, "sns")
        # Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
        if len(self.topic_arns) > 5:
            refuse(
                "topic_arns", len(self.topic_arns), "an alarm tells five topics at most", "Leave some out."
            )
        check_range("alarms.cpu_percent", self.cpu_percent, 1, 100, "a share of the CPU in percent")
        check_range("alarms.memory_percent", self.memory_percent, 1, 100, "a share of the memory in percent")
        check_range("alarms.evaluation_periods", self.evaluation_periods, 1, 1440, "a number of minutes")


@dataclass(frozen=True, kw_only=True)
class TaskAccess:
    """What a task may do in AWS beyond pulling its image and writing its log.

    Nothing by default. `policy_arns` are attached to the task role, `statements` (IAM policy
    statements) become its inline policy, and `permissions_boundary_arn` bounds both roles.
    `secrets_kms_key_arns` are the keys that the named secrets are encrypted with, where they aren't
    AWS's own. With `execute_command` a person can open a shell by ECS Exec; off by default. Where the
    cluster encrypts sessions, `session_kms_key_arn` is its key.
    """

    policy_arns: Sequence[pulumi.Input[str]] = ()
    """Policies that the task role gets; none by default."""
    statements: Sequence[Mapping[str, object]] = ()
    """Statements of its inline policy, as IAM writes them; none by default."""
    permissions_boundary_arn: pulumi.Input[str] | None = None
    """What bounds both roles; nothing by default."""
    secrets_kms_key_arns: Sequence[pulumi.Input[str]] = ()
    """The keys that the named secrets lie under, where they aren't AWS's own."""
    execute_command: bool = False
    """Whether a person may open a shell by ECS Exec; off by default."""
    session_kms_key_arn: pulumi.Input[str] | None = None
    """The cluster's key for such sessions, where it has one."""

    @all_mistakes
    def __post_init__(self) -> None:
        if self.session_kms_key_arn is not None and not self.execute_command:
            refuse(
                "session_kms_key_arn",
                "given",
                "it belongs to execute_command, which is off",
                "Turn execute_command on, or leave the key out.",
            )
        check_arn("session_kms_key_arn", self.session_kms_key_arn, "kms")
        check_arns("policy_arns", self.policy_arns, "iam")
        check_arn("permissions_boundary_arn", self.permissions_boundary_arn, "iam")
        check_arns("secrets_kms_key_arns", self.secrets_kms_key_arns, "kms")
