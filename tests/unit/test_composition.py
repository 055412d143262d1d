"""Every setting becomes an argument: each is changed in turn, and some component's arguments must change.

The table names a change for every field of every section; a field without one fails, so that nothing can
be added to the configuration that is read and dropped. That arguments reach resources is held elsewhere.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import BaseModel

import composition
from components.image_repository import ImageRepository
from components.names import Names
from components.service_image import Build, LocalImage, RegistryTag
from settings import (
    AccessLogSettings,
    AlarmSettings,
    EncryptionSettings,
    ImageSettings,
    LeaseSettings,
    LeasesSettings,
    LoadBalancerSettings,
    LoggingSettings,
    NetworkSettings,
    RepositorySettings,
    SchedulerSettings,
    Settings,
    SidecarSettings,
    StatementSettings,
    WebAclSettings,
    WebApiSettings,
)
from tests.unit.builders import (
    CERTIFICATE_ARN,
    CLUSTER_ARN,
    IMAGE,
    KEY_ARN,
    PLACEMENT,
    POLICY_ARN,
    SECRET_ARN,
    TOPIC_ARN,
    WEB_ACL_ARN,
)
from tests.unit.stacks import parse, stack_values

STATEMENT: Mapping[str, Any] = {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::files/*"]}

SERVICE: Mapping[str, Any] = {
    "version": "9.9.9",
    "size": {"cpu": 1024, "memory_mib": 4096},
    "environment": {"A": "1"},
    "secrets": {"A": SECRET_ARN},
    "secrets_kms_key_arns": [KEY_ARN],
    "repository_credentials": SECRET_ARN,
    "policy_arns": [POLICY_ARN],
    "statements": [{**STATEMENT, "effect": "Deny"}],
    "permissions_boundary_arn": POLICY_ARN,
    "sidecars": [{"name": "helper", "image": IMAGE}],
    "health_check": {"command": ["CMD", "/check"]},
    "writable_paths": [{"path": "/var"}],
    "user": "1001",
    "execute_command": True,
}

CHANGES: Mapping[type[BaseModel], tuple[str, Mapping[str, Any]]] = {
    # section: (where it stands, a change for each field)
    Settings: (
        "",
        {
            "environment": "qa",
            "version": "9.9.9",
            "network": {"create": {"cidr_block": "10.9.0.0/16"}},
            "images": {"source": "registry"},
            "repository": {"kept_versions": 3},
            "container_insights": "enhanced",
            "logging": {"retention_days": 3},
            "encryption": {"create": True},
            "alarms": {"topic_arns": [f"{TOPIC_ARN}-2"]},
            "leases": {"deletion_protection": False},
            "web_api": {"load_balancer": {"plain_http": True, "internal": True}},
            "schedulers": [],
            "tags": {"Team": "files"},
        },
    ),
    NetworkSettings: (
        "network",
        {
            "create": {"create": {"cidr_block": "10.9.0.0/16"}},
            "use": {
                "use": {
                    "vpc_id": "vpc-1",
                    "private_subnet_ids": ["subnet-a"],
                    "public_subnet_ids": ["subnet-b", "subnet-c"],
                }
            },
        },
    ),
    ImageSettings: (
        "images",
        {
            "source": {"source": "registry"},
            "kind": {"source": "build", "kind": "other", "context": ".", "dockerfile": "Dockerfile"},
            "context": {"source": "build", "context": "other", "dockerfile": "Dockerfile"},
            "dockerfile": {"source": "build", "context": ".", "dockerfile": "other"},
            "target": {"source": "build", "context": ".", "dockerfile": "Dockerfile", "target": "x"},
            "build_args": {"source": "build", "context": ".", "dockerfile": "D", "build_args": {"A": "1"}},
        },
    ),
    RepositorySettings: ("repository", {"kept_versions": 3, "force_delete": False}),
    LoggingSettings: ("logging", {"retention_days": 3, "kms_key_arn": KEY_ARN, "retain_on_delete": True}),
    EncryptionSettings: (
        "encryption",
        {
            "create": {"create": True},
            "kms_key_arn": {"kms_key_arn": KEY_ARN},
            "retain_on_delete": {"create": True, "retain_on_delete": False},
        },
    ),
    WebAclSettings: (
        "web_api.load_balancer.web_acl",
        {"action": "block", "requests_per_five_minutes": 99},
    ),
    AlarmSettings: (
        "alarms",
        {
            "emails": ["ops@example.com"],
            "https_endpoints": ["https://example.com"],
            "topic_arns": [f"{TOPIC_ARN}-2"],
        },
    ),
    SchedulerSettings: (
        "schedulers.0",
        {
            **SERVICE,
            "name": "other",
            "port": 9099,
            "renamed_from": "old",
            "stop_timeout_seconds": 99,
            "spot_opt_in": True,
            "lease": {},
            "paused": {"since": "2026-11-30T09:00Z", "until": "2026-11-30T13:00Z", "reason": "migration"},
        },
    ),
    LeaseSettings: (
        "schedulers.0.lease",
        {
            "table_name": {"table_name": "shared", "key": "files/download"},
            "key": {"key": "files/download"},
            "entry_point": {"entry_point": ["/app"]},
            "duration_seconds": {"duration_seconds": 99},
        },
    ),
    LeasesSettings: (
        "leases",
        {
            "context": "guard-of-ours",
            "dockerfile": "guard-of-ours/Dockerfile",
            "deletion_protection": False,
            "point_in_time_recovery": True,
        },
    ),
    WebApiSettings: (
        "web_api",
        {
            **SERVICE,
            "port": 8099,
            "autoscaling": {"maximum_count": 9},
            "capacity": {"spot_weight": 1},
            "stop_timeout_seconds": 99,
            "grace_period_seconds": 99,
            "load_balancer": {"plain_http": True, "internal": True},
        },
    ),
    LoadBalancerSettings: (
        "web_api.load_balancer",
        {
            "certificate_arn": {"certificate_arn": CERTIFICATE_ARN},
            "host_name": {"host_name": "a.example.com", "hosted_zone_id": "Z1"},
            "hosted_zone_id": {"host_name": "files.example.com", "hosted_zone_id": "Z2"},
            "ssl_policy": {
                "certificate_arn": CERTIFICATE_ARN,
                "ssl_policy": "ELBSecurityPolicy-TLS13-1-3-2021-06",
            },
            "web_acl_arn": WEB_ACL_ARN,
            "web_acl": {"plain_http": True, "internal": True, "web_acl": {"action": "block"}},
            "plain_http": {"certificate_arn": CERTIFICATE_ARN},
            "internal": {"plain_http": True},
            "source_cidr_blocks": ["203.0.113.0/24"],
            "deletion_protection": True,
            "access_logs": None,
            "idle_timeout_seconds": 99,
            "deregistration_delay_seconds": 9,
            "health_check": {"path": "/up"},
        },
    ),
    StatementSettings: (
        "web_api.statements.0",
        {
            "sid": "Files",
            "effect": "Deny",
            "actions": ["s3:PutObject"],
            "resources": ["*"],
            "conditions": {"Bool": {"aws:SecureTransport": "true"}},
        },
    ),
    SidecarSettings: (
        "schedulers.0.sidecars.0",
        {
            "name": "other",
            "image": IMAGE[:-4] + "0123",
            "essential": True,
            "environment": {"A": "1"},
            "secrets": {"A": SECRET_ARN},
            "repository_credentials": SECRET_ARN,
            "command": ["run"],
            "user": "1001",
            "writable_paths": [{"path": "/var"}],
            "health_check": {"command": ["CMD", "/check"]},
            "main_waits_for": "START",
            "port": 4317,
            "memory_mib": 64,
            "memory_reservation_mib": 64,
        },
    ),
    AccessLogSettings: (
        "web_api.load_balancer.access_logs",
        {
            "bucket": "given",
            "prefix": "web",
            "retention_days": 9,
            "version_retention_days": 9,
            "force_destroy": False,
        },
    ),
}

WHOLE = {EncryptionSettings, ImageSettings, LeaseSettings, NetworkSettings}
"""Sections whose fields exclude each other: the table has the whole section for each field."""


def base() -> dict[str, Any]:
    """The values of dev, with one of each thing that a list may hold."""
    values = stack_values("dev")
    values["web_api"]["statements"] = [dict(STATEMENT)]
    values["schedulers"][0]["sidecars"] = [{"name": "agent", "image": IMAGE}]
    values["images"] = {"source": "build", "context": ".", "dockerfile": "Dockerfile"}
    return values


def changed(section: type[BaseModel], field: str) -> dict[str, Any]:
    """The values of dev with one field of one section changed."""
    where, changes = CHANGES[section]
    values = base()
    path = [*(where.split(".") if where else []), field]
    value = changes[field]
    if section in WHOLE or (
        section is LoadBalancerSettings and isinstance(value, dict) and field != "health_check"
    ):
        path = path[:-1]
    at: Any = values
    for part in path[:-1]:
        at = at[int(part)] if isinstance(at, list) else at.setdefault(part, {})
    at[int(path[-1]) if isinstance(at, list) else path[-1]] = value
    return values


def arguments(values: dict[str, Any]) -> list[Any]:
    """The arguments of every component of the program, with what other components would hand over."""
    settings = parse("dev", values)
    names = Names(environment=settings.environment)
    created = f"{KEY_ARN[:-4]}0000" if settings.encryption.create else None
    key_arn = settings.encryption.kms_key_arn or created
    platform = composition.Platform(
        settings=settings,
        placement=PLACEMENT,
        public_subnet_ids=["subnet-public-1"],
        cluster_arn=CLUSTER_ARN,
        topic_arn=TOPIC_ARN,
        session_key_arn=KEY_ARN,
        key_arn=key_arn,
        guard_images={"ARM64": IMAGE, "X86_64": IMAGE},
    )
    repository = cast(ImageRepository, SimpleNamespace())
    made: list[Any] = [
        composition.encryption_key_args(settings, names),
        composition.network_args(settings, key_arn),
        composition.cluster_args(settings, names, key_arn),
        composition.repository_args(settings, names, key_arn),
        composition.topic_args(settings, names, CLUSTER_ARN, key_arn),
        composition.image_args(settings, settings.web_api, names.web_api, repository),
        composition.web_api_args(platform, names, IMAGE),
        composition.lease_table_args(settings, names),
        *(composition.guard_image_args(settings, repository, each) for each in ("ARM64", "X86_64")),
    ]
    for scheduler in settings.schedulers:
        its = names.scheduler(scheduler.name)
        aliases = composition.scheduler_options(names, scheduler).aliases or []
        made += [
            composition.image_args(settings, scheduler, its, repository),
            composition.scheduler_args(platform, scheduler, its, IMAGE),
            [vars(alias) for alias in aliases],
        ]
    return made


def sections(of: type[BaseModel] = Settings) -> Iterator[type[BaseModel]]:
    """Every section that the settings have."""
    yield of
    for info in of.model_fields.values():
        for inner in (info.annotation, *typing.get_args(info.annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from sections(inner)


def test_every_setting_is_in_the_table_above() -> None:
    for section in sections():
        # It refuses, and makes nothing.
        refusing = {"audited"} if section is Settings else set()
        assert set(CHANGES[section][1]) | refusing == set(section.model_fields), section


@pytest.mark.parametrize("section", CHANGES, ids=lambda each: each.__name__)
def test_every_setting_becomes_an_argument_of_a_component(section: type[BaseModel]) -> None:
    before = arguments(base())

    assert [field for field in CHANGES[section][1] if arguments(changed(section, field)) == before] == []


def test_callers_inside_the_company_reach_devs_load_balancer_and_anybody_prods() -> None:
    for stack, internal in (("dev", True), ("prod", False)):
        settings = parse(stack, stack_values(stack))
        balancer = composition.load_balancing(
            settings.web_api.load_balancer, Names(environment=stack), ["subnet-1"], settings.logging.value()
        )
        assert balancer.internal is internal


def test_the_same_settings_become_the_same_arguments() -> None:
    assert arguments(stack_values("dev")) == arguments(stack_values("dev"))


@pytest.mark.parametrize(
    ("images", "source"),
    [
        ({"source": "registry"}, RegistryTag()),
        ({"source": "local"}, LocalImage(name="fileflow-web-api:latest")),
        (
            {"source": "build", "context": "c", "dockerfile": "d", "build_args": {"A": "1", "MODULE": "x"}},
            Build(
                context="c",
                dockerfile="d",
                build_args={"A": "1", "MODULE": ":bootstrap:bootstrap-web-api", "VERSION": "1.4.0"},
            ),
        ),
    ],
)
def test_an_image_comes_from_where_the_settings_say(images: dict[str, Any], source: object) -> None:
    settings = parse("dev", {**stack_values("dev"), "images": images})

    assert composition.image_source(settings.images, Names(environment="dev").web_api, "1.4.0") == source


def test_a_service_has_its_own_version_where_it_has_one_and_the_stacks_otherwise() -> None:
    values = stack_values("dev")
    values["schedulers"][0]["version"] = "2.0.0"
    settings = parse("dev", values)
    names = Names(environment="dev")
    repository = cast(ImageRepository, SimpleNamespace())

    tags = [
        composition.image_args(settings, each, names.scheduler(each.name), repository).tag
        for each in settings.schedulers
    ]
    assert tags == ["download-scheduler-2.0.0", "pipeline-scheduler-1.0.0"]


@pytest.mark.parametrize(("architecture", "platform"), [("X86_64", "linux/amd64"), ("ARM64", "linux/arm64")])
def test_an_image_is_built_for_what_its_task_runs_on(architecture: str, platform: str) -> None:
    values = stack_values("dev")
    values["web_api"]["size"] = {"cpu_architecture": architecture}
    settings = parse("dev", values)
    repository = cast(ImageRepository, SimpleNamespace())

    args = composition.image_args(settings, settings.web_api, Names(environment="dev").web_api, repository)
    assert args.platform == platform


def test_a_renamed_scheduler_is_known_by_its_old_name() -> None:
    values = stack_values("dev")
    values["schedulers"][0] = {"name": "fetch", "port": 9091, "renamed_from": "download"}
    settings = parse("dev", values)

    options = composition.scheduler_options(Names(environment="dev"), settings.schedulers[0])
    assert [vars(each)["name"] for each in options.aliases or [] if not isinstance(each, str)] == [
        "fileflow-scheduler-download"
    ]


def test_arguments_are_values_and_can_be_compared() -> None:
    assert all(
        dataclasses.is_dataclass(each) or isinstance(each, list) for each in arguments(stack_values("dev"))
    )
