"""The settings of a service: what the web API and the schedulers have alike, and what a scheduler has.

Pure. Doesn't own what a component checks of its own arguments; it calls the same checks.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

import pulumi
from pydantic import (
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from components.lease import check_lease
from components.options import (
    ContainerHealthCheck,
    ContainerOptions,
    Sidecar,
    TaskAccess,
    TaskSize,
    WritablePath,
    check_containers,
    check_memory,
)
from components.pause import Pause
from components.validation import (
    InvalidArgumentError,
    all_mistakes,
    refuse,
)
from settings.lease_sections import LeaseSettings
from settings.values import (
    Action,
    Port,
    Resource,
    SchedulerName,
    Secrets,
    Section,
    StopTimeout,
    Variables,
    Version,
)


class StatementSettings(Section):
    """What a task may do in AWS, or may not: a statement of IAM for its task role."""

    sid: Annotated[str, Field(pattern=r"^[A-Za-z0-9]*$")] | None = None
    effect: Literal["Allow", "Deny"] = "Allow"
    actions: Annotated[list[Action], Field(min_length=1)]
    resources: Annotated[list[Resource], Field(min_length=1)]
    conditions: dict[str, dict[str, str | list[str]]] = Field(default_factory=dict)

    def value(self) -> dict[str, object]:
        """The statement in IAM's own words."""
        words = {
            "Sid": self.sid,
            "Effect": self.effect,
            "Action": self.actions,
            "Resource": self.resources,
            "Condition": self.conditions,
        }
        return {word: said for word, said in words.items() if said}


class SidecarSettings(Section):
    """A further container of a task, beside the main one: an agent, for example.

    A log router, and one that ends before the main container starts, are said in Python; see `Sidecar`.
    """

    name: str
    image: str
    essential: bool = False
    environment: Variables = Field(default_factory=dict)
    secrets: Secrets = Field(default_factory=dict)
    repository_credentials: str | None = None
    command: list[str] = Field(default_factory=list)
    user: str = "1000:1000"
    writable_paths: list[WritablePath] = Field(default_factory=lambda: [WritablePath(path="/tmp")])
    health_check: ContainerHealthCheck | None = None
    main_waits_for: Literal["START", "HEALTHY"] | None = None
    port: int | None = None
    memory_mib: Annotated[int, Field(ge=6)] | None = None
    memory_reservation_mib: Annotated[int, Field(ge=6)] | None = None

    @model_validator(mode="after")
    @all_mistakes
    def _check(self) -> SidecarSettings:
        self.value()
        return self

    def value(self) -> Sidecar:
        return Sidecar(
            name=self.name,
            image=self.image,
            essential=self.essential,
            container=ContainerOptions(
                environment=self.environment,
                secrets=self.secrets,
                repository_credentials=self.repository_credentials,
                command=self.command,
                user=self.user,
                writable_paths=self.writable_paths,
                health_check=self.health_check,
            ),
            main_waits_for=self.main_waits_for,
            port=self.port,
            memory_mib=self.memory_mib,
            memory_reservation_mib=self.memory_reservation_mib,
        )


class ServiceSettings(Section):
    """What the web API and the schedulers have alike."""

    version: Version | None = None
    size: TaskSize = Field(default_factory=TaskSize)
    environment: Variables = Field(default_factory=dict)
    secrets: Secrets = Field(default_factory=dict)
    secrets_kms_key_arns: list[str] = Field(default_factory=list)
    repository_credentials: str | None = None
    policy_arns: list[str] = Field(default_factory=list)
    statements: list[StatementSettings] = Field(default_factory=list)
    permissions_boundary_arn: str | None = None
    sidecars: list[SidecarSettings] = Field(default_factory=list)
    health_check: ContainerHealthCheck | None = None
    writable_paths: list[WritablePath] = Field(default_factory=lambda: [WritablePath(path="/tmp")])
    user: str = "1000:1000"
    execute_command: bool = False

    @model_validator(mode="after")
    @all_mistakes
    def _check_container(self) -> ServiceSettings:
        sidecars = [each.value() for each in self.sidecars]
        check_memory(self.size, self.container(), sidecars)
        # The main container's name follows from the service's, and no sidecar of the settings has it.
        check_containers("", sidecars)
        self.access()
        return self

    def access(self, session_kms_key_arn: pulumi.Input[str] | None = None) -> TaskAccess:
        """What the task may do in AWS; sessions of ECS Exec are encrypted with the cluster's key."""
        return TaskAccess(
            policy_arns=self.policy_arns,
            statements=[each.value() for each in self.statements],
            permissions_boundary_arn=self.permissions_boundary_arn,
            secrets_kms_key_arns=self.secrets_kms_key_arns,
            execute_command=self.execute_command,
            session_kms_key_arn=session_kms_key_arn if self.execute_command else None,
        )

    def container(self) -> ContainerOptions:
        """What runs in the main container."""
        return ContainerOptions(
            environment=self.environment,
            secrets=self.secrets,
            repository_credentials=self.repository_credentials,
            user=self.user,
            writable_paths=self.writable_paths,
            health_check=self.health_check,
        )


CLOCKS_DIFFER = timedelta(minutes=5)
"""How far the clock of whoever paused a scheduler may be ahead of the one of whoever deploys it."""


def check_lasts(pause: Pause, now: datetime) -> None:
    """Refuses a pause that is over, which nobody may forget, and one that hasn't begun.

    Raises `InvalidArgumentError`.
    """
    if pause.ends <= now:
        raise InvalidArgumentError(
            "paused.until",
            pause.until,
            f"this pause ({pause.reason}) is over",
            "Let it run again, by python -m operate resume, which takes paused out, or give a later end.",
        )
    if pause.begins > now + CLOCKS_DIFFER:
        raise InvalidArgumentError(
            "paused.since",
            pause.since,
            "a pause begins when it is deployed, and that time is yet to come",
            "Give the present time, when it is to begin.",
        )


class SchedulerSettings(ServiceSettings):
    """One scheduler: its name and its Actuator's port. It runs exactly once; there is no count to set.

    A new `name` alone is another scheduler, which is refused in the run that removes one: it would start
    before that is gone. With `renamed_from` it is the same one, which stops under its old name before it
    starts under the new; back to the old name likewise.
    """

    name: SchedulerName
    port: Port
    renamed_from: SchedulerName | None = None
    stop_timeout_seconds: StopTimeout = 120
    spot_opt_in: bool = False
    lease: LeaseSettings | None = None
    paused: Pause | None = None
    """No task of it runs until then; at its end it has to run again, or get a later end."""

    @field_validator("paused")
    @classmethod
    def _lasts(cls, value: Pause | None, info: ValidationInfo) -> Pause | None:
        now: datetime | None = (info.context or {}).get("now")
        if value is not None and now is not None:
            check_lasts(value, now)
        return value

    @model_validator(mode="after")
    @all_mistakes
    def _has_room_for_a_lease(self) -> SchedulerSettings:
        if self.lease is not None:
            check_lease(self.container(), [each.value() for each in self.sidecars])
        elif "lease" in self.model_fields_set:
            refuse(
                "lease",
                None,
                "an empty value is no lease, and doesn't look like it",
                "Write lease: {} for one, or leave it out.",
            )
        if self.lease is not None and self.lease.key is None and self.renamed_from is not None:
            refuse(
                "lease.key",
                None,
                "a lease keeps its key when its scheduler gets another name: the former task still holds it",
                f"Say lease: {{key: {self.renamed_from}}}, or the key that it has, and leave it there.",
            )
        return self

    @property
    def lease_key(self) -> str:
        """What its lease is called, by default as it is itself."""
        return self.name if self.lease is None or self.lease.key is None else self.lease.key
