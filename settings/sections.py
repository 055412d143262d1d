"""What the settings are: every key of `Pulumi.STACK.yaml`, its default and its checks.

Pure. Doesn't own what a component checks of its own arguments; it calls the same checks, so a value
means the same in YAML and in Python. Nor how a mistake is worded (`messages`), or where values come
from (`reading`).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
    with_config,
)

from components.alarm_topic import AlarmTopicArgs
from components.aws_rules import check_tags
from components.flow_logs import FlowLogs
from components.names import Names
from components.network import ExistingVpc, NewVpc
from components.options import (
    Alarms,
    ContainerHealthCheck,
    ContainerOptions,
    Logging,
    TaskSize,
    WritablePath,
    check_memory,
)
from components.validation import (
    InvalidArgumentError,
    all_mistakes,
    check_environment,
    check_pattern,
    check_port,
    check_range,
    check_secret_reference,
    check_unique,
    check_variable_names,
    refuse,
)
from components.web_options import (
    AccessLogs,
    Autoscaling,
    Capacity,
    Https,
    LoadBalancing,
    ScheduledScaling,
    TargetHealthCheck,
)

PROJECT = "fileflow"


@all_mistakes
def _environment(value: str) -> str:
    check_pattern(
        "environment",
        value,
        # Without a dash: scheduler a of environment b-c would meet scheduler a-b of environment c.
        r"[a-z][a-z0-9]{0,15}",
        "an environment's name has up to 16 lower-case letters and digits, a letter first",
        "Rename it, for example staging.",
    )
    return value


@all_mistakes
def _version(value: str) -> str:
    check_pattern(
        "version",
        value,
        r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}",
        "a version becomes an image's tag: 1 to 100 letters, digits, '_', '.' and '-'",
        "Set it with: pulumi config set version 1.4.0",
    )
    if value.endswith("latest"):
        refuse(
            "version",
            value,
            "tags that end in latest move, and a version never does",
            "Name a version, for example 1.4.0.",
        )
    return value


def _scheduler_name(value: str) -> str:
    check_pattern(
        "name",
        value,
        r"[a-z][a-z0-9-]{0,30}",
        "a scheduler's name has up to 31 lower-case letters, digits and '-', a letter first",
        "Rename it, for example download.",
    )
    return value


def _port(value: int) -> int:
    check_port("port", value)
    return value


def _stop_timeout(value: int) -> int:
    check_range("stop_timeout_seconds", value, 2, 120, "Fargate's stop timeout")
    return value


@all_mistakes
def _secrets(value: dict[str, str]) -> dict[str, str]:
    check_variable_names("secrets", value)
    for name, reference in value.items():
        check_secret_reference(f"secrets.{name}", reference)
    return value


@all_mistakes
def _plain_environment(value: dict[str, str]) -> dict[str, str]:
    check_environment("environment", value)
    return value


@all_mistakes
def _tags(value: dict[str, str]) -> dict[str, str]:
    check_tags("tags", {**_own_tags("example"), **value})
    return value


def _own_tags(environment: str) -> dict[str, str]:
    """What every resource of a stack is tagged with, besides its file's tags."""
    return {"Project": PROJECT, "Environment": environment}


def _in_this_region(value: str, info: ValidationInfo) -> str:
    """What a service only takes from its own region; where that isn't known, AWS is asked."""
    parts = value.split(":")
    region = (info.context or {}).get("region")
    if region and len(parts) > 5 and parts[0] == "arn" and parts[3] not in ("", region):
        raise InvalidArgumentError(
            info.field_name or "arn",
            value,
            f"it lies in {parts[3]}, and the stack in {region}",
            f"Name one of {region}.",
        )
    return value


RegionalArn = Annotated[str, AfterValidator(_in_this_region)]
Version = Annotated[str, AfterValidator(_version)]
Port = Annotated[int, AfterValidator(_port)]
StopTimeout = Annotated[int, AfterValidator(_stop_timeout)]


for _group in (
    TaskSize,
    ContainerHealthCheck,
    WritablePath,
    NewVpc,
    FlowLogs,
    ExistingVpc,
    Autoscaling,
    ScheduledScaling,
    Capacity,
    TargetHealthCheck,
):
    # The components' own groups are read from YAML as they are; a misspelled key must not be dropped.
    with_config(ConfigDict(extra="forbid"))(_group)


class _Section(BaseModel):
    """A part of the configuration; a key that it doesn't know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LoggingSettings(_Section):
    """How long logs are kept, and under which key."""

    retention_days: int = 30
    kms_key_arn: RegionalArn | None = None
    retain_on_delete: bool = False

    @model_validator(mode="after")
    @all_mistakes
    def _check(self) -> LoggingSettings:
        self.value()
        return self

    def value(self) -> Logging:
        return Logging(**self.model_dump())


class NetworkSettings(_Section):
    """A VPC of the stack's own (`create`), or an existing one (`use`)."""

    create: NewVpc | None = None
    use: ExistingVpc | None = None

    @model_validator(mode="after")
    @all_mistakes
    def _one(self) -> NetworkSettings:
        if (self.create is None) == (self.use is None):
            refuse(
                "network", "both or neither", "it says either create or use", "Keep exactly one of the two."
            )
        return self

    def value(self) -> NewVpc | ExistingVpc:
        chosen = self.create or self.use
        if chosen is None:
            raise AssertionError("the validator lets exactly one through")
        return chosen


class ImageSettings(_Section):
    """Where images come from: `build`, `local` (left by `bootBuildImage`) or `registry`."""

    source: Literal["build", "local", "registry"] = "registry"
    context: str | None = None
    dockerfile: str | None = None
    target: str | None = None
    build_args: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    @all_mistakes
    def _build_needs_a_folder(self) -> ImageSettings:
        if self.source == "build" and not (self.context and self.dockerfile):
            refuse("images", "source: build", "a build needs context and dockerfile", "Name both paths.")
        if self.source != "build" and (self.context or self.dockerfile or self.target or self.build_args):
            refuse(
                "images",
                f"source: {self.source}",
                "context, dockerfile, target and build_args belong to the source build",
                "Remove them, or choose build.",
            )
        return self


class RepositorySettings(_Section):
    """What the image repository keeps, and whether it may be deleted with its images."""

    kept_versions: int = 20
    force_delete: bool = False

    @model_validator(mode="after")
    @all_mistakes
    def _check(self) -> RepositorySettings:
        check_range("kept_versions", self.kept_versions, 2, 1000, "the number of versions to keep")
        return self


class ServiceSettings(_Section):
    """What the web API and the schedulers have alike."""

    version: Version | None = None
    size: TaskSize = Field(default_factory=TaskSize)
    environment: Annotated[dict[str, str], AfterValidator(_plain_environment)] = Field(default_factory=dict)
    secrets: Annotated[dict[str, str], AfterValidator(_secrets)] = Field(default_factory=dict)
    secrets_kms_key_arns: list[str] = Field(default_factory=list)
    health_check: ContainerHealthCheck | None = None
    writable_paths: list[WritablePath] = Field(default_factory=lambda: [WritablePath(path="/tmp")])
    user: str = "1000:1000"
    execute_command: bool = False

    @model_validator(mode="after")
    @all_mistakes
    def _check_container(self) -> ServiceSettings:
        check_memory(self.size, self.container())
        return self

    def container(self) -> ContainerOptions:
        """What runs in the main container."""
        return ContainerOptions(
            environment=self.environment,
            secrets=self.secrets,
            user=self.user,
            writable_paths=self.writable_paths,
            health_check=self.health_check,
        )


class SchedulerSettings(ServiceSettings):
    """One scheduler: its name and its Actuator's port. It runs exactly once; there is no count to set.

    A new `name` alone is another scheduler, which is refused in the run that removes one: it would start
    before that is gone. With `renamed_from` it is the same one, which stops under its old name before it
    starts under the new; back to the old name likewise.
    """

    name: Annotated[str, AfterValidator(_scheduler_name)]
    port: Port
    renamed_from: Annotated[str, AfterValidator(_scheduler_name)] | None = None
    stop_timeout_seconds: StopTimeout = 120
    spot_opt_in: bool = False


class AccessLogSettings(_Section):
    """Where the load balancer logs requests: a bucket made for it, or an existing one."""

    bucket: str | None = None
    prefix: str | None = None
    retention_days: int = 90
    force_destroy: bool = False

    @model_validator(mode="after")
    @all_mistakes
    def _check(self) -> AccessLogSettings:
        self.value()
        return self

    def value(self) -> AccessLogs:
        return AccessLogs(**self.model_dump())


class LoadBalancerSettings(_Section):
    """The load balancer: HTTPS with a certificate, or plain HTTP where the stack says so."""

    certificate_arn: RegionalArn | None = None
    host_name: str | None = None
    hosted_zone_id: str | None = None
    plain_http: bool = False
    internal: bool = False
    source_cidr_blocks: list[str] = Field(default_factory=lambda: ["0.0.0.0/0"])
    deletion_protection: bool = True
    access_logs: AccessLogSettings | None = Field(default_factory=AccessLogSettings)
    idle_timeout_seconds: int = 60
    deregistration_delay_seconds: int = 30
    health_check: TargetHealthCheck = Field(default_factory=TargetHealthCheck)

    @model_validator(mode="after")
    @all_mistakes
    def _certificate_or_plain_http(self) -> LoadBalancerSettings:
        named = (self.certificate_arn, self.host_name, self.hosted_zone_id) != (None, None, None)
        if named == self.plain_http:
            refuse(
                "plain_http",
                self.plain_http,
                "a load balancer has either HTTPS or, where the stack says so, plain_http",
                "Give a certificate_arn, or host_name and hosted_zone_id, or plain_http: true.",
            )
        # The component's own checks; what the settings don't know stands in by an example.
        LoadBalancing(
            name="example",
            target_group_name="example",
            public_subnet_ids=[],
            https=self.https(),
            plain_http=self.plain_http,
            internal=self.internal,
            source_cidr_blocks=self.source_cidr_blocks,
            idle_timeout_seconds=self.idle_timeout_seconds,
            deregistration_delay_seconds=self.deregistration_delay_seconds,
        )
        return self

    def https(self) -> Https | None:
        """HTTPS as the component wants it, or None for plain HTTP."""
        if self.plain_http:
            return None
        return Https(
            certificate_arn=self.certificate_arn,
            host_name=self.host_name,
            hosted_zone_id=self.hosted_zone_id,
        )


class WebApiSettings(ServiceSettings):
    """The web API."""

    port: Port = 8083
    autoscaling: Autoscaling = Field(default_factory=Autoscaling)
    capacity: Capacity = Field(default_factory=Capacity)
    stop_timeout_seconds: StopTimeout = 60
    grace_period_seconds: Annotated[int, Field(ge=0, le=2_147_483_647)] = 180
    load_balancer: LoadBalancerSettings

    @model_validator(mode="after")
    @all_mistakes
    def _outlives_its_deregistration(self) -> WebApiSettings:
        delay = self.load_balancer.deregistration_delay_seconds
        if self.stop_timeout_seconds <= delay:
            refuse(
                "stop_timeout_seconds",
                self.stop_timeout_seconds,
                f"it must be above load_balancer.deregistration_delay_seconds, which is {delay}",
                "Otherwise a task dies with requests still coming in: lower the one or raise the other.",
            )
        return self


_EXAMPLE_TOPIC_ARN = "arn:aws:sns:eu-west-1:111122223333:example"


class AlarmSettings(_Section):
    """Who is told of alarms and failed deployments, besides the stack's own topic."""

    emails: list[str] = Field(default_factory=list)
    https_endpoints: list[str] = Field(default_factory=list)
    topic_arns: list[RegionalArn] = Field(default_factory=list)

    @model_validator(mode="after")
    @all_mistakes
    def _check(self) -> AlarmSettings:
        AlarmTopicArgs(
            topic_name="example",
            cluster_arn="example",
            emails=self.emails,
            https_endpoints=self.https_endpoints,
        )
        # The stack's own topic is told too.
        Alarms(topic_arns=[*self.topic_arns, _EXAMPLE_TOPIC_ARN])
        return self


@all_mistakes
def _schedulers_differ(value: list[SchedulerSettings]) -> list[SchedulerSettings]:
    check_unique("schedulers.name", [each.name for each in value], "a scheduler's name")
    for each in value:
        if each.renamed_from in {other.name for other in value}:
            refuse(
                "schedulers.renamed_from",
                each.renamed_from,
                "a scheduler of that name is still there",
                "Remove that one, or this renamed_from.",
            )
    check_unique(
        "schedulers.renamed_from",
        [each.renamed_from for each in value if each.renamed_from is not None],
        "an old name",
    )
    names = Names(environment="example")
    prefixes = {each.name: names.scheduler(each.name).image_tag_prefix for each in value}
    for name, prefix in prefixes.items():
        others = [names.web_api.image_tag_prefix, *(p for other, p in prefixes.items() if other != name)]
        if any(prefix.startswith(other) for other in others):
            refuse(
                "schedulers.name",
                name,
                f"its images' tags {prefix}… begin like another service's, whose old ones are deleted",
                "Rename it, for example without 'web-api' and 'scheduler'.",
            )
    return value


class Settings(_Section):
    """The whole configuration of a stack."""

    environment: Annotated[str, AfterValidator(_environment)]
    version: Version
    network: NetworkSettings
    images: ImageSettings
    repository: RepositorySettings = Field(default_factory=RepositorySettings)
    container_insights: Literal["enabled", "enhanced", "disabled"] = "enabled"
    logging: LoggingSettings = Field(default_factory=LoggingSettings)
    alarms: AlarmSettings = Field(default_factory=AlarmSettings)
    web_api: WebApiSettings
    schedulers: Annotated[list[SchedulerSettings], AfterValidator(_schedulers_differ)]
    tags: Annotated[dict[str, str], AfterValidator(_tags)] = Field(default_factory=dict)

    @model_validator(mode="after")
    @all_mistakes
    def _schedulers_are_counted(self) -> Settings:
        if self.schedulers and self.container_insights == "disabled":
            refuse(
                "container_insights",
                self.container_insights,
                "the alarms on the number of a scheduler's tasks read its metrics, and would ring for ever",
                "Choose enabled or enhanced.",
            )
        return self

    @property
    def all_tags(self) -> dict[str, str]:
        """The stack's tags, with the project's and the environment's."""
        return {**_own_tags(self.environment), **self.tags}
