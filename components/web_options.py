"""Small typed values that only a web service has: autoscaling, HTTPS, its load balancer, its capacity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi

from components.aws_rules import (
    check_bucket_name,
    check_health_check_path,
    check_host_name,
    check_hosted_zone_id,
    check_log_prefix,
    check_matcher,
    check_schedule,
    check_scheduled_action_name,
    check_timezone,
    is_private_range,
)
from components.options import Logging
from components.validation import (
    all_mistakes,
    check_arn,
    check_choice,
    check_cidr_block,
    check_pattern,
    check_range,
    check_unique,
    refuse,
)


@dataclass(frozen=True, kw_only=True)
class ScheduledScaling:
    """A change of the limits at certain times.

    Source: https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-scheduled-scaling.html
    """

    name: str
    """The name, one of a kind in the service."""
    schedule: str
    """When: `cron(…)`, `rate(…)` or `at(…)`."""
    minimum_count: int
    """The fewest tasks from then on, at least 1."""
    maximum_count: int
    """The most tasks from then on."""
    timezone: str = "UTC"
    """In which the schedule is read, such as Asia/Seoul; UTC by default."""

    @all_mistakes
    def __post_init__(self) -> None:
        check_scheduled_action_name("autoscaling.scheduled.name", self.name)
        check_schedule("autoscaling.scheduled.schedule", self.schedule)
        check_timezone("autoscaling.scheduled.timezone", self.timezone)
        check_counts("autoscaling.scheduled", self.minimum_count, self.maximum_count)


@dataclass(frozen=True, kw_only=True)
class Autoscaling:
    """How many tasks the web service has.

    A target of None isn't followed. Memory isn't, by default: a JVM's heap grows to its limit and seldom
    shrinks, so that tasks would be added and never taken away. With `scheduled`, the limits are the
    schedule's: `minimum_count` and `maximum_count` are those that the service begins with, and a later
    change of the two waits until no schedule is left.
    Raises `InvalidArgumentError` for a minimum below 1 or above the maximum.
    """

    minimum_count: int = 1
    """The fewest tasks, at least 1, which is the default."""
    maximum_count: int = 4
    """The most tasks; 4 by default."""
    cpu_percent: int | None = 60
    """The share of the CPU to keep to; 60 by default."""
    memory_percent: int | None = None
    """The share of the memory to keep to; not followed by default."""
    requests_per_target: int | None = 1000
    """The requests per task and minute to keep to; 1,000 by default."""
    scale_out_cooldown_seconds: int = 60
    """How long a new task is waited for; 60 by default."""
    scale_in_cooldown_seconds: int = 300
    """How long until the next one is taken away; 300 by default."""
    scheduled: Sequence[ScheduledScaling] = ()
    """Other limits at certain times; none by default."""

    @all_mistakes
    def __post_init__(self) -> None:
        check_counts("autoscaling", self.minimum_count, self.maximum_count)
        for name in ("cpu_percent", "memory_percent"):
            value = getattr(self, name)
            if value is not None:
                check_range(f"autoscaling.{name}", value, 1, 100, "a share in percent")
        if self.requests_per_target is not None:
            check_range(
                "autoscaling.requests_per_target", self.requests_per_target, 1, 1_000_000, "a request count"
            )
        for name in ("scale_out_cooldown_seconds", "scale_in_cooldown_seconds"):
            check_range(f"autoscaling.{name}", getattr(self, name), 0, 3600, "a cooldown")
        check_unique(
            "autoscaling.scheduled.name", [each.name for each in self.scheduled], "a schedule's name"
        )


def check_counts(field_name: str, minimum_count: int, maximum_count: int) -> None:
    """Refuses a minimum below 1 (the API would be gone) and one above the maximum."""
    check_range(f"{field_name}.minimum_count", minimum_count, 1, 1000, "the number of tasks of a web service")
    check_range(f"{field_name}.maximum_count", maximum_count, 1, 5000, "the number of tasks of a service")
    if minimum_count > maximum_count > 0:
        refuse(
            f"{field_name}.minimum_count",
            minimum_count,
            f"it must not be above maximum_count, which is {maximum_count}",
            "Lower the one or raise the other.",
        )


@dataclass(frozen=True, kw_only=True)
class Https:
    """HTTPS on port 443, with every request to port 80 redirected there.

    Either `certificate_arn` names a certificate, or one is requested in ACM for `host_name` and validated in
    the zone `hosted_zone_id`, where the host name also gets a record that points at the load balancer.
    `ssl_policy` is AWS's recommendation by default, with key exchange that quantum computers don't break for
    clients that know it. A region that lacks it takes `ELBSecurityPolicy-TLS13-1-2-Res-2021-06`.
    Raises `InvalidArgumentError` for half of a pair, and for neither.
    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
    """

    certificate_arn: pulumi.Input[str] | None = None
    """A certificate that is there, of the load balancer's region."""
    host_name: str | None = None
    """For which a certificate and a record are made."""
    hosted_zone_id: str | None = None
    """The zone in Route 53 that the records are made in."""
    ssl_policy: str = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
    """Which TLS is spoken: 1.3 and 1.2 by default, never below."""

    @all_mistakes
    def __post_init__(self) -> None:
        if (self.host_name is None) != (self.hosted_zone_id is None):
            refuse(
                "https.host_name",
                self.host_name,
                "host_name and hosted_zone_id go together: the record of the one lies in the other",
                "Give both, or a certificate_arn alone.",
            )
        if self.host_name is not None:
            check_host_name("https.host_name", self.host_name)
        if self.hosted_zone_id is not None:
            check_hosted_zone_id("https.hosted_zone_id", self.hosted_zone_id)
        if self.certificate_arn is None and self.host_name is None:
            refuse(
                "https.certificate_arn",
                None,
                "a certificate is either given or requested for a host name",
                "Give certificate_arn, or host_name with hosted_zone_id.",
            )
        check_arn("https.certificate_arn", self.certificate_arn, "acm", "iam certificate")
        check_pattern(
            "https.ssl_policy",
            self.ssl_policy,
            r"ELBSecurityPolicy-TLS13-1-[23].*",
            "the policy offers TLS 1.3 and nothing below 1.2",
            "Choose for example ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09.",
        )


@dataclass(frozen=True, kw_only=True)
class AccessLogs:
    """Where the load balancer writes a line per request.

    Into `bucket`, whose policy must allow it already, or, by default, into a bucket made for it. That is
    encrypted with S3's own key: load balancers write under no other.
    """

    bucket: pulumi.Input[str] | None = None
    """A bucket that is there; one is made by default."""
    prefix: str | None = None
    """What the lines' names begin with; nothing by default."""
    retention_days: int = 90
    """How long they are kept; 90 by default."""
    version_retention_days: int = 30
    """How long former versions are kept; 30 by default."""
    force_destroy: bool = False
    """Whether the made bucket goes with lines in it; off by default."""

    @all_mistakes
    def __post_init__(self) -> None:
        check_bucket_name("access_logs.bucket", self.bucket)
        if self.prefix is not None:
            check_log_prefix("access_logs.prefix", self.prefix)
        check_range(
            "access_logs.retention_days", self.retention_days, 1, 3650, "the days that access logs stay"
        )
        check_range(
            "access_logs.version_retention_days",
            self.version_retention_days,
            1,
            3650,
            "the days that former versions of access logs stay",
        )


@dataclass(frozen=True, kw_only=True)
class WebAcl:
    """A web ACL made for the load balancer.

    It has AWS's managed rules for common attacks and known bad inputs, and a limit of requests for each
    address. Look for a week at what it would have blocked, in its log, then choose `block`. Large bodies
    are counted either way, since FileFlow takes files.
    Source: https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-testing.html
    """

    name: str
    """The web ACL's name."""
    log_group_name: str
    """It begins with `aws-waf-logs-`, or WAF refuses it."""
    action: Literal["count", "block"] = "count"
    """`count` (the default) or `block`."""
    requests_per_five_minutes: int = 2000
    """How many requests an address may make in five minutes; by default 2,000."""
    logging: Logging = field(default_factory=Logging)
    """How long its log is kept, and under which key."""

    @all_mistakes
    def __post_init__(self) -> None:
        check_choice("web_acl.action", self.action, ("count", "block"), "what the web ACL does")
        # https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based-high-level-settings.html
        check_range(
            "web_acl.requests_per_five_minutes",
            self.requests_per_five_minutes,
            10,
            2_000_000_000,
            "the requests of an address",
        )
        check_pattern(
            "web_acl.log_group_name",
            self.log_group_name,
            r"aws-waf-logs-[A-Za-z0-9_./#-]+",
            "WAF logs to groups whose names begin with aws-waf-logs-",
            "Rename it.",
        )


@dataclass(frozen=True, kw_only=True)
class IngressRule:
    """A further way into the tasks: from a security group or from a range, to one port."""

    description: str
    """Who comes, and why."""
    port: int
    """The port that they come to."""
    source_security_group_id: pulumi.Input[str] | None = None
    """The security group that they come from."""
    source_cidr_block: str | None = None
    """Or the range that they come from."""

    @all_mistakes
    def __post_init__(self) -> None:
        check_range("ingress.port", self.port, 1, 65535, "a port")
        if (self.source_security_group_id is None) == (self.source_cidr_block is None):
            refuse(
                "ingress.source_cidr_block",
                self.source_cidr_block,
                "a rule has either source_security_group_id or source_cidr_block",
                "Keep exactly one of the two.",
            )
        if self.source_cidr_block is not None:
            check_cidr_block("ingress.source_cidr_block", self.source_cidr_block)


@dataclass(frozen=True, kw_only=True)
class ServiceConnect:
    """Lets other services of a namespace call the web API by a short name.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect.html
    """

    namespace_arn: pulumi.Input[str]
    """The Cloud Map namespace."""
    discovery_name: str
    """The name in it, and in DNS, by which others call."""

    @all_mistakes
    def __post_init__(self) -> None:
        check_arn("service_connect.namespace_arn", self.namespace_arn, "servicediscovery")
        check_pattern(
            "service_connect.discovery_name",
            self.discovery_name,
            r"[a-z0-9_-]{1,64}",
            "it has up to 64 lower-case letters, digits, '_' and '-'",
            "Rename it.",
        )


@dataclass(frozen=True, kw_only=True)
class TargetHealthCheck:
    """How the load balancer asks a task whether it may send it requests.

    ECS replaces a task that fails this check. The default path has the database and Redis in it, which all
    share: one blip of theirs replaces all. `/actuator/health/liveness` leaves them out; older tasks than
    those of this program answer it with 404.
    Source: https://docs.spring.io/spring-boot/reference/actuator/endpoints.html#actuator.endpoints.kubernetes-probes
    """

    path: str = "/actuator/health"
    """What is asked for; `/actuator/health` by default."""
    matcher: str = "200"
    """Which answers are well: `200` (the default), `200,204` or `200-299`."""
    interval_seconds: int = 15
    """From one check to the next, 5 to 300; 15 by default."""
    timeout_seconds: int = 5
    """How long an answer may take, below the interval; 5 by default."""
    healthy_threshold: int = 2
    """How many good answers make a task healthy, 2 to 10; 2 by default."""
    unhealthy_threshold: int = 3
    """How many bad ones make it unhealthy, 2 to 10; 3 by default."""

    @all_mistakes
    def __post_init__(self) -> None:
        check_health_check_path("health_check.path", self.path)
        check_matcher("health_check.matcher", self.matcher)
        check_range(
            "health_check.interval_seconds", self.interval_seconds, 5, 300, "the time between two checks"
        )
        check_range("health_check.timeout_seconds", self.timeout_seconds, 2, 120, "the time a check may take")
        check_range("health_check.healthy_threshold", self.healthy_threshold, 2, 10, "a number of checks")
        check_range("health_check.unhealthy_threshold", self.unhealthy_threshold, 2, 10, "a number of checks")
        if self.timeout_seconds >= self.interval_seconds:
            refuse(
                "health_check.timeout_seconds",
                self.timeout_seconds,
                f"it must be below interval_seconds, which is {self.interval_seconds}",
                "Lower the one or raise the other.",
            )


def check_condition_values(field_name: str, values: Sequence[str]) -> None:
    """Refuses more values than the conditions of a listener's rule may have.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
    """
    check_range(field_name, len(values), 0, 5, "the number of patterns of one listener rule")


@dataclass(frozen=True, kw_only=True)
class LoadBalancing:
    """The load balancer in front of the web service.

    A task that leaves has `deregistration_delay_seconds` to finish; that must be below its stop timeout.
    Raises `InvalidArgumentError` when neither `https` nor `plain_http` is given, and for both.
    """

    name: str
    """The load balancer's name."""
    public_subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]]
    """Where it stands, in two zones at least; private ones where it is `internal`."""
    target_group_name: str
    """The target group's name."""
    https: Https | None = None
    """HTTPS with a certificate; either this or `plain_http`."""
    plain_http: bool = False
    """Whether requests come unencrypted; off by default."""
    internal: bool = False
    """Whether it is reached from the VPC alone; off by default."""
    source_cidr_blocks: Sequence[str] = ("0.0.0.0/0",)
    """Who may connect; everybody by default."""
    deletion_protection: bool = True
    """Whether AWS refuses to delete it; on by default."""
    access_logs: AccessLogs | None = None
    """A line per request; none by default."""
    idle_timeout_seconds: int = 60
    """After which a silent connection is closed, 1 to 4000; 60 by default."""
    deregistration_delay_seconds: int = 30
    """How long a leaving task finishes requests, 0 to 3600; 30 by default."""
    health_check: TargetHealthCheck = field(default_factory=TargetHealthCheck)
    """How it asks a task whether it is well."""
    sticky_seconds: int | None = None
    """How long a caller stays with a task, by a cookie; it doesn't by default."""
    path_patterns: Sequence[str] = ()
    """Which paths are forwarded; all by default."""
    host_names: Sequence[str] = ()
    """Which host names are forwarded; all by default."""
    hidden_path_patterns: Sequence[str] = ("/actuator", "/actuator/*")
    """Which paths never are; the Actuator by default."""
    web_acl_arn: pulumi.Input[str] | None = None
    """A web ACL that is there; none by default."""
    web_acl: WebAcl | None = None
    """Or one that is made; none by default."""

    @all_mistakes
    def __post_init__(self) -> None:
        for name, value in (("name", self.name), ("target_group_name", self.target_group_name)):
            check_pattern(
                f"load_balancing.{name}",
                value,
                r"(?!internal-)[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?",
                "it has up to 32 letters, digits and '-', not at either end",
                "Shorten or rename it.",
            )
        check_arn("load_balancing.web_acl_arn", self.web_acl_arn, "wafv2")
        if self.web_acl is not None and self.web_acl_arn is not None:
            refuse(
                "load_balancing.web_acl_arn",
                self.web_acl_arn,
                "web_acl makes one, and a load balancer has one web ACL",
                "Keep exactly one of the two.",
            )
        check_condition_values("load_balancing.hidden_path_patterns", self.hidden_path_patterns)
        check_condition_values("load_balancing.path_patterns", [*self.path_patterns, *self.host_names])
        for cidr_block in self.source_cidr_blocks:
            check_cidr_block("load_balancing.source_cidr_blocks", cidr_block)
        check_unique("load_balancing.source_cidr_blocks", self.source_cidr_blocks, "a range")
        # A security group has up to 60 rules for each direction; a block takes one for each listener.
        # Source: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
        if not 1 <= len(self.source_cidr_blocks) <= (60 if self.plain_http else 30):
            refuse(
                "load_balancing.source_cidr_blocks",
                len(self.source_cidr_blocks),
                "at least one range may connect, and at most 60, or 30 with HTTPS",
                "Name who may connect, in wider ranges where they are many.",
            )
        # Its addresses are public ones, and what comes to them from inside a VPC comes by a public one too.
        # https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/how-elastic-load-balancing-works.html
        # (section "Load balancer scheme")
        elif not self.internal and all(is_private_range(each) for each in self.source_cidr_blocks):
            refuse(
                "load_balancing.source_cidr_blocks",
                self.source_cidr_blocks,
                "an internet-facing load balancer is reached from public addresses, and these are private",
                "Set internal to true, or name who may connect from the internet.",
            )
        if (self.https is None) != self.plain_http:
            refuse(
                "load_balancing.plain_http",
                self.plain_http,
                "a load balancer has either HTTPS with a certificate or, where the stack says so, plain HTTP",
                "Give https with a certificate_arn, or set plain_http to true, not both.",
            )
        check_range(
            "load_balancing.idle_timeout_seconds", self.idle_timeout_seconds, 1, 4000, "the idle timeout"
        )
        check_range(
            "load_balancing.deregistration_delay_seconds",
            self.deregistration_delay_seconds,
            0,
            3600,
            "the delay",
        )
        if self.sticky_seconds is not None:
            check_range(
                "load_balancing.sticky_seconds", self.sticky_seconds, 1, 604800, "the life of a sticky cookie"
            )


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """Which share of the web service's tasks runs on Fargate Spot; none by default."""

    base: int = 1
    """How many tasks run on Fargate before weights count; 1 by default."""
    fargate_weight: int = 1
    """The share on Fargate; 1 by default."""
    spot_weight: int = 0
    """The share on Fargate Spot; 0 by default."""

    @all_mistakes
    def __post_init__(self) -> None:
        check_range("capacity.base", self.base, 0, 100_000, "the number of tasks on Fargate")
        check_range("capacity.fargate_weight", self.fargate_weight, 0, 1000, "a weight")
        check_range("capacity.spot_weight", self.spot_weight, 0, 1000, "a weight")
        if self.fargate_weight == self.spot_weight == 0:
            refuse(
                "capacity.fargate_weight",
                self.fargate_weight,
                "one of fargate_weight and spot_weight must be above 0, or no task starts",
                "Raise one of the two.",
            )


def check_outlives_deregistration(
    stop_timeout_seconds: int, delay_field: str, deregistration_delay_seconds: int
) -> None:
    """Refuses a stop timeout in which the load balancer may still send requests.

    `delay_field` is how the caller's users name its delay.
    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/load-balancer-connection-draining.html
    """
    if stop_timeout_seconds <= deregistration_delay_seconds:
        refuse(
            "stop_timeout_seconds",
            stop_timeout_seconds,
            f"it must be above {delay_field}, which is {deregistration_delay_seconds}",
            "Otherwise a task dies with requests still coming in: lower the one or raise the other.",
        )
