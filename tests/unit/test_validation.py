"""Every rule at its edges: what is taken, what is refused, and what the refusal says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import validation
from components.alarm_topic import AlarmTopicArgs
from components.options import (
    Alarms,
    ContainerHealthCheck,
    ContainerOptions,
    Logging,
    Sidecar,
    TaskAccess,
    TaskSize,
    WritablePath,
)
from components.validation import FARGATE_MEMORY_MIB, RETENTION_DAYS, InvalidArgumentError
from components.web_options import (
    AccessLogs,
    Autoscaling,
    Capacity,
    Https,
    IngressRule,
    ScheduledScaling,
    ServiceConnect,
    TargetHealthCheck,
)
from tests.unit.builders import (
    CERTIFICATE_ARN,
    IMAGE,
    KEY_ARN,
    NAMESPACE_ARN,
    POLICY_ARN,
    SECRET_ARN,
    load_balancing,
    scheduler_args,
    web_args,
)
from tests.unit.providers import ACCOUNT, REGION

HUNTER = "hunter2"
"""What must never be printed."""


def check(**changes: Any) -> ContainerHealthCheck:
    """A container health check that is complete."""
    return ContainerHealthCheck(**{"command": ["CMD", "/check"], **changes})


def scheduled(**changes: Any) -> ScheduledScaling:
    """A schedule that is complete."""
    base = {"name": "night", "schedule": "rate(1 hour)", "minimum_count": 1, "maximum_count": 2}
    return ScheduledScaling(**{**base, **changes})


def rule(**changes: Any) -> IngressRule:
    """A rule that is complete."""
    return IngressRule(**{"description": "x", "port": 80, "source_cidr_block": "10.0.0.0/8", **changes})


def connect(**changes: Any) -> ServiceConnect:
    """A Service Connect entry that is complete."""
    return ServiceConnect(**{"namespace_arn": NAMESPACE_ARN, "discovery_name": "api", **changes})


def sidecar(**changes: Any) -> Sidecar:
    """A sidecar that is complete."""
    return Sidecar(**{"name": "agent", "image": IMAGE, **changes})


RANGES: list[tuple[Callable[..., Any], str, int, int]] = [
    (TaskSize, "ephemeral_storage_gib", 21, 200),
    (check, "interval_seconds", 5, 300),
    (check, "timeout_seconds", 2, 60),
    (check, "retries", 1, 10),
    (check, "start_period_seconds", 0, 300),
    (Alarms, "cpu_percent", 1, 100),
    (Alarms, "memory_percent", 1, 100),
    (Alarms, "evaluation_periods", 1, 1440),
    (Autoscaling, "cpu_percent", 1, 100),
    (Autoscaling, "memory_percent", 1, 100),
    (Autoscaling, "requests_per_target", 1, 1_000_000),
    (Autoscaling, "scale_out_cooldown_seconds", 0, 3600),
    (Autoscaling, "scale_in_cooldown_seconds", 0, 3600),
    (AccessLogs, "retention_days", 1, 3650),
    (rule, "port", 1, 65535),
    (sidecar, "port", 1, 65535),
    (TargetHealthCheck, "healthy_threshold", 2, 10),
    (TargetHealthCheck, "unhealthy_threshold", 2, 10),
    (Capacity, "base", 0, 100_000),
    (Capacity, "fargate_weight", 1, 1000),
    (Capacity, "spot_weight", 0, 1000),
    (load_balancing, "idle_timeout_seconds", 1, 4000),
    (load_balancing, "deregistration_delay_seconds", 0, 3600),
    (load_balancing, "sticky_seconds", 1, 604_800),
    (scheduler_args, "port", 1024, 65535),
    (scheduler_args, "stop_timeout_seconds", 2, 120),
    (web_args, "port", 1024, 65535),
    (web_args, "stop_timeout_seconds", 31, 120),
    (web_args, "grace_period_seconds", 0, 2_147_483_647),
]


def test_a_number_is_taken_at_both_limits_and_refused_beyond_them(subtests: pytest.Subtests) -> None:
    for make, field, lowest, highest in RANGES:
        with subtests.test(make=make.__name__, field=field):
            for value in (lowest, highest):
                assert getattr(make(**{field: value}), field) == value
            for value in (lowest - 1, highest + 1):
                with pytest.raises(InvalidArgumentError) as caught:
                    make(**{field: value})
                assert_says_it_all(caught.value, field, value)


def assert_says_it_all(error: InvalidArgumentError, field: str, value: object) -> None:
    """The message has the field, the value, the rule and the fix, in one line and one shape."""
    # An element of a list is named by its place.
    assert error.field.rstrip("0123456789.").rsplit(".", 1)[-1] == field
    assert error.value == value
    assert error.rule
    assert error.fix.endswith(".")
    assert str(error) == f"{error.field} is {value!r}, but {error.rule}. {error.fix}"
    assert "\n" not in str(error)


@pytest.mark.parametrize("cpu", sorted(FARGATE_MEMORY_MIB))
def test_exactly_the_memory_that_fargate_offers_is_taken(cpu: int) -> None:
    offered = FARGATE_MEMORY_MIB[cpu]
    for memory in offered:
        TaskSize(cpu=cpu, memory_mib=memory)
    for memory in {memory + step for memory in offered for step in (-1, 1)} - set(offered):
        with pytest.raises(InvalidArgumentError) as caught:
            TaskSize(cpu=cpu, memory_mib=memory)
        assert_says_it_all(caught.value, "memory_mib", memory)


def test_fargates_table_is_awss() -> None:
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html, as GiB.
    limits = {cpu: (offered[0] / 1024, offered[-1] / 1024) for cpu, offered in FARGATE_MEMORY_MIB.items()}

    assert limits == {
        256: (0.5, 2),
        512: (1, 4),
        1024: (2, 8),
        2048: (4, 16),
        4096: (8, 30),
        8192: (16, 60),
        16384: (32, 120),
    }


@pytest.mark.parametrize("cpu", [0, 128, 257, 1000, 32768])
def test_another_number_of_cpu_units_is_refused(cpu: int) -> None:
    with pytest.raises(InvalidArgumentError, match="256, 512, 1024, 2048, 4096, 8192, 16384") as caught:
        TaskSize(cpu=cpu, memory_mib=1024)
    assert_says_it_all(caught.value, "cpu", cpu)


@given(st.integers(min_value=-10, max_value=4000))
def test_exactly_the_retentions_that_cloudwatch_knows_are_taken(days: int) -> None:
    if days in RETENTION_DAYS:
        assert Logging(retention_days=days).retention_days == days
        return
    with pytest.raises(InvalidArgumentError) as caught:
        Logging(retention_days=days)
    assert_says_it_all(caught.value, "retention_days", days)


REFUSED: list[tuple[Callable[[], Any], str, object]] = [
    (lambda: TaskSize(cpu_architecture="MIPS"), "cpu_architecture", "MIPS"),  # type: ignore[arg-type]  # wrong on purpose
    (lambda: check(command=[]), "command", []),
    (lambda: check(command=["CMD"]), "command", ["CMD"]),
    (lambda: check(command=["/check", "now"]), "command", ["/check", "now"]),
    (lambda: WritablePath(path="tmp"), "path", "tmp"),
    (lambda: WritablePath(path="/"), "path", "/"),
    (lambda: WritablePath(path="/a b"), "path", "/a b"),
    (lambda: WritablePath(path="/tmp", kind="disk"), "kind", "disk"),  # type: ignore[arg-type]  # wrong on purpose
    (lambda: ContainerOptions(user="root"), "user", "root"),
    (lambda: ContainerOptions(user="0:1000"), "user", "0:1000"),
    (lambda: ContainerOptions(user=""), "user", ""),
    (lambda: sidecar(name="no spaces"), "name", "no spaces"),
    (lambda: scheduled(schedule="every night"), "schedule", "every night"),
    (lambda: scheduled(schedule="cron()"), "schedule", "cron()"),
    (lambda: scheduled(minimum_count=3), "minimum_count", 3),
    (lambda: scheduled(minimum_count=0), "minimum_count", 0),
    (lambda: Autoscaling(minimum_count=0), "minimum_count", 0),
    (lambda: Autoscaling(minimum_count=5, maximum_count=4), "minimum_count", 5),
    (lambda: Autoscaling(scheduled=[scheduled(), scheduled()]), "name", "night"),
    (Https, "certificate_arn", None),
    (lambda: Https(host_name="files.example.com"), "host_name", "files.example.com"),
    (lambda: Https(certificate_arn=CERTIFICATE_ARN, hosted_zone_id="Z1"), "host_name", None),
    (
        lambda: Https(certificate_arn=CERTIFICATE_ARN, ssl_policy="ELBSecurityPolicy-2016-08"),
        "ssl_policy",
        "ELBSecurityPolicy-2016-08",
    ),
    (lambda: rule(source_cidr_block=None), "source_cidr_block", None),
    (lambda: rule(source_security_group_id="sg-1"), "source_cidr_block", "10.0.0.0/8"),
    (lambda: connect(discovery_name="Upper"), "discovery_name", "Upper"),
    (lambda: connect(discovery_name=""), "discovery_name", ""),
    (lambda: TargetHealthCheck(timeout_seconds=15), "timeout_seconds", 15),
    (lambda: TargetHealthCheck(interval_seconds=301), "interval_seconds", 301),
    (lambda: load_balancing(plain_http=False), "plain_http", False),
    (lambda: load_balancing(https=Https(certificate_arn=CERTIFICATE_ARN)), "plain_http", True),
    (lambda: load_balancing(name="n" * 33), "name", "n" * 33),
    (lambda: load_balancing(name="internal-x"), "name", "internal-x"),
    (lambda: load_balancing(target_group_name="-x"), "target_group_name", "-x"),
    (
        lambda: scheduler_args(sidecars=[sidecar(name="fileflow-scheduler-download")]),
        "name",
        "fileflow-scheduler-download",
    ),
    (lambda: web_args(sidecars=[sidecar(), sidecar()]), "name", "agent"),
    (lambda: web_args(ingress=[rule(), rule()]), "ingress", "10.0.0.0/8 to 80"),
    (lambda: TaskAccess(policy_arns=[POLICY_ARN, POLICY_ARN]), "policy_arns", POLICY_ARN),
    (lambda: TaskAccess(policy_arns=["ReadOnly"]), "policy_arns", "ReadOnly"),
    (lambda: TaskAccess(permissions_boundary_arn=KEY_ARN), "permissions_boundary_arn", KEY_ARN),
    (lambda: TaskAccess(secrets_kms_key_arns=["alias/a"]), "secrets_kms_key_arns", "alias/a"),
    (lambda: TaskAccess(session_kms_key_arn=KEY_ARN), "session_kms_key_arn", "given"),
    (
        lambda: TaskAccess(execute_command=True, session_kms_key_arn="alias/a"),
        "session_kms_key_arn",
        "alias/a",
    ),
    (lambda: Logging(kms_key_arn="alias/logs"), "kms_key_arn", "alias/logs"),
    (lambda: Alarms(topic_arns=["alarms"]), "topic_arns", "alarms"),
    (lambda: ContainerOptions(environment_file_arns=["s3://a/b"]), "environment_file_arns", "s3://a/b"),
    (lambda: Https(certificate_arn=KEY_ARN), "certificate_arn", KEY_ARN),
    (lambda: connect(namespace_arn="fileflow.local"), "namespace_arn", "fileflow.local"),
    (lambda: load_balancing(web_acl_arn="files"), "web_acl_arn", "files"),
    (lambda: sidecar(image="agent:latest"), "image", "agent:latest"),
    (lambda: sidecar(router_options={"Name": "s3"}), "router_options", ["Name"]),
    (
        lambda: web_args(
            sidecars=[sidecar(name=name, firelens="fluentbit") for name in ("router", "another")]
        ),
        "firelens",
        ["router", "another"],
    ),
    (lambda: scheduler_args(image="fileflow:1.4.0"), "image", "fileflow:1.4.0"),
    (lambda: web_args(image="fileflow"), "image", "fileflow"),
    (lambda: scheduler_args(cluster_arn="fileflow-prod"), "cluster_arn", "fileflow-prod"),
    (lambda: web_args(cluster_arn="fileflow-prod"), "cluster_arn", "fileflow-prod"),
    (lambda: scheduler_args(container_name="a b"), "container_name", "a b"),
    (lambda: scheduler_args(log_group_name="/logs/a b"), "log_group_name", "/logs/a b"),
    (lambda: web_args(log_group_name=""), "log_group_name", ""),
    (lambda: AlarmTopicArgs(topic_name="t", cluster_arn="arn", emails=["nobody"]), "emails", "nobody"),
    (lambda: AlarmTopicArgs(topic_name="t", cluster_arn="arn", emails=["a@b", "a@b"]), "emails", "a@b"),
    (
        lambda: AlarmTopicArgs(topic_name="t", cluster_arn="arn", https_endpoints=["http://x"]),
        "https_endpoints",
        "http://x",
    ),
]


def test_a_wrong_value_is_refused_with_field_value_rule_and_fix(subtests: pytest.Subtests) -> None:
    for make, field, value in REFUSED:
        with subtests.test(field=field, value=value):
            with pytest.raises(InvalidArgumentError) as caught:
                make()
            assert_says_it_all(caught.value, field, value)


def test_a_group_tells_all_of_its_mistakes_at_once() -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        TargetHealthCheck(path="health", matcher="ok", interval_seconds=1)

    assert [each.field for each in caught.value.mistakes] == [
        "health_check.path",
        "health_check.matcher",
        "health_check.interval_seconds",
        "health_check.timeout_seconds",
    ]
    assert str(caught.value).count("\n") == 3


def test_a_group_within_a_group_keeps_its_mistakes_apart() -> None:
    @validation.all_mistakes
    def outer(value: int) -> None:
        validation.check_range("outer", value, 0, 1, "it")
        with pytest.raises(InvalidArgumentError) as caught:
            Logging(retention_days=31)
        assert [each.field for each in caught.value.mistakes] == ["retention_days"]

    with pytest.raises(InvalidArgumentError) as caught:
        outer(2)
    assert [each.field for each in caught.value.mistakes] == ["outer"]


def test_a_programming_mistake_in_a_check_is_not_hidden() -> None:
    @validation.all_mistakes
    def check_it(value: int) -> None:
        raise TypeError(f"{value} can't be")

    with pytest.raises(TypeError, match="1 can't be"):
        check_it(1)


def test_two_weights_of_nothing_are_refused_in_words() -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        Capacity(fargate_weight=0, spot_weight=0)

    assert_says_it_all(caught.value, "fargate_weight", 0)


SECRET_NAMES = [
    "DB_PASSWORD",
    "db_password",
    "SPRING_DATASOURCE_PASSWORD",
    "API_KEY",
    "APIKEY",
    "PRIVATE_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "TOKEN",
    "GITHUB_TOKEN",
    "CREDENTIALS",
    "PASSWD",
]


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_secret_in_a_plain_variable_is_refused_and_never_printed(name: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        ContainerOptions(environment={name: HUNTER})

    assert caught.value.field == f"environment.{name}"
    assert f"secrets.{name}" in caught.value.fix
    assert HUNTER not in f"{caught.value} {caught.value!r} {vars(caught.value)}"


@pytest.mark.parametrize(
    "name",
    ["SPRING_PROFILES_ACTIVE", "JAVA_TOOL_OPTIONS", "keys", "x.y", "_A", "spring.jpa.open-in-view", "a[0].b"],
)
def test_a_harmless_variable_is_taken(name: str) -> None:
    assert ContainerOptions(environment={name: "value"}).environment == {name: "value"}


@pytest.mark.parametrize("name", ["", "1A", "-B", "A B", "A=B"])
def test_a_name_that_no_shell_takes_is_refused_without_its_value(name: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        ContainerOptions(environment={name: HUNTER})

    assert HUNTER not in str(caught.value)


REFERENCES = [
    SECRET_ARN,
    f"{SECRET_ARN}:password::",
    f"{SECRET_ARN}:password:AWSPREVIOUS:",
    f"{SECRET_ARN}:::version",
    "secretsmanager:fileflow/database",
    "secretsmanager:fileflow/database:password::",
    "ssm:/fileflow/redis",
    "ssm:redis",
    f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/fileflow/database",
    f"arn:aws-cn:secretsmanager:cn-north-1:{ACCOUNT}:secret:x",
    f"arn:aws-us-gov:ssm:us-gov-west-1:{ACCOUNT}:parameter/x",
]


@pytest.mark.parametrize("reference", REFERENCES)
def test_a_reference_to_a_secret_is_taken(reference: str) -> None:
    assert ContainerOptions(secrets={"DB_PASSWORD": reference}).secrets["DB_PASSWORD"] == reference


@pytest.mark.parametrize(
    "value",
    [
        HUNTER,
        "",
        f"{HUNTER}:{SECRET_ARN}",
        f"{SECRET_ARN}:a:b:c:{HUNTER}",
        f"arn:aws:s3:::{HUNTER}",
        f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:",
        f"{SECRET_ARN}\n{HUNTER}",
        # ECS wants JSON key, version stage and version id, or none of them.
        f"{SECRET_ARN}:{HUNTER}",
        f"secretsmanager:fileflow/database:{HUNTER}",
        f"secretsmanager:{HUNTER}!",
        f"secret:{HUNTER}",
        "secretsmanager:",
        "ssm:",
    ],
)
def test_a_secret_that_looks_like_a_value_is_refused_and_never_printed(value: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        ContainerOptions(secrets={"DB_PASSWORD": value})

    assert caught.value.field == "secrets.DB_PASSWORD"
    assert HUNTER not in f"{caught.value} {caught.value!r} {vars(caught.value)}"


def test_a_variable_named_both_ways_is_refused_without_its_value() -> None:
    with pytest.raises(InvalidArgumentError, match="also under secrets") as caught:
        ContainerOptions(environment={"URL": HUNTER}, secrets={"URL": SECRET_ARN})

    assert HUNTER not in str(caught.value)


def test_a_path_that_is_writable_twice_is_refused() -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        ContainerOptions(writable_paths=[WritablePath(path="/tmp"), WritablePath(path="/tmp", kind="tmpfs")])

    assert_says_it_all(caught.value, "path", "/tmp")


def test_what_is_hidden_reads_as_hidden() -> None:
    assert f"{validation.HIDDEN!r}" == "[hidden]"
