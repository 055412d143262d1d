"""What AWS takes passes and what it refuses is refused, rule by rule, at their edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from components import aws_rules, validation
from components.alarm_topic import AlarmTopicArgs
from components.cluster import ClusterArgs
from components.image_repository import ImageRepositoryArgs
from components.network import ExistingVpc, NetworkArgs, NewVpc
from components.options import Alarms, ContainerOptions, WritablePath
from components.validation import InvalidArgumentError
from components.web_options import AccessLogs, Autoscaling, Https, ScheduledScaling, TargetHealthCheck
from tests.unit.builders import TOPIC_ARN, load_balancing, scheduler_args, web_args

ACCOUNT = "646886795421"

RULES: dict[Callable[[str, Any], object], tuple[list[str], list[str]]] = {
    aws_rules.check_bucket_name: (
        ["logs", "my.logs-2026", "a" * 63, "1.2.3"],
        [
            "lo",
            "a" * 64,
            "Logs",
            "my_logs",
            "-logs",
            "logs-",
            "my..logs",
            "192.168.5.4",
            "xn--logs",
            "logs-s3alias",
            "s3://logs",
        ],
    ),
    aws_rules.check_log_prefix: (
        ["web", "web/api", "a.b_c-d!", "x" * 511],
        ["", "/web", "web/", "a//b", "AWSLogs", "x/AWSLogs", "a b", "é"],
    ),
    aws_rules.check_host_name: (
        ["files.example.com", "*.example.com", "a.b.c.io", "xn--bcher-kva.example", "1.example.com"],
        [
            "example",
            "a_b.example.com",
            "-a.example.com",
            "a-.example.com",
            "A.example.com",
            "a..b",
            "a.*.com",
            "a" * 60 + ".example.com",
            "https://files.example.com",
            "files.example.com.",
        ],
    ),
    aws_rules.check_hosted_zone_id: (["Z1", "Z0123456789ABCDEFGHI"], ["", "example.com", "z1", "Z" * 40]),
    aws_rules.check_health_check_path: (
        ["/", "/actuator/health", "/a?b=c", "/" + "a" * 1023],
        ["", "actuator/health", "/a b", "/é", "/" + "a" * 1024],
    ),
    aws_rules.check_matcher: (
        ["200", "200-299", "200,202", "200-499", "404"],
        ["", "200-600", "199", "500", "299-200", "200-", "2xx", "200 ,202", "200-300-400", "0200", "٢٠٠"],
    ),
    aws_rules.check_schedule: (
        [
            "cron(0 9 * * ? *)",
            "cron(0 9 ? * MON-FRI *)",
            "cron(0/15 8-17 ? * mon,wed 2027-2030)",
            "cron(0 9 L * ? *)",
            "cron(0 9 15W * ? *)",
            "cron(0 9 ? * 6L *)",
            "cron(0 9 ? * FRI#2 *)",
            "cron(59 23 31 DEC ? 2199)",
            "rate(1 minute)",
            "rate(6 hours)",
            "at(2027-01-31T09:00:00)",
        ],
        [
            "nightly",
            "cron()",
            "cron(0 8 * * *)",
            "cron(0 8 * * * *)",
            "cron(0 8 ? * ? *)",
            "cron(60 8 * * ? *)",
            "cron(0 24 * * ? *)",
            "cron(0 8 32 * ? *)",
            "cron(0 8 * 13 ? *)",
            "cron(0 8 ? * 8 *)",
            "cron(0 8 ? * MONDAY *)",
            "cron(0 8 * * ? 1969)",
            "rate(1 hours)",
            "rate(2 hour)",
            "rate(0 hours)",
            "rate(1 week)",
            "at(2027-01-31 09:00:00)",
            "at(2027-13-01T09:00:00)",
            "0 8 * * *",
        ],
    ),
    aws_rules.check_timezone: (
        ["UTC", "Asia/Seoul", "Europe/Berlin"],
        ["", "Asia/Soul", "KST", "+09:00", "../etc/passwd"],
    ),
    aws_rules.check_scheduled_action_name: (
        ["morning", "Mo-Fr 9", "x" * 256],
        ["", " x", "x ", "a:b", "a/b", "a|b", "a\nb", "x" * 257],
    ),
    aws_rules.check_private_range: (
        ["10.20.0.0/16", "172.16.0.0/12", "172.31.0.0/16", "192.168.4.0/24", "100.64.0.0/16"],
        ["198.18.0.0/16", "172.32.0.0/16", "8.8.8.0/24", "100.128.0.0/16", "192.0.0.0/8"],
    ),
}


def test_what_aws_takes_passes_and_what_it_refuses_is_refused(subtests: pytest.Subtests) -> None:
    for rule, (taken, refused) in RULES.items():
        for value in taken:
            with subtests.test(rule=rule.__name__, taken=value):
                rule("section.field", value)
        for value in refused:
            with subtests.test(rule=rule.__name__, refused=value):
                with pytest.raises(InvalidArgumentError) as caught:
                    rule("section.field", value)
                assert caught.value.field == "section.field"
                assert caught.value.value == value
                assert caught.value.rule
                assert caught.value.fix.endswith(".")


TAGS: list[tuple[dict[str, str], bool]] = [
    ({}, True),
    ({"Cost Center": "R+D / 4711 = a@b:c-d_e.f", "팀": "저장소"}, True),
    ({"k" * 128: "v" * 256}, True),
    ({f"k{i}": "" for i in range(aws_rules.MAXIMUM_TAGS - aws_rules.OWN_TAGS)}, True),
    ({"Owner": "R&D"}, False),
    ({"Owner?": "x"}, False),
    ({"k" * 129: "v"}, False),
    ({"k": "v" * 257}, False),
    ({"": "v"}, False),
    ({"aws:owner": "v"}, False),
    ({"AWS:owner": "v"}, False),
    ({"Owner": "a", "owner": "b"}, False),
    ({"Owner": "a\nb"}, False),
    ({f"k{i}": "" for i in range(aws_rules.MAXIMUM_TAGS - aws_rules.OWN_TAGS + 1)}, False),
]


@pytest.mark.parametrize(
    "make",
    [
        web_args,
        scheduler_args,
        lambda tags: NetworkArgs(tags=tags),
        lambda tags: ClusterArgs(cluster_name="c", tags=tags),
        lambda tags: ImageRepositoryArgs(repository_name="r", tag_prefixes=["a-"], tags=tags),
        lambda tags: AlarmTopicArgs(topic_name="t", cluster_arn="arn", tags=tags),
    ],
)
def test_every_component_refuses_tags_that_aws_refuses(make: Any, subtests: pytest.Subtests) -> None:
    for tags, right in TAGS:
        with subtests.test(tags=tags):
            if right:
                make(tags=tags)
                continue
            with pytest.raises(InvalidArgumentError) as caught:
                make(tags=tags)
            assert caught.value.field.startswith("tags")


ARNS: list[tuple[str, str, bool]] = [
    ("acm", f"arn:aws:acm:eu-west-1:{ACCOUNT}:certificate/1-2", True),
    ("acm", f"arn:aws:acm:eu-west-1:{ACCOUNT}:certificate/", False),
    ("acm", "arn:aws:acm:eu-west-1:1:certificate/1-2", False),
    ("acm", f"arn:aws:iam::{ACCOUNT}:server-certificate/x", False),
    ("iam certificate", f"arn:aws:iam::{ACCOUNT}:server-certificate/x", True),
    ("iam certificate", f"arn:aws:iam::{ACCOUNT}:role/x", False),
    ("iam", "arn:aws:iam::aws:policy/ReadOnlyAccess", True),
    ("iam", f"arn:aws-us-gov:iam::{ACCOUNT}:policy/team/x", True),
    ("iam", f"arn:aws:iam::{ACCOUNT}:role/x", False),
    ("kms", f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1-2", True),
    ("kms", f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/x", False),
    ("sns", f"arn:aws:sns:eu-west-1:{ACCOUNT}:on-call", True),
    ("sns", f"arn:aws:sns:eu-west-1:{ACCOUNT}:on-call.fifo", False),
    ("sns", f"arn:aws:sns:eu-west-1:{ACCOUNT}:on-call:1-2", False),
    ("sns", "on-call", False),
    ("wafv2", f"arn:aws:wafv2:eu-west-1:{ACCOUNT}:regional/webacl/a/1-2", True),
    ("wafv2", f"arn:aws:wafv2:us-east-1:{ACCOUNT}:global/webacl/a/1-2", False),
    ("s3", "arn:aws:s3:::files/web.env", True),
    ("s3", "arn:aws:s3:::files", False),
    ("servicediscovery", f"arn:aws:servicediscovery:eu-west-1:{ACCOUNT}:namespace/ns-1", True),
]


def test_an_arn_names_a_resource_of_the_kind_that_is_wanted(subtests: pytest.Subtests) -> None:
    for service, arn, right in ARNS:
        with subtests.test(service=service, arn=arn):
            if right:
                validation.check_arn("field", arn, service)
                continue
            with pytest.raises(InvalidArgumentError):
                validation.check_arn("field", arn, service)


def schedule(**changes: Any) -> ScheduledScaling:
    """A schedule that is complete."""
    base = {"name": "n", "schedule": "rate(1 hour)", "minimum_count": 1, "maximum_count": 2}
    return ScheduledScaling(**{**base, **changes})


WIRED: list[tuple[Callable[[], object], str]] = [
    (lambda: AccessLogs(bucket="My_Bucket"), "access_logs.bucket"),
    (lambda: AccessLogs(prefix="/x"), "access_logs.prefix"),
    (lambda: TargetHealthCheck(path="health"), "health_check.path"),
    (lambda: TargetHealthCheck(matcher="200-600"), "health_check.matcher"),
    (lambda: schedule(schedule="cron(0 8 * * *)"), "autoscaling.scheduled.schedule"),
    (lambda: schedule(timezone="Asia/Soul"), "autoscaling.scheduled.timezone"),
    (lambda: schedule(name="a/b"), "autoscaling.scheduled.name"),
    (lambda: Autoscaling(maximum_count=5001), "autoscaling.maximum_count"),
    (lambda: Https(host_name="a_b.example.com", hosted_zone_id="Z1"), "https.host_name"),
    (lambda: Https(host_name="a.example.com", hosted_zone_id="example.com"), "https.hosted_zone_id"),
    (lambda: NewVpc(cidr_block="198.18.0.0/16"), "cidr_block"),
    (
        lambda: ExistingVpc(
            vpc_id="main", private_subnet_tags={"a": "b"}, public_subnet_ids=["subnet-1", "subnet-2"]
        ),
        "vpc_id",
    ),
    (
        lambda: ExistingVpc(
            vpc_id="vpc-1", private_subnet_ids=["private"], public_subnet_ids=["subnet-1", "subnet-2"]
        ),
        "private_subnet_ids",
    ),
    (
        lambda: ExistingVpc(
            vpc_id="vpc-1", private_subnet_ids=["subnet-1"], public_subnet_ids=["subnet-2", "subnet-2"]
        ),
        "public_subnet_ids",
    ),
    (
        lambda: ExistingVpc(vpc_id="vpc-1", private_subnet_ids=["subnet-1"], public_subnet_ids=["subnet-2"]),
        "public_subnet_ids",
    ),
    (lambda: Alarms(topic_arns=[f"{TOPIC_ARN}{i}" for i in range(6)]), "topic_arns"),
    (lambda: WritablePath(path="/proc/self"), "writable_paths.path"),
    (lambda: WritablePath(path="/dev"), "writable_paths.path"),
    (lambda: WritablePath(path="/a/../proc"), "writable_paths.path"),
    (
        lambda: ContainerOptions(writable_paths=[WritablePath(path="/a"), WritablePath(path="/a/b")]),
        "writable_paths.path",
    ),
    (lambda: ContainerOptions(user="00"), "user"),
    (lambda: ContainerOptions(user="a b"), "user"),
    (lambda: ContainerOptions(secrets={"a b": "ssm:/x"}), "secrets"),
    (lambda: ContainerOptions(environment={"URL": "postgresql://u:hunter2@h/d"}), "environment.URL"),
    (lambda: load_balancing(source_cidr_blocks=[]), "load_balancing.source_cidr_blocks"),
    (
        lambda: load_balancing(source_cidr_blocks=[f"10.{i}.0.0/16" for i in range(61)]),
        "load_balancing.source_cidr_blocks",
    ),
]


def test_every_argument_is_held_to_its_rule(subtests: pytest.Subtests) -> None:
    for index, (make, field) in enumerate(WIRED):
        with subtests.test(index=index, field=field):
            with pytest.raises(InvalidArgumentError) as caught:
                make()
            assert [each.field for each in caught.value.mistakes] == [field]
            assert "hunter2" not in str(caught.value)
