"""The configuration: every stack's file is right, and every wrong one says in one line what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.pause import Pause
from settings import (
    Settings,
    SettingsError,
    StackFile,
    parse_settings,
    read_settings,
    read_stack_file,
)
from settings.stack_file import Unquoted
from tests.unit.builders import IMAGE
from tests.unit.providers import ACCOUNT
from tests.unit.recorder import record
from tests.unit.stacks import STACKS, as_text, lower_case_names, parse, stack_values

HUNTER = "hunter2"
"""What must never be printed."""

LINE = re.compile(
    r"Pulumi\.prod\.yaml: fileflow:(?P<key>\S+) (?P<value>is .+?), but (?P<rule>.+?)\. (?P<fix>.+)"
)
"""File, key, value, rule and fix: the shape of every message."""

NEW = {"create": {"cidr_block": "10.20.0.0/16"}}
EXISTING = {
    "use": {
        "vpc_id": "vpc-1",
        "private_subnet_ids": ["subnet-a"],
        "public_subnet_ids": ["subnet-b", "subnet-c"],
    }
}
PAUSED = {"since": "2026-11-30T09:00Z", "until": "2026-11-30T13:00Z", "reason": "database migration"}
ZONE = {"host_name": "files.example.com", "hosted_zone_id": "Z1"}


def put(path: str, value: Any) -> dict[str, Any]:
    """The values of prod with one of them changed; `schedulers.0.port` is the first scheduler's port."""
    values = stack_values("prod")
    if path.endswith(".web_acl_arn"):
        # Prod makes one of its own, and there is one or the other.
        del values["web_api"]["load_balancer"]["web_acl"]
    *sections, last = path.split(".")
    section: Any = values
    for name in sections:
        section = section[int(name)] if isinstance(section, list) else section.setdefault(name, {})
    if isinstance(section, list):
        section[int(last)] = value
    else:
        section[last] = value
    return values


def without(path: str) -> dict[str, Any]:
    """The values of prod without one of them."""
    values = stack_values("prod")
    *sections, last = path.split(".")
    section: Any = values
    for name in sections:
        section = section[int(name)] if isinstance(section, list) else section[name]
    del section[last]
    return values


def written(parsed: Settings) -> str:
    """The settings as a file would have them."""
    return parsed.model_dump_json(exclude_none=True)


def refused(values: dict[str, Any], secret_keys: tuple[str, ...] = ()) -> list[re.Match[str]]:
    """The lines of the one error that the values raise."""
    with pytest.raises(SettingsError) as caught:
        parse("prod", values, secret_keys)
    lines = [LINE.fullmatch(line) for line in str(caught.value).splitlines()]
    assert all(lines), str(caught.value)
    return [line for line in lines if line]


def test_the_four_environments_have_a_file() -> None:
    assert set(STACKS) == {"prod", "staging", "dev", "local"}


@pytest.mark.parametrize("stack", STACKS)
def test_every_stacks_file_is_right(stack: str) -> None:
    parsed = parse(stack, stack_values(stack))

    assert parsed.environment == ("prod" if stack == "local" else stack)
    assert [(each.name, each.port) for each in parsed.schedulers] == [("download", 9091), ("pipeline", 9092)]
    assert parsed.web_api.port == 8083
    assert not any(each.spot_opt_in for each in parsed.schedulers)


def test_only_production_and_staging_are_behind_https_and_only_local_and_dev_are_not() -> None:
    plain = {stack: parse(stack, stack_values(stack)).web_api.load_balancer.plain_http for stack in STACKS}

    assert plain == {"prod": False, "staging": False, "dev": True, "local": True}


def test_production_survives_a_zone_and_a_mistake() -> None:
    production = parse("prod", stack_values("prod"))

    assert production.web_api.autoscaling.minimum_count >= 2
    assert production.web_api.load_balancer.deletion_protection is True
    assert production.repository.force_delete is False
    assert production.logging.retain_on_delete is True
    assert stack_values("prod")["network"]["create"]["nat_gateway_strategy"] == "ONE_PER_AZ"


@pytest.mark.parametrize("stack", STACKS)
def test_settings_survive_being_written_and_read_again(stack: str) -> None:
    parsed = parse(stack, stack_values(stack))

    assert written(parse(stack, json.loads(written(parsed)))) == written(parsed)


def test_the_environment_is_the_stacks_name_unless_it_is_given() -> None:
    assert parse("qa", stack_values("dev")).environment == "qa"
    assert parse("qa", {**stack_values("dev"), "environment": "prod"}).environment == "prod"
    # The project file's default for it is an empty text.
    assert parse("qa", {**stack_values("dev"), "environment": ""}).environment == "qa"


def test_the_least_that_a_stack_must_say() -> None:
    parsed = parse(
        "dev",
        {
            "version": "1",
            "network": {"create": {}},
            "images": {},
            "web_api": {"load_balancer": {"plain_http": True}},
            "schedulers": [],
        },
    )

    assert parsed.images.source == "registry"
    assert parsed.web_api.size.cpu == 512
    assert parsed.all_tags == {"Project": "fileflow", "Environment": "dev"}


def test_a_third_scheduler_is_three_lines() -> None:
    values = stack_values("prod")
    values["schedulers"].append({"name": "cleanup", "port": 9093})

    assert [each.name for each in parse("prod", values).schedulers] == ["download", "pipeline", "cleanup"]


BAD: list[tuple[str, Any, str]] = [
    # where, what, the start of the key in the message where it differs
    ("verzion", "1", ""),
    ("web_api.prot", 1, ""),
    ("web_api.size.memory", 1, ""),
    ("web_api.autoscaling.max_count", 1, ""),
    ("web_api.capacity.spot", 1, ""),
    ("web_api.load_balancer.certificate", "x", ""),
    ("web_api.load_balancer.health_check.pth", "/", ""),
    ("web_api.load_balancer.access_logs.days", 1, ""),
    ("web_api.writable_paths", [{"path": "/tmp", "size": 1}], "web_api.writable_paths.0.size"),
    ("web_api.health_check", {"command": ["CMD", "x"], "retry": 1}, "web_api.health_check.retry"),
    ("schedulers.0.desired_count", 2, ""),
    ("schedulers.1.load_balancer", True, ""),
    ("network.create.cidr", "10.0.0.0/16", ""),
    ("images.tag", "x", ""),
    ("repository.name", "x", ""),
    ("logging.days", 3, ""),
    ("alarms.slack", "x", ""),
    ("version", "", ""),
    ("version", "no good", ""),
    ("version", "v" * 101, ""),
    ("version", "latest", ""),
    ("version", "1.0-latest", ""),
    ("schedulers.0.version", "-1", ""),
    ("environment", "Prod", ""),
    ("environment", "a-b", ""),
    ("environment", "e" * 17, ""),
    ("web_api.port", 80, ""),
    ("web_api.port", 65536, ""),
    ("schedulers.0.port", 0, ""),
    ("schedulers.0.port", -1, ""),
    ("schedulers.0.port", "http", ""),
    ("schedulers.0.port", 9091.5, ""),
    ("schedulers.0.name", "Download", ""),
    ("schedulers.0.name", "", ""),
    ("schedulers.0.name", "n" * 32, ""),
    ("schedulers.1.name", "download", "schedulers.name"),
    ("schedulers.0.name", "web-api", "schedulers.name"),
    ("schedulers.0.name", "pipeline-scheduler-b", "schedulers.name"),
    ("schedulers.0.renamed_from", "pipeline", "schedulers.renamed_from"),
    ("schedulers.0.renamed_from", "download", "schedulers.renamed_from"),
    ("schedulers.0.renamed_from", "Old", ""),
    ("schedulers.0.stop_timeout_seconds", 121, ""),
    ("schedulers.0.stop_timeout_seconds", 1, ""),
    ("schedulers.0.spot_opt_in", "maybe", ""),
    ("schedulers.0.paused", True, ""),
    (
        "schedulers.0.paused",
        {"since": PAUSED["since"], "until": PAUSED["until"]},
        "schedulers.0.paused.reason",
    ),
    ("schedulers.0.paused", {**PAUSED, "for": "4h"}, "schedulers.0.paused.for"),
    ("schedulers.0.paused", {**PAUSED, "since": "2026-11-30"}, "schedulers.0.paused.since"),
    ("schedulers.0.paused", {**PAUSED, "since": "2026-11-31T09:00Z"}, "schedulers.0.paused.since"),
    ("schedulers.0.paused", {**PAUSED, "until": "2026-11-30T13:00"}, "schedulers.0.paused.until"),
    ("schedulers.0.paused", {**PAUSED, "until": "2026-11-30T13:00:30Z"}, "schedulers.0.paused.until"),
    ("schedulers.0.paused", {**PAUSED, "until": "2026-11-30T22:00+09:00"}, "schedulers.0.paused.until"),
    ("schedulers.0.paused", {**PAUSED, "until": PAUSED["since"]}, "schedulers.0.paused.until"),
    ("schedulers.0.paused", {**PAUSED, "until": "2026-12-15T09:01Z"}, "schedulers.0.paused.until"),
    ("schedulers.0.paused", {**PAUSED, "reason": " "}, "schedulers.0.paused.reason"),
    ("schedulers.0.paused", {**PAUSED, "reason": "R&D"}, "schedulers.0.paused.reason"),
    ("schedulers.0.paused", {**PAUSED, "reason": "a" * 257}, "schedulers.0.paused.reason"),
    ("web_api.size", {"cpu": 512, "memory_mib": 512}, "web_api.size.memory_mib"),
    ("web_api.size", {"cpu": 500}, "web_api.size.cpu"),
    ("web_api.size.cpu_architecture", "MIPS", ""),
    ("web_api.size.ephemeral_storage_gib", 20, ""),
    ("web_api.autoscaling.minimum_count", 0, ""),
    ("web_api.autoscaling", {"minimum_count": 5}, "web_api.autoscaling.minimum_count"),
    ("web_api.autoscaling.cpu_percent", 101, ""),
    (
        "web_api.autoscaling.scheduled",
        [{"name": "n", "schedule": "nightly", "minimum_count": 1, "maximum_count": 2}],
        "web_api.autoscaling.scheduled.0.schedule",
    ),
    ("web_api.capacity", {"fargate_weight": 0}, "web_api.capacity.fargate_weight"),
    ("web_api.stop_timeout_seconds", 30, ""),
    ("web_api.grace_period_seconds", -1, ""),
    ("web_api.user", "root", ""),
    ("web_api.writable_paths", [{"path": "tmp"}], "web_api.writable_paths.0.path"),
    ("web_api.writable_paths", [{"path": "/tmp", "kind": "disk"}], "web_api.writable_paths.0.kind"),
    ("web_api.writable_paths", [{"path": "/a"}, {"path": "/a"}], "web_api.writable_paths.path"),
    ("web_api.health_check", {"command": ["curl"]}, "web_api.health_check.command"),
    ("web_api.load_balancer.plain_http", True, ""),
    ("web_api.load_balancer.host_name", "files.example.com", ""),
    ("web_api.load_balancer.idle_timeout_seconds", 0, ""),
    ("web_api.load_balancer.deregistration_delay_seconds", 3601, ""),
    ("web_api.load_balancer.source_cidr_blocks", ["world"], ""),
    ("web_api.load_balancer.health_check.timeout_seconds", 15, ""),
    (
        "web_api.load_balancer.access_logs",
        {"retention_days": 0},
        "web_api.load_balancer.access_logs.retention",
    ),
    ("network", {}, ""),
    ("network", {**NEW, **EXISTING}, ""),
    (
        "network",
        {"use": {"vpc_id": "vpc-1", "public_subnet_tags": {"a": "b"}}},
        "network.use.private_subnet_ids",
    ),
    ("network.create.cidr_block", "198.18.0.0/16", ""),
    ("web_api.load_balancer.access_logs.bucket", "My_Bucket", ""),
    ("web_api.load_balancer.access_logs.prefix", "/logs", ""),
    ("web_api.load_balancer.health_check.path", "health", ""),
    ("web_api.load_balancer.health_check.matcher", "200-600", ""),
    ("alarms.topic_arns", ["arn:aws:sns:eu-west-1:1:x"], "alarms.topic_arns"),
    ("tags", {"Owner": "R&D"}, "tags.Owner"),
    ("tags", {"project": "mine"}, "tags"),
    ("network.create.cidr_block", "10.20.0.0/8", ""),
    ("network.create.cidr_block", "10.20.0.1/16", ""),
    ("network.create.number_of_availability_zones", 1, ""),
    ("network.create.nat_gateway_strategy", "TWO", ""),
    ("images", {"source": "docker"}, "images.source"),
    ("images", {"source": "build"}, ""),
    ("images", {"source": "local", "context": "."}, ""),
    ("repository.kept_versions", 1, ""),
    ("logging.retention_days", 31, ""),
    ("container_insights", "on", ""),
    ("web_api.load_balancer.ssl_policy", "ELBSecurityPolicy-2016-08", ""),
    ("web_api.load_balancer.web_acl_arn", "files", ""),
    ("web_api.permissions_boundary_arn", "boundary", ""),
    ("web_api.policy_arns", ["ReadOnly"], "web_api.policy_arns"),
    ("web_api.repository_credentials", "ssm:/x", ""),
    (
        "web_api.statements",
        [{"actions": ["*"], "resources": ["*"]}],
        "web_api.statements.0.actions",
    ),
    (
        "web_api.statements",
        [{"actions": ["s3:GetObject"], "resources": ["files"]}],
        "web_api.statements.0.resources",
    ),
    ("web_api.sidecars", [{"name": "a", "image": "agent:latest"}], "web_api.sidecars.0.image"),
    ("web_api.sidecars", [{"name": "a b", "image": IMAGE}], "web_api.sidecars.0.name"),
    (
        "web_api.sidecars",
        [{"name": "a", "image": IMAGE, "environment": {"DB_PASSWORD": "x"}}],
        "web_api.sidecars.0.environment",
    ),
    ("web_api.sidecars", [{"name": "a", "image": IMAGE}] * 2, "web_api.sidecars.name"),
    ("schedulers.0.sidecars", [{"name": "a", "image": IMAGE, "memory_mib": 5}], "schedulers.0.sidecars.0"),
    ("alarms.emails", ["nobody"], ""),
    ("alarms.https_endpoints", ["http://example.com"], ""),
    ("tags", {"a": 1}, "tags.a"),
    ("schedulers", {}, ""),
    ("schedulers", "download", ""),
    ("web_api", [], ""),
]


def test_a_wrong_value_gives_one_line_with_file_key_value_rule_and_fix(subtests: pytest.Subtests) -> None:
    for path, value, key in BAD:
        with subtests.test(path=path, value=value):
            [line] = refused(put(path, value))

            assert line["key"].startswith(key or path)
            assert line["rule"].strip()
            assert line["fix"].strip()
            if isinstance(value, int | float) and not isinstance(value, bool):
                assert line["value"] == f"is {value}"


@pytest.mark.parametrize("path", ["version", "network", "images", "web_api", "schedulers"])
def test_what_has_no_default_is_missed_by_name(path: str) -> None:
    [line] = refused(without(path))

    assert (line["key"], line["value"], line["fix"]) == (path, "is missing", f"Set {path}.")


@pytest.mark.parametrize("path", ["schedulers.0.name", "schedulers.1.port", "web_api.load_balancer"])
def test_what_a_section_must_have_is_missed_by_name(path: str) -> None:
    [line] = refused(without(path))

    assert (line["key"], line["value"]) == (path, "is missing")


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("verzion", "version"),
        ("web_api.prot", "port"),
        ("schedulers.0.nam", "name"),
        ("web_api.seize", "size"),
    ],
)
def test_a_misspelled_key_is_answered_with_the_one_that_was_meant(path: str, meant: str) -> None:
    lines = refused(put(path, 1))

    assert f"Did you mean {meant}?" in [line["fix"] for line in lines]


def test_a_key_like_no_other_is_answered_with_those_that_there_are() -> None:
    schedule = {"name": "n", "schedule": "rate(1 hour)", "minimum_count": 1, "maximum_count": 2, "zzzzz": 1}
    [line] = refused(put("web_api.autoscaling.scheduled", [schedule]))

    assert line["fix"] == "Known here: maximum_count, minimum_count, name, schedule, timezone."


def sections(node: Any, path: str = "") -> Iterator[str]:
    """The path of every object in a stack's values whose keys are the program's to name."""
    if isinstance(node, dict):
        yield path
        for key, inner in node.items():
            yield from sections(inner, f"{path}.{key}".strip("."))
    elif isinstance(node, list):
        for index, inner in enumerate(node):
            yield from sections(inner, f"{path}.{index}")


@pytest.mark.parametrize("section", [each for each in sections(stack_values("prod")) if each])
def test_an_unknown_key_is_refused_in_every_section(section: str) -> None:
    [line] = refused(put(f"{section}.unheard_of", 1))

    assert line["key"] == f"{section}.unheard_of"


NOT_NUMBERS: list[tuple[str, Any]] = [
    ("schedulers.0.version", 1.1),
    ("schedulers.0.version", 20261001),
    ("tags", {"CostCenter": 4711}),
    ("web_api.environment", {"BATCH_SIZE": 500}),
    ("web_api.environment", {"DRY_RUN": False}),
    ("web_api.secrets", {"X": 1}),
    ("web_api.user", 1000),
    ("network.create.cidr_block", 10.2),
]


def test_a_number_where_a_text_is_meant_is_told_to_be_put_in_quotes(subtests: pytest.Subtests) -> None:
    for path, value in NOT_NUMBERS:
        with subtests.test(path=path, value=value):
            [line] = refused(put(path, value))

            assert "Put it in quotes" in line["fix"]
            assert "--type string" in line["fix"]


@pytest.mark.parametrize(
    ("written", "handed_over"),
    [
        ("1.10", "1.1"),
        ("2.0", "2"),
        ("007", "7"),
        ("1e3", "1000"),
        ("0x10", "16"),
        ("1_0", "10"),
        ("2026-10-01", "2026-10-01 00:00:00 +0000 UTC"),
    ],
)
def test_a_version_that_yaml_reads_as_another_number_is_refused(written: str, handed_over: str) -> None:
    file = StackFile("Pulumi.qa.yaml", {"version": Unquoted(written)})
    values = {**as_text(stack_values("dev")), "version": handed_over}

    with pytest.raises(SettingsError) as caught:
        parse_settings("qa", values, file=file)

    assert str(caught.value) == (
        f"Pulumi.qa.yaml: fileflow:version is {handed_over!r}, but the file says {written}, which YAML reads "
        "as that number. Put it in quotes."
    )


@pytest.mark.parametrize(
    ("written", "handed_over"),
    [
        ("1.10", "1.10"),
        (Unquoted("1.4.0"), "1.4.0"),
        (Unquoted("1.1"), "1.1"),
        (Unquoted("7"), "7"),
        # Given on the command line; the file says another one.
        (Unquoted("1.4.0"), "2026"),
        ("1.4.0", "1.10"),
        ("1.4.0", "1.5.0"),
    ],
)
def test_a_version_that_arrives_as_it_was_written_is_taken(written: object, handed_over: str) -> None:
    file = StackFile("Pulumi.qa.yaml", {"version": written})
    values = {**as_text(stack_values("dev")), "version": handed_over}

    assert parse_settings("qa", values, file=file).version == handed_over


def test_a_version_of_another_file_that_may_have_lost_a_zero_is_refused() -> None:
    file = StackFile("Pulumi.qa.yaml", {"version": "1.4.0"})

    with pytest.raises(SettingsError, match=r"1\.10 without quotes arrives as 1\.1 too"):
        parse_settings("qa", {**as_text(stack_values("dev")), "version": "1.1"}, file=file)


def test_a_file_is_named_only_where_the_value_stands_in_it() -> None:
    values = as_text(stack_values("dev"))
    file = StackFile("Pulumi.dev.yaml", {"version": "1.0.0", "schedulers": []})

    for change in ({"version": "latest"}, {"schedulers": '[{"name": "a", "port": 80}]'}):
        with pytest.raises(SettingsError) as caught:
            parse_settings("dev", {**values, **change}, file=file)
        assert "Pulumi" not in str(caught.value).split(", but")[0]


def test_what_no_file_says_is_missing_in_the_stacks_own() -> None:
    values = {key: text for key, text in as_text(stack_values("dev")).items() if key != "version"}

    with pytest.raises(SettingsError, match=r"^Pulumi\.dev\.yaml: fileflow:version is missing"):
        parse_settings("dev", values, file=StackFile("Pulumi.dev.yaml"))


def test_a_secret_within_a_setting_is_refused_by_its_path() -> None:
    values = put("web_api.environment", {"PARTNER_URL": HUNTER})
    file = StackFile("Pulumi.prod.yaml", {"web_api": {"environment": {"PARTNER_URL": {"secure": "v1:x"}}}})

    with pytest.raises(SettingsError) as caught:
        parse_settings("prod", as_text(values), ["web_api"], file=file)

    [line] = str(caught.value).splitlines()
    assert "fileflow:web_api.environment.PARTNER_URL is [hidden], but " in line
    assert HUNTER not in line


def test_a_stack_whose_name_is_no_environments_is_told_the_key_to_set() -> None:
    with pytest.raises(SettingsError) as caught:
        parse("qa-1", stack_values("dev"))

    assert str(caught.value).startswith("fileflow:environment is missing, but the stack's name 'qa-1' can't")
    assert str(caught.value).endswith("Set it with: pulumi config set environment qa1")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("web_api.load_balancer.certificate_arn", f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/1-2"),
        ("alarms.topic_arns", [f"arn:aws:sns:us-east-1:{ACCOUNT}:on-call"]),
        ("logging.kms_key_arn", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1-2"),
    ],
)
def test_an_arn_of_another_region_is_refused_where_the_service_takes_none(path: str, value: Any) -> None:
    values = put(path, value)
    if "certificate_arn" not in path:
        del values["web_api"]["load_balancer"]["certificate_arn"]
        values["web_api"]["load_balancer"]["plain_http"] = True
        del values["audited"]
    values = as_text(values)

    with pytest.raises(SettingsError) as caught:
        parse_settings("prod", values, region="ap-northeast-2")
    [line] = str(caught.value).splitlines()
    assert re.match(rf"fileflow:{re.escape(path)}[.0-9]* is .*us-east-1.*, but it lies in us-east-1", line)

    parse_settings("prod", values, region="us-east-1")
    parse_settings("prod", values)


def test_a_stacks_file_is_read_to_the_letter(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.qa.yaml").write_text(
        "config:\n  aws:region: x\n  fileflow:version: 1.10\n  fileflow:tags: {A: '1', B: [2]}\n"
        "  fileflow:alarms:\n    emails:\n      - secure: v1:x\n"
    )

    file = read_stack_file(tmp_path, "fileflow", "qa")

    assert file.values == {
        "version": Unquoted("1.10"),
        "tags": {"A": "1", "B": [Unquoted("2")]},
        "alarms": {"emails": [{"secure": Unquoted("v1:x")}]},
    }
    assert file.says("tags", '{"A": "1", "B": [2]}')
    assert not file.says("tags", '{"A": "1", "B": [3]}')
    assert file.secrets("alarms") == ["alarms.emails.0"]


@pytest.mark.parametrize("content", [None, b"\xff", b"a: [", b"- a", b"config: 1", b""])
def test_a_file_that_cannot_be_read_says_nothing(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "Pulumi.qa.yaml").write_bytes(content)

    assert read_stack_file(tmp_path, "fileflow", "qa") == StackFile("Pulumi.qa.yaml")


def at(now: str, **paused: str) -> list[str]:
    """What is wrong with a paused scheduler at that time, a line each."""
    values = as_text(put("schedulers.0.paused", {**PAUSED, **paused}))
    try:
        parse_settings("prod", values, now=datetime.fromisoformat(now))
    except SettingsError as error:
        return str(error).splitlines()
    return []


def test_a_pause_holds_until_its_end_and_is_then_refused_in_one_line_with_the_way_out() -> None:
    assert at("2026-11-30T08:55Z") == at("2026-11-30T12:59:59Z") == []
    assert at("2026-11-30T13:00Z") == [
        "fileflow:schedulers.0.paused.until is '2026-11-30T13:00Z', but this pause (database migration) is "
        "over. Let it run again, by python -m operate resume, which takes paused out, or give a later end."
    ]


def test_a_pause_that_is_to_begin_later_is_refused() -> None:
    [line] = at("2026-11-30T08:54Z")
    assert line.startswith(
        "fileflow:schedulers.0.paused.since is '2026-11-30T09:00Z', but a pause begins when"
    )


def test_an_ended_pause_is_told_with_all_other_mistakes() -> None:
    values = put("schedulers.0.paused", PAUSED) | {"version": "latest"}
    values["schedulers"][1]["port"] = 0
    with pytest.raises(SettingsError) as caught:
        parse_settings("prod", as_text(values), now=datetime(2027, 1, 1, tzinfo=UTC))
    keys = [line.split()[0] for line in str(caught.value).splitlines()]
    assert sorted(keys) == [
        "fileflow:schedulers.0.paused.until",
        "fileflow:schedulers.1.port",
        "fileflow:version",
    ]


def test_nobody_asks_for_the_time_where_no_clock_is_given() -> None:
    assert parse("prod", put("schedulers.0.paused", PAUSED)).schedulers[0].paused == Pause(**PAUSED)


def test_a_program_asks_for_the_time() -> None:
    over = {"since": "2026-01-01T09:00Z", "until": "2026-01-01T13:00Z", "reason": "forgotten"}
    values = put("schedulers.0.paused", over)
    config = {f"fileflow:{key}": value for key, value in as_text(values).items()}

    with pytest.raises(SettingsError, match=r"paused\.until.*is over"):
        record(read_settings, stack="prod", config=config)


def test_two_schedulers_are_never_renamed_from_one() -> None:
    values = put("schedulers.0.renamed_from", "old")
    values["schedulers"][1]["renamed_from"] = "old"

    [line] = refused(values)
    assert line["key"] == "schedulers.renamed_from"


def test_the_mistakes_of_one_section_are_told_at_once_too() -> None:
    values = put("web_api.environment", {"DB_PASSWORD": HUNTER, "a b": "c", "URL": f"x://u:{HUNTER}@h/"})
    values["network"] = {"create": {"cidr_block": "8.8.0.0/16", "number_of_availability_zones": 9}}
    values["schedulers"] = [{"name": "b", "port": 9091}, {"name": "b", "port": 9092, "renamed_from": "b"}]
    values["tags"] = {"Owner": "R&D", "aws:x": "y"}

    assert {line["key"] for line in refused(values)} == {
        "network.create.cidr_block",
        "network.create.number_of_availability_zones",
        "web_api.environment.DB_PASSWORD",
        "web_api.environment",
        "web_api.environment.URL",
        "schedulers.name",
        "schedulers.renamed_from",
        "tags.Owner",
        "tags.aws:x",
    }


@pytest.mark.parametrize(
    "environment",
    [
        {"spring.jpa.hibernate.ddl-auto": "validate"},
        {"spring.kafka.topics[0].name": "done"},
        {"OAUTH_TOKEN_URI": "https://l/t", "MAX_TOKENS": "4096", "PASSWORD_RESET_PAGE": "https://w/r"},
    ],
)
def test_what_only_looks_like_a_mistake_is_taken(environment: dict[str, str]) -> None:
    assert parse("prod", put("web_api.environment", environment)).web_api.environment == environment


def test_several_mistakes_are_told_at_once_a_line_for_each() -> None:
    values = put("schedulers.0.port", 1)
    values["version"] = ""
    values["web_api"]["prot"] = 1

    assert [line["key"] for line in refused(values)] == ["version", "web_api.prot", "schedulers.0.port"]


@pytest.mark.parametrize("text", ["{", "[1,", '{"a": }', "{'a': 1}", "[" * 100_000])
def test_a_text_that_only_begins_like_json_is_one_error(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse("prod", {**stack_values("prod"), "tags": text})

    [line] = [LINE.fullmatch(line) for line in str(caught.value).splitlines()]
    assert line
    assert line["key"] == "tags"


LEAKS: list[tuple[str, Any]] = [
    ("web_api.secrets", HUNTER),
    ("web_api.secrets", [HUNTER]),
    ("web_api.secrets", {"DB_PASSWORD": HUNTER}),
    ("web_api.secrets", {"DB_PASSWORD": {"value": HUNTER}}),
    ("web_api.environment", HUNTER),
    ("web_api.environment", [HUNTER]),
    ("web_api.environment", {"DB_PASSWORD": HUNTER}),
    ("web_api.environment", {"DB": [HUNTER]}),
    ("web_api.environment", {"1": HUNTER}),
    ("web_api.secret", {"DB_PASSWORD": HUNTER}),
    ("web_api.enviroment", {"DB_PASSWORD": HUNTER}),
    ("web_api.enviroment", [HUNTER]),
    ("web_api.db_password", HUNTER),
    ("schedulers.0.secrets", {"API_KEY": HUNTER}),
    ("schedulers.0.secerts", {"API_KEY": HUNTER}),
    ("schedulers.0.token", HUNTER),
    ("images.build_args", HUNTER),
    ("images.build_args", {"NPM": [HUNTER]}),
    ("dbPassword", HUNTER),
    ("web_api.health_check", {"command": ["CMD-SHELL", f"curl -u admin:{HUNTER} localhost"]}),
    ("web_api.health_check", {"command": ["check", "--db-password", HUNTER]}),
    (
        "web_api.sidecars",
        [
            {
                "name": "agent",
                "image": f"agent@sha256:{'a' * 64}",
                "command": ["run", f"--api-key={HUNTER}", "--db-password", HUNTER],
            }
        ],
    ),
]


def test_what_may_be_a_secret_is_never_printed(subtests: pytest.Subtests) -> None:
    for path, value in LEAKS:
        with subtests.test(path=path, value=value):
            with pytest.raises(SettingsError) as caught:
                parse("prod", put(path, value))

            assert HUNTER not in str(caught.value)


@pytest.mark.parametrize("value", [{"environment": {"DB_PASSWORD": HUNTER}}, [HUNTER], f'{{"a": "{HUNTER}"'])
def test_what_stands_below_a_misspelled_key_is_not_printed_either(value: Any) -> None:
    with pytest.raises(SettingsError, match=r"fileflow:web_apis is an? (object|list), but") as caught:
        parse("prod", {**stack_values("prod"), "web_apis": value})

    assert HUNTER not in str(caught.value)


def test_a_credential_in_a_command_is_refused_before_anything_is_made() -> None:
    [line] = refused(put("web_api.health_check", {"command": ["CMD-SHELL", f"curl -u a:{HUNTER} localhost"]}))

    assert "web_api.health_check.command is [hidden], but it holds a password behind -u" in line.string


@pytest.mark.parametrize(
    ("key", "value"), [("version", f"{HUNTER} "), ("web_api", HUNTER), ("tags", f"{{{HUNTER}"), ("x", HUNTER)]
)
def test_a_value_that_the_stack_encrypts_is_never_printed(key: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse("prod", {**stack_values("prod"), key: value}, secret_keys=(key,))

    assert HUNTER not in str(caught.value)
    assert "[hidden]" in str(caught.value)


def test_a_long_value_is_cut_and_never_breaks_the_line() -> None:
    [line] = refused(put("container_insights", "a\nb" * 1000))

    assert len(line["value"]) < 100


# Every character but surrogates: the default takes seconds to find out which those are.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from([*Settings.model_fields, "unknown"])


@given(st.dictionaries(KEYS, JSON, max_size=4))
def test_no_configuration_whatever_raises_anything_but_a_settings_error(values: dict[str, Any]) -> None:
    try:
        parse("prod", values)
    except SettingsError as error:
        assert str(error)


PLACES = [
    *(
        f"web_api.{key}"
        for key in ("size", "autoscaling", "capacity", "load_balancer", "environment", "secrets")
    ),
    *(
        "web_api.writable_paths",
        "web_api.health_check",
        "schedulers.0.size",
        "schedulers.0.port",
        "schedulers.0",
    ),
    *("network.create", "network.use", "images.build_args", "repository", "logging", "alarms", "tags"),
]


@given(st.sampled_from(PLACES), JSON)
def test_no_value_in_a_right_configuration_raises_anything_but_a_settings_error(
    path: str, value: Any
) -> None:
    try:
        parse("prod", put(path, value))
    except SettingsError as error:
        for line in str(error).splitlines():
            assert line.startswith("Pulumi.prod.yaml: fileflow:"), line


SECTIONS_WITH_SECRETS = [
    "web_api.secrets",
    "web_api.environment",
    "web_api.secret",
    "images.build_args",
    "password",
]
WRAPPED: list[Callable[[str], Any]] = [
    lambda secret: secret,
    lambda secret: [secret],
    lambda secret: {"DB_PASSWORD": secret},
    lambda secret: {"A": {"B": secret}},
    lambda secret: [{"A": secret}],
]


@given(
    st.sampled_from(SECTIONS_WITH_SECRETS),
    st.sampled_from(WRAPPED),
    st.text("abcdefghij0123456789", min_size=12, max_size=20),
)
def test_no_secret_is_ever_in_a_message(path: str, wrap: Callable[[str], Any], secret: str) -> None:
    try:
        parse("prod", put(path, wrap(secret)))
    except SettingsError as error:
        assert secret not in str(error)


SCHEDULER = st.fixed_dictionaries(
    {"name": lower_case_names(max_size=11), "port": st.integers(1024, 65535)},
    optional={
        "size": st.sampled_from([{"cpu": 256, "memory_mib": 512}, {"cpu": 1024, "memory_mib": 4096}]),
        "stop_timeout_seconds": st.integers(2, 120),
        "spot_opt_in": st.booleans(),
        "environment": st.dictionaries(st.sampled_from(["A", "B_C"]), TEXT),
        "execute_command": st.booleans(),
    },
)


@given(
    st.lists(SCHEDULER, max_size=3, unique_by=lambda each: each["name"]),
    st.builds("{}.{}".format, st.integers(0, 999), st.integers(0, 999)),
    st.sampled_from([NEW, EXISTING]),
)
def test_right_settings_survive_being_written_and_read_again(
    schedulers: list[dict[str, Any]], version: str, network: dict[str, Any]
) -> None:
    values = {**stack_values("dev"), "schedulers": schedulers, "version": version, "network": network}
    parsed = parse("dev", values)

    assert len(parsed.schedulers) == len(schedulers)
    assert written(parse("dev", json.loads(written(parsed)))) == written(parsed)


def test_a_program_reads_its_own_namespace_and_no_other() -> None:
    read: list[Settings] = []
    config = {f"fileflow:{key}": value for key, value in as_text(stack_values("dev")).items()}

    record(
        lambda: read.append(read_settings()),
        stack="dev",
        config={**config, "aws:region": "ap-northeast-2", "other:version": "9"},
    )

    assert read == [parse("dev", stack_values("dev"))]


def test_a_wrong_setting_fails_the_run_before_anything_is_registered() -> None:
    config = {f"fileflow:{key}": value for key, value in as_text(put("version", "")).items()}

    with pytest.raises(pulumi.RunError, match=r"fileflow:version is ''"):
        record(read_settings, stack="prod", config=config)


def test_https_by_a_zone_needs_no_certificate_of_ones_own() -> None:
    values = without("web_api.load_balancer.certificate_arn")
    values["web_api"]["load_balancer"].update(ZONE)

    https = parse("prod", values).web_api.load_balancer.https()
    assert https is not None
    assert (https.certificate_arn, https.host_name) == (None, "files.example.com")


def test_files_in_memory_that_leave_a_process_none_are_refused_by_key() -> None:
    scheduler = {
        "name": "download",
        "port": 9091,
        "size": {"cpu": 256, "memory_mib": 512},
        "writable_paths": [{"path": "/tmp", "kind": "tmpfs", "size_mib": 2048}],
    }
    with pytest.raises(SettingsError, match=r"writable_paths.size_mib is 2048, but a tmpfs lies in"):
        parse_settings("prod", {**as_text(stack_values("prod")), "schedulers": json.dumps([scheduler])})


@pytest.mark.parametrize("region", ["cn-north-1", "cn-northwest-1", "us-iso-east-1", "eu-isoe-west-1"])
def test_a_partition_of_other_names_is_refused_in_one_line(region: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings("dev", as_text(stack_values("dev")), region=region)

    assert str(caught.value).startswith(f"aws:region is {region!r}, but ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("region", [None, "ap-northeast-2", "us-gov-west-1"])
def test_a_region_of_amazonaws_com_is_taken(region: str | None) -> None:
    parse_settings("dev", as_text(stack_values("dev")), region=region)


def test_schedulers_without_the_metric_that_counts_them_are_refused() -> None:
    with pytest.raises(SettingsError, match="container_insights is 'disabled', but the alarms"):
        parse("prod", put("container_insights", "disabled"))
    parse("prod", {**put("container_insights", "disabled"), "schedulers": []})


@pytest.mark.parametrize(
    ("lease", "named"),
    [
        ({"table_name": "shared"}, "lease.key"),
        ({"key": "a b"}, "lease.key"),
        ({"duration_seconds": 5}, "lease.duration_seconds"),
        ({"entry_point": []}, "lease.entry_point"),
        ({"entry_point": ["java -jar app.jar"]}, r"of its own: \['java', '-jar', 'app.jar'\]"),
        ({"table_name": "", "key": "files"}, "lease.table_name is '', but "),
        ({"key": ""}, "lease.key is '', but "),
        (True, "lease is true, but it is a section. Write {} where its defaults will do, .*table_name"),
        ({"entry_point": ["java", "--db-password", "s3cr3t-of-prod"]}, "it holds a credential behind"),
        (None, "Write lease: {} for one"),
        ({"tables": "leases"}, "tables"),
    ],
)
def test_a_lease_that_could_not_be_held_is_refused_by_name(lease: object, named: str) -> None:
    values = stack_values("dev")
    values["schedulers"][0]["lease"] = lease

    with pytest.raises(SettingsError, match=named):
        parse("dev", values)


@pytest.mark.parametrize(
    ("leases", "named"),
    [
        ([{"key": "files"}, {"key": "files"}], "schedulers.lease.key is 'files'"),
        ([{}, {"key": "download"}], "in the table fileflow-dev-leases"),
        ([{}, {"table_name": "fileflow-dev-leases", "key": "download"}], "in the table fileflow-dev-leases"),
    ],
)
def test_two_schedulers_cannot_have_one_lease(leases: list[dict[str, Any]], named: str) -> None:
    values = stack_values("dev")
    for scheduler, lease in zip(values["schedulers"], leases, strict=True):
        scheduler["lease"] = lease

    with pytest.raises(SettingsError, match=re.escape(named)):
        parse("dev", values)


def test_a_renamed_scheduler_says_the_key_of_its_lease() -> None:
    values = stack_values("dev")
    values["schedulers"][0] |= {"name": "archive", "renamed_from": "download", "lease": {}}
    with pytest.raises(SettingsError, match=r"lease: \{key: download\}"):
        parse("dev", values)

    values["schedulers"][0]["lease"] = {"key": "download"}
    assert parse("dev", values).schedulers[0].lease_key == "download"


def test_two_schedulers_may_have_one_key_in_two_tables() -> None:
    values = stack_values("dev")
    for scheduler, table_name in zip(values["schedulers"], ("one", "two"), strict=True):
        scheduler["lease"] = {"table_name": table_name, "key": "files"}

    parse("dev", values)


@pytest.mark.parametrize("name", ["lease-guard", "lease-guard-amd64"])
def test_a_scheduler_whose_images_would_be_counted_with_the_guards_is_refused(name: str) -> None:
    values = stack_values("dev")
    values["schedulers"][0]["name"] = name

    with pytest.raises(SettingsError, match="begin like another service's"):
        parse("dev", values)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ({"writable_paths": [{"path": "/lease/work"}]}, "writable_paths.path"),
        (
            {"sidecars": [{"name": "lease-guard", "image": f"agent@sha256:{'0' * 64}"}]},
            "the lease has a container of that name",
        ),
    ],
)
def test_what_meets_the_guard_is_refused_where_there_is_a_lease(words: dict[str, Any], named: str) -> None:
    values = stack_values("dev")
    values["schedulers"][0] |= words
    parse("dev", values)
    values["schedulers"][0]["lease"] = {}

    with pytest.raises(SettingsError, match=named):
        parse("dev", values)


def test_a_guard_is_built_only_where_images_are_built() -> None:
    values = stack_values("dev")
    values["leases"] = {"dockerfile": "guard/Dockerfile"}

    with pytest.raises(SettingsError, match=r"context and dockerfile belong to images that are built"):
        parse("dev", values)
