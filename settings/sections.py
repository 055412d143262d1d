"""What the settings are: every key of `Pulumi.STACK.yaml`, its default and its checks.

The sections of services are in `services`, the kinds of values in `values`.

Pure, but for the Dockerfile of images that are built, which is read. Doesn't own what a component checks of
its own arguments; it calls the same checks, so a value means the same in YAML and in Python. Nor how a
mistake is worded (`messages`), or where values come from (`reading`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import pulumi
from pydantic import (
    AfterValidator,
    Field,
    model_validator,
)

from components.alarm_topic import AlarmTopicArgs
from components.image_kind import ImageKind
from components.lease import BUILDPACKS_ENTRY_POINT
from components.names import GUARD_TAG_PREFIX, Names
from components.network import ExistingVpc, NewVpc
from components.options import (
    Alarms,
    Logging,
)
from components.validation import (
    all_mistakes,
    check_arn,
    check_range,
    check_unique,
    refuse,
)
from components.web_options import (
    AccessLogs,
    Autoscaling,
    Capacity,
    Https,
    LoadBalancing,
    TargetHealthCheck,
    WebAcl,
    check_outlives_deregistration,
)
from settings.audited import check_audited
from settings.dockerfile import started_by
from settings.lease_sections import LeaseSettings, LeasesSettings
from settings.services import SchedulerSettings, ServiceSettings
from settings.values import (
    Environment,
    Port,
    RegionalArn,
    Section,
    StopTimeout,
    Tags,
    Version,
    own_tags,
)


class LoggingSettings(Section):
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


class EncryptionSettings(Section):
    """The key of logs, sessions of ECS Exec, alarms and images: AWS's own by default.

    With `create` the stack makes one, which rotates each year, has the alias `alias/fileflow-ENVIRONMENT`
    and costs what docs/costs.md says. It stays when the stack or the setting goes, since what is left of
    logs and images can be read with it alone; with `retain_on_delete: false`, KMS deletes it after 30 days.
    `kms_key_arn` names an existing one, whose policy has to let `logs.REGION.amazonaws.com`,
    `cloudwatch.amazonaws.com` and `events.amazonaws.com` use it, or AWS writes no log and delivers no alarm.
    An image repository takes the key when it is made, unless that is one that goes; one that runs keeps the
    encryption that it has, since ECR can't change it. `logging.kms_key_arn` goes first for logs and sessions.
    """

    create: bool = False
    kms_key_arn: RegionalArn | None = None
    retain_on_delete: bool = True

    @model_validator(mode="after")
    @all_mistakes
    def _one(self) -> EncryptionSettings:
        if self.create and self.kms_key_arn is not None:
            refuse(
                "kms_key_arn",
                self.kms_key_arn,
                "create is set, and a stack has one key",
                "Keep exactly one of the two.",
            )
        check_arn("kms_key_arn", self.kms_key_arn, "kms")
        return self


class NetworkSettings(Section):
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


class ImageSettings(Section):
    """Where images come from: `build`, `local` (left by `bootBuildImage`) or `registry`.

    `kind` says how they are asked whether they are well: `buildpack` (by Paketo's health checker),
    `dockerfile` (by the class in images/spring-boot.Dockerfile) or `other` (not by default). Left out it is
    `dockerfile` for `build`, else `buildpack`.
    """

    source: Literal["build", "local", "registry"] = "registry"
    kind: ImageKind | None = None
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

    def built(self) -> ImageKind:
        """How images are built, by their source where it isn't said."""
        return self.kind or ("dockerfile" if self.source == "build" else "buildpack")

    @cached_property
    def entry_point(self) -> Sequence[str]:
        """What an image starts: a buildpack's, or what the Dockerfile says; empty where nothing says it."""
        if self.source != "build" or self.dockerfile is None:
            return BUILDPACKS_ENTRY_POINT if self.built() == "buildpack" else ()
        try:
            dockerfile = Path(self.dockerfile).read_text(encoding="utf-8")
        except OSError:
            # Which the build refuses, and by its name.
            return BUILDPACKS_ENTRY_POINT
        return started_by(dockerfile, self.target)


class RepositorySettings(Section):
    """What the image repository keeps, and whether it may be deleted with its images."""

    kept_versions: int = 20
    force_delete: bool = False

    @model_validator(mode="after")
    @all_mistakes
    def _check(self) -> RepositorySettings:
        check_range("kept_versions", self.kept_versions, 2, 1000, "the number of versions to keep")
        return self


class AccessLogSettings(Section):
    """Where the load balancer logs requests: a bucket made for it, or an existing one."""

    bucket: str | None = None
    prefix: str | None = None
    retention_days: int = 90
    version_retention_days: int = 30
    force_destroy: bool = False

    @model_validator(mode="after")
    @all_mistakes
    def _check(self) -> AccessLogSettings:
        self.value()
        return self

    def value(self) -> AccessLogs:
        return AccessLogs(**self.model_dump())


class WebAclSettings(Section):
    """A web ACL of the stack's own: it counts what it would block until `action` is `block`."""

    action: Literal["count", "block"] = "count"
    requests_per_five_minutes: int = 2000

    @model_validator(mode="after")
    @all_mistakes
    def _check(self) -> WebAclSettings:
        self.value(name="example", log_group_name="aws-waf-logs-example", logging=Logging())
        return self

    def value(self, *, name: str, log_group_name: str, logging: Logging) -> WebAcl:
        return WebAcl(name=name, log_group_name=log_group_name, logging=logging, **self.model_dump())


class LoadBalancerSettings(Section):
    """The load balancer: HTTPS with a certificate, or plain HTTP where the stack says so."""

    certificate_arn: RegionalArn | None = None
    host_name: str | None = None
    hosted_zone_id: str | None = None
    ssl_policy: str | None = None
    web_acl_arn: RegionalArn | None = None
    web_acl: WebAclSettings | None = None
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
        if self.plain_http and self.ssl_policy is not None:
            refuse(
                "ssl_policy",
                self.ssl_policy,
                "it belongs to HTTPS, and plain_http is set",
                "Leave it out, or give a certificate.",
            )
        # The component's own checks; what the settings don't know stands in by an example.
        self.value(
            name="example",
            target_group_name="example",
            public_subnet_ids=[],
            web_acl_log_group_name="aws-waf-logs-example",
            logging=Logging(),
        )
        return self

    def value(
        self,
        *,
        name: str,
        target_group_name: str,
        public_subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]],
        web_acl_log_group_name: str,
        logging: Logging,
    ) -> LoadBalancing:
        """The load balancer as the component wants it."""
        acl = self.web_acl
        return LoadBalancing(
            name=name,
            target_group_name=target_group_name,
            public_subnet_ids=public_subnet_ids,
            https=self.https(),
            web_acl_arn=self.web_acl_arn,
            web_acl=(
                None
                if acl is None
                else acl.value(name=name, log_group_name=web_acl_log_group_name, logging=logging)
            ),
            plain_http=self.plain_http,
            internal=self.internal,
            source_cidr_blocks=self.source_cidr_blocks,
            deletion_protection=self.deletion_protection,
            access_logs=None if self.access_logs is None else self.access_logs.value(),
            idle_timeout_seconds=self.idle_timeout_seconds,
            deregistration_delay_seconds=self.deregistration_delay_seconds,
            health_check=self.health_check,
        )

    def https(self) -> Https | None:
        """HTTPS as the component wants it, or None for plain HTTP."""
        if self.plain_http:
            return None
        return Https(
            certificate_arn=self.certificate_arn,
            host_name=self.host_name,
            hosted_zone_id=self.hosted_zone_id,
            **({} if self.ssl_policy is None else {"ssl_policy": self.ssl_policy}),
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
        check_outlives_deregistration(
            self.stop_timeout_seconds,
            "load_balancer.deregistration_delay_seconds",
            self.load_balancer.deregistration_delay_seconds,
        )
        return self


_EXAMPLE_TOPIC_ARN = "arn:aws:sns:eu-west-1:111122223333:example"


class AlarmSettings(Section):
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
        others = [
            *(names.web_api.image_tag_prefix, GUARD_TAG_PREFIX),
            *(other_prefix for other, other_prefix in prefixes.items() if other != name),
        ]
        if any(prefix.startswith(other) for other in others):
            refuse(
                "schedulers.name",
                name,
                f"its images' tags {prefix}… begin like another service's, whose old ones are deleted",
                "Rename it, for example without 'web-api', 'lease-guard' and 'scheduler'.",
            )
    return value


class Settings(Section):
    """The whole configuration of a stack."""

    environment: Environment
    version: Version
    network: NetworkSettings
    images: ImageSettings
    repository: RepositorySettings = Field(default_factory=RepositorySettings)
    container_insights: Literal["enabled", "enhanced", "disabled"] = "enabled"
    logging: LoggingSettings = Field(default_factory=LoggingSettings)
    encryption: EncryptionSettings = Field(default_factory=EncryptionSettings)
    alarms: AlarmSettings = Field(default_factory=AlarmSettings)
    leases: LeasesSettings = Field(default_factory=LeasesSettings)
    web_api: WebApiSettings
    schedulers: Annotated[list[SchedulerSettings], AfterValidator(_schedulers_differ)]
    tags: Tags = Field(default_factory=dict)
    audited: bool = False
    """Whether a preview refuses what an auditor's tool would find later; by default it doesn't."""

    @model_validator(mode="after")
    @all_mistakes
    def _is_as_audited(self) -> Settings:
        if self.audited:
            check_audited(self)
        return self

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

    @model_validator(mode="after")
    @all_mistakes
    def _leases_differ(self) -> Settings:
        leases = [(self.lease_table_of(each.lease), each.lease_key) for each in self.schedulers if each.lease]
        for table, key in sorted({each for each in leases if leases.count(each) > 1}):
            refuse(
                "schedulers.lease.key",
                key,
                f"two schedulers have it in the table {table}, and one of them would wait for ever",
                "Give each scheduler a key of its own.",
            )
        if self.images.source != "build" and (self.leases.context or self.leases.dockerfile):
            refuse(
                "leases",
                f"images.source: {self.images.source}",
                "context and dockerfile belong to images that are built",
                "Remove them, or choose images.source: build.",
            )
        return self

    @model_validator(mode="after")
    @all_mistakes
    def _guards_know_what_to_start(self) -> Settings:
        for each in self.schedulers:
            if each.lease is not None and not self.lease_entry_point_of(each.lease):
                refuse(
                    "schedulers.lease.entry_point",
                    None,
                    "the guard starts the scheduler, and "
                    + (
                        f"{self.images.dockerfile} has no ENTRYPOINT or CMD"
                        if self.images.source == "build"
                        else f"nothing says what an image of images.kind {self.images.built()} starts"
                    ),
                    "Name what the image starts, for example [java, -jar, application.jar].",
                )
        return self

    def lease_entry_point_of(self, lease: LeaseSettings) -> Sequence[str]:
        """What a lease's guard starts: what it names, or the image's own; empty where that isn't known."""
        return self.images.entry_point if lease.entry_point is None else lease.entry_point

    def lease_table_of(self, lease: LeaseSettings) -> str:
        """The table that a lease lies in: the stack's own one, where it names none."""
        return (
            Names(environment=self.environment).lease_table if lease.table_name is None else lease.table_name
        )

    @property
    def has_own_lease_table(self) -> bool:
        """Whether a scheduler's lease is in the stack's own table."""
        leases = [each.lease for each in self.schedulers if each.lease is not None]
        return not all(each.table_name for each in leases)

    @property
    def is_protected(self) -> bool:
        """Whether something of the stack is protected against deletion."""
        return self.web_api.load_balancer.deletion_protection or (
            self.has_own_lease_table and self.leases.deletion_protection
        )

    @property
    def all_tags(self) -> dict[str, str]:
        """The stack's tags, with the project's and the environment's."""
        return {**own_tags(self.environment), **self.tags}
