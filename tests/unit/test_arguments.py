"""Every argument reaches a resource: each is changed in turn, and something that a provider gets must change.

The tables below name a change for every field of every argument and group. A field without one fails,
so that nothing can be added that is accepted and dropped.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pulumi
import pytest

import components
from components import options, web_options
from components.alarm_topic import AlarmTopic, AlarmTopicArgs
from components.autoscaling import ScaledService, scale
from components.cluster import Cluster, ClusterArgs
from components.image_repository import ImageRepository, ImageRepositoryArgs
from components.load_balancer import create_load_balancer
from components.network import ExistingVpc, Network, NetworkArgs, NewVpc
from components.options import (
    Alarms,
    ContainerHealthCheck,
    ContainerOptions,
    Logging,
    Placement,
    Sidecar,
    TaskAccess,
    TaskSize,
    WritablePath,
)
from components.scheduler_service import SchedulerService, SchedulerServiceArgs
from components.service_image import Build, LocalImage, ServiceImage, ServiceImageArgs
from components.task import create_task
from components.task_options import TaskOptions
from components.web_api_service import WebApiService, WebApiServiceArgs
from components.web_options import (
    AccessLogs,
    Autoscaling,
    Capacity,
    Https,
    IngressRule,
    LoadBalancing,
    ScheduledScaling,
    ServiceConnect,
    TargetHealthCheck,
)
from tests.unit.builders import (
    CERTIFICATE_ARN,
    CLUSTER_ARN,
    IMAGE,
    KEY_ARN,
    NAMESPACE_ARN,
    PLACEMENT,
    SECRET_ARN,
    TAGS,
    TOPIC_ARN,
    WEB_ACL_ARN,
    load_balancing,
    scheduler_args,
    web_args,
)
from tests.unit.recorder import record

Changes = Mapping[str, Any]

CHECK = ContainerHealthCheck(command=["CMD", "/check"])
SIDECAR = Sidecar(name="agent", image=IMAGE, container=ContainerOptions(health_check=CHECK))
SCHEDULED = ScheduledScaling(name="night", schedule="rate(1 hour)", minimum_count=1, maximum_count=2)
INGRESS = IngressRule(description="batch", port=8084, source_cidr_block="10.0.0.0/8")
CONNECT = ServiceConnect(namespace_arn=NAMESPACE_ARN, discovery_name="api")
ZONE_HTTPS = Https(host_name="files.example.com", hosted_zone_id="Z1")
OWN_BUCKET = AccessLogs()
PATH = WritablePath(path="/tmp", kind="tmpfs")

TASK: Changes = {
    "cluster_arn": f"{CLUSTER_ARN}-2",
    "service_name": "another",
    "family": "another",
    "image": f"{IMAGE[:-2]}00",
    "placement": Placement(vpc_id="vpc-2", cidr_block="10.9.0.0/16", private_subnet_ids=["subnet-9"]),
    "container_name": "another",
    "size": TaskSize(cpu=1024, memory_mib=2048),
    "container": ContainerOptions(environment={"A": "1"}),
    "sidecars": [SIDECAR],
    "stop_timeout_seconds": 99,
    "access": TaskAccess(execute_command=True),
    "log_group_name": "/aws/ecs/another",
    "logging": Logging(retention_days=7),
    "alarms": Alarms(topic_arns=[TOPIC_ARN]),
    "tags": {**TAGS, "Team": "files"},
    "port": 9999,
}

SCHEDULER: Changes = {**TASK, "spot_opt_in": True}

WEB: Changes = {
    **TASK,
    "load_balancing": load_balancing(internal=True),
    "autoscaling": Autoscaling(maximum_count=9),
    "capacity": Capacity(spot_weight=1),
    "service_connect": CONNECT,
    "ingress": [INGRESS],
    "grace_period_seconds": 99,
}

TASK_OPTIONS = TaskOptions(
    cluster_arn=CLUSTER_ARN,
    family="family",
    container_name="app",
    image=IMAGE,
    port=9091,
    size=TaskSize(),
    container=ContainerOptions(),
    sidecars=(),
    stop_timeout_seconds=120,
    access=TaskAccess(),
    log_group_name="/aws/ecs/app",
    logging=Logging(),
    placement=PLACEMENT,
    alarms=Alarms(),
    tags=TAGS,
)


def parent() -> pulumi.ComponentResource:
    """Something to belong to."""
    return pulumi.ComponentResource("example:index:Service", "parent")


def task(**changes: Any) -> object:
    """The part of a service that makes its task; that both services hand everything to it is held above."""
    return create_task("task", dataclasses.replace(TASK_OPTIONS, **changes), parent())


def balance(options: LoadBalancing) -> object:
    """The part of a web API that makes its load balancer."""
    return create_load_balancer("web", options, 8083, "vpc-1", TAGS, parent())


def follow(autoscaling: Autoscaling) -> None:
    """The part of a web API that makes its autoscaling."""
    scaled = ScaledService(
        cluster_arn=CLUSTER_ARN,
        service_name="web",
        load_balancer_arn_suffix="app/a/1",
        target_group_arn_suffix="targetgroup/b/2",
    )
    scale("web", scaled, autoscaling, parent())


GROUPS: Mapping[type[Any], tuple[Any, Callable[[Any], object], Changes]] = {
    # group: (an example, the smallest program that it stands in, a change for each field)
    TaskSize: (
        TaskSize(cpu=1024, memory_mib=4096),
        lambda size: task(size=size),
        {"cpu": 512, "memory_mib": 8192, "cpu_architecture": "ARM64", "ephemeral_storage_gib": 30},
    ),
    ContainerHealthCheck: (
        CHECK,
        lambda check: task(container=ContainerOptions(health_check=check)),
        {
            "command": ["CMD", "/other"],
            "interval_seconds": 31,
            "timeout_seconds": 6,
            "retries": 4,
            "start_period_seconds": 121,
        },
    ),
    WritablePath: (
        PATH,
        lambda path: task(container=ContainerOptions(writable_paths=[path])),
        {"path": "/var", "kind": "volume", "size_mib": 65},
    ),
    ContainerOptions: (
        ContainerOptions(),
        lambda container: task(container=container),
        {
            "environment": {"A": "1"},
            "secrets": {"A": SECRET_ARN},
            "environment_file_arns": ["arn:aws:s3:::settings/a.env"],
            "command": ["serve"],
            "entry_point": ["/app"],
            "user": "1001",
            "writable_paths": [],
            "health_check": CHECK,
        },
    ),
    Sidecar: (
        SIDECAR,
        lambda sidecar: task(sidecars=[sidecar]),
        {
            "name": "other",
            "image": f"{IMAGE[:-2]}00",
            "essential": True,
            "container": ContainerOptions(),
            "main_waits_for": "HEALTHY",
            "port": 4317,
            "memory_reservation_mib": 64,
            "firelens": "fluentbit",
            "router_options": dataclasses.replace(
                SIDECAR, firelens="fluentbit", router_options={"Name": "cloudwatch_logs"}
            ),
        },
    ),
    Logging: (
        Logging(),
        lambda logging: task(logging=logging),
        {"retention_days": 7, "kms_key_arn": KEY_ARN, "retain_on_delete": True},
    ),
    Placement: (
        PLACEMENT,
        lambda placement: SchedulerService("s", scheduler_args(placement=placement)),
        {"vpc_id": "vpc-2", "cidr_block": "10.9.0.0/16", "private_subnet_ids": ["subnet-9"]},
    ),
    Alarms: (
        Alarms(),
        lambda alarms: SchedulerService("s", scheduler_args(alarms=alarms)),
        {
            "topic_arns": [TOPIC_ARN],
            "cpu_percent": 50,
            "memory_percent": 50,
            "evaluation_periods": 9,
            "roll_back_deployments": False,
        },
    ),
    TaskAccess: (
        TaskAccess(),
        lambda access: task(access=access),
        {
            "policy_arns": ["arn:aws:iam::aws:policy/x"],
            "statements": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:::q"}],
            "permissions_boundary_arn": "arn:aws:iam::aws:policy/boundary",
            "secrets_kms_key_arns": [KEY_ARN],
            "execute_command": True,
            "session_kms_key_arn": TaskAccess(execute_command=True, session_kms_key_arn=KEY_ARN),
        },
    ),
    ScheduledScaling: (
        SCHEDULED,
        lambda scheduled: follow(Autoscaling(scheduled=[scheduled])),
        {
            "name": "day",
            "schedule": "rate(2 hours)",
            "minimum_count": 2,
            "maximum_count": 3,
            "timezone": "Asia/Seoul",
        },
    ),
    Autoscaling: (
        Autoscaling(),
        follow,
        {
            "minimum_count": 2,
            "maximum_count": 5,
            "cpu_percent": None,
            "memory_percent": 50,
            "requests_per_target": 5,
            "scale_out_cooldown_seconds": 61,
            "scale_in_cooldown_seconds": 301,
            "scheduled": [SCHEDULED],
        },
    ),
    Https: (
        ZONE_HTTPS,
        lambda https: balance(load_balancing(https=https, plain_http=False)),
        {
            "certificate_arn": CERTIFICATE_ARN,
            "host_name": "other.example.com",
            "hosted_zone_id": "Z2",
            "ssl_policy": "ELBSecurityPolicy-TLS13-1-3-2021-06",
        },
    ),
    AccessLogs: (
        OWN_BUCKET,
        lambda logs: balance(load_balancing(access_logs=logs)),
        {"bucket": "given", "prefix": "web", "retention_days": 5, "force_destroy": True},
    ),
    IngressRule: (
        INGRESS,
        lambda rule: WebApiService("w", web_args(ingress=[rule])),
        {
            "description": "other",
            "port": 8085,
            "source_cidr_block": "10.1.0.0/16",
            "source_security_group_id": dataclasses.replace(
                INGRESS, source_cidr_block=None, source_security_group_id="sg-1"
            ),
        },
    ),
    ServiceConnect: (
        CONNECT,
        lambda connect: WebApiService("w", web_args(service_connect=connect)),
        {"namespace_arn": f"{NAMESPACE_ARN}2", "discovery_name": "other"},
    ),
    TargetHealthCheck: (
        TargetHealthCheck(),
        lambda check: balance(load_balancing(health_check=check)),
        {
            "path": "/up",
            "matcher": "204",
            "interval_seconds": 16,
            "timeout_seconds": 6,
            "healthy_threshold": 3,
            "unhealthy_threshold": 4,
        },
    ),
    LoadBalancing: (
        load_balancing(),
        balance,
        {
            "name": "other",
            "public_subnet_ids": ["subnet-9"],
            "target_group_name": "other",
            "https": load_balancing(https=Https(certificate_arn=CERTIFICATE_ARN), plain_http=False),
            "plain_http": load_balancing(https=Https(certificate_arn=CERTIFICATE_ARN), plain_http=False),
            "internal": True,
            "source_cidr_blocks": ["10.0.0.0/8"],
            "deletion_protection": False,
            "access_logs": OWN_BUCKET,
            "idle_timeout_seconds": 61,
            "deregistration_delay_seconds": 31,
            "health_check": TargetHealthCheck(path="/up"),
            "sticky_seconds": 60,
            "path_patterns": ["/api/*"],
            "host_names": ["files.example.com"],
            "web_acl_arn": WEB_ACL_ARN,
        },
    ),
    Capacity: (
        Capacity(spot_weight=1),
        lambda capacity: WebApiService("w", web_args(capacity=capacity)),
        {"base": 2, "fargate_weight": 2, "spot_weight": 2},
    ),
}


def reached(program: Callable[[], object]) -> dict[str, Any]:
    """What providers get."""
    return record(program).custom_inputs()


@functools.cache
def by_default(service: str) -> dict[str, Any]:
    """What providers get for a service that nothing is changed of."""
    if service == "scheduler":
        return reached(lambda: SchedulerService("service", scheduler_args()))
    return reached(lambda: WebApiService("service", web_args()))


@functools.cache
def by_example(group: str) -> dict[str, Any]:
    """What providers get for the example of a group or of a smaller component's arguments."""
    tables = {**GROUPS, **SMALL}
    [(example, program, _)] = [row for known, row in tables.items() if known.__name__ == group]
    return reached(lambda: program(example))


def cases(table: Mapping[type[Any], tuple[Any, Any, Changes]]) -> list[Any]:
    """A case for each field of each group."""
    return [
        pytest.param(group, field, id=f"{group.__name__}.{field}")
        for group, (_, _, changes) in table.items()
        for field in changes
    ]


@pytest.mark.parametrize("field", sorted(SCHEDULER))
def test_every_argument_of_a_scheduler_reaches_a_resource(field: str) -> None:
    changed = scheduler_args(**{field: SCHEDULER[field]})

    assert reached(lambda: SchedulerService("service", changed)) != by_default("scheduler")


@pytest.mark.parametrize("field", sorted(WEB))
def test_every_argument_of_a_web_api_reaches_a_resource(field: str) -> None:
    changed = web_args(**{field: WEB[field]})

    assert reached(lambda: WebApiService("service", changed)) != by_default("web")


@pytest.mark.parametrize(("group", "field"), cases(GROUPS))
def test_every_field_of_every_group_reaches_a_resource(group: type[Any], field: str) -> None:
    example, program, changes = GROUPS[group]
    value = changes[field]
    # A field that excludes another is changed together with it: the table has the whole group then.
    changed = value if isinstance(value, group) else dataclasses.replace(example, **{field: value})

    assert getattr(changed, field) != getattr(example, field)
    assert reached(lambda: program(changed)) != by_example(group.__name__)


SMALL: Mapping[type[Any], tuple[Any, Callable[[Any], object], Changes]] = {
    ClusterArgs: (
        ClusterArgs(cluster_name="fileflow-prod"),
        lambda args: Cluster("c", args),
        {
            "cluster_name": "other",
            "container_insights": "enhanced",
            "execute_command": True,
            "logging": Logging(retention_days=7),
            "tags": TAGS,
        },
    ),
    NetworkArgs: (
        NetworkArgs(vpc=NewVpc()),
        lambda args: Network("n", args),
        {"vpc": NewVpc(cidr_block="10.9.0.0/16"), "tags": TAGS},
    ),
    NewVpc: (
        NewVpc(),
        lambda vpc: Network("n", NetworkArgs(vpc=vpc)),
        {
            "cidr_block": "10.9.0.0/16",
            "number_of_availability_zones": 3,
            "nat_gateway_strategy": "NONE",
        },
    ),
    ImageRepositoryArgs: (
        ImageRepositoryArgs(repository_name="fileflow", tag_prefixes=["web-api-"]),
        lambda args: ImageRepository("r", args),
        {
            "repository_name": "other",
            "tag_prefixes": ["a-"],
            "kept_versions": 3,
            "force_delete": True,
            "tags": TAGS,
        },
    ),
    AlarmTopicArgs: (
        AlarmTopicArgs(topic_name="alarms", cluster_arn=CLUSTER_ARN),
        lambda args: AlarmTopic("t", args),
        {
            "topic_name": "other",
            "cluster_arn": f"{CLUSTER_ARN}-2",
            "emails": ["ops@example.com"],
            "https_endpoints": ["https://example.com"],
            "tags": TAGS,
        },
    ),
}


@pytest.mark.parametrize(("group", "field"), cases(SMALL))
def test_every_argument_of_the_smaller_components_reaches_a_resource(group: type[Any], field: str) -> None:
    example, create, changes = SMALL[group]
    changed = dataclasses.replace(example, **{field: changes[field]})

    assert reached(lambda: create(changed)) != by_example(group.__name__)


BUILD = Build(context=".", dockerfile="Dockerfile")
IMAGE_CHANGES: Changes = {
    "repository": "other",
    "source": LocalImage(name="fileflow-web-api:latest"),
    "tag": "web-api-2",
    "latest_tag": "other-latest",
    "platform": "linux/arm64",
}
SOURCES: Mapping[type[Any], tuple[Any, Changes]] = {
    Build: (BUILD, {"context": "x", "dockerfile": "x", "target": "x", "build_args": {"A": "1"}}),
    LocalImage: (LocalImage(name="a:latest"), {"name": "b:latest"}),
}


def image_inputs(repository_name: str = "fileflow", **changes: Any) -> dict[str, Any]:
    """What providers get for an image."""

    def program() -> None:
        repository = ImageRepository(
            "r", ImageRepositoryArgs(repository_name=repository_name, tag_prefixes=["web-api-"])
        )
        base = {"source": BUILD, "tag": "web-api-1", "latest_tag": "latest"}
        ServiceImage("i", ServiceImageArgs(repository=repository, **{**base, **changes}))

    inputs = record(program).custom_inputs()
    return {urn: value for urn, value in inputs.items() if "ServiceImage" in urn}


@functools.cache
def example_image() -> dict[str, Any]:
    """What providers get for an image that is built."""
    return image_inputs()


@pytest.mark.parametrize("field", sorted(IMAGE_CHANGES))
def test_every_argument_of_an_image_reaches_a_resource(field: str) -> None:
    value = IMAGE_CHANGES[field]
    changed = image_inputs(value) if field == "repository" else image_inputs(**{field: value})

    assert changed != example_image()


@pytest.mark.parametrize(
    ("source", "field"), [(source, field) for source, (_, changes) in SOURCES.items() for field in changes]
)
def test_every_field_of_an_images_source_reaches_a_resource(source: type[Any], field: str) -> None:
    example, changes = SOURCES[source]
    changed = dataclasses.replace(example, **{field: changes[field]})

    assert image_inputs(source=changed) != image_inputs(source=example)


COVERED: Mapping[type[Any], Changes] = {
    SchedulerServiceArgs: SCHEDULER,
    WebApiServiceArgs: WEB,
    ServiceImageArgs: IMAGE_CHANGES,
    **{group: changes for group, (_, _, changes) in GROUPS.items()},
    **{group: changes for group, (_, _, changes) in SMALL.items()},
    **{source: changes for source, (_, changes) in SOURCES.items()},
}


def argument_classes() -> Iterator[type[Any]]:
    """Every dataclass that a caller of a component fills in."""
    for module_info in pkgutil.iter_modules(components.__path__, "components."):
        module = importlib.import_module(module_info.name)
        for value in vars(module).values():
            if (
                isinstance(value, type)
                and dataclasses.is_dataclass(value)
                and value.__module__ == module.__name__
            ):
                groups = module in (options, web_options)
                if (
                    groups
                    or value.__name__.endswith("Args")
                    or value in (NewVpc, ExistingVpc, Build, LocalImage)
                ):
                    yield value


@pytest.mark.parametrize("described", list(argument_classes()), ids=lambda each: each.__name__)
def test_every_field_of_every_argument_is_in_a_table_above(described: type[Any]) -> None:
    fields = {field.name for field in dataclasses.fields(described)}
    if described is ExistingVpc:
        # It makes no resource: what it finds is held in test_network.
        return

    assert set(COVERED.get(described, {})) == fields


@pytest.mark.parametrize("described", list(argument_classes()), ids=lambda each: each.__name__)
def test_every_argument_is_frozen_and_named(described: type[Any]) -> None:
    parameters = described.__dataclass_params__
    assert parameters.frozen is True
    assert all(field.kw_only for field in dataclasses.fields(described))


@pytest.mark.parametrize("described", list(argument_classes()), ids=lambda each: each.__name__)
def test_every_argument_says_what_it_is(described: type[Any]) -> None:
    # Without a docstring dataclass writes its own: the signature.
    assert not (described.__doc__ or "").startswith(f"{described.__name__}(")


DECIDING = {"spot_opt_in", "sidecars", "ingress", "scheduled", "https", "plain_http", "access_logs"}


@pytest.mark.parametrize("described", list(argument_classes()), ids=lambda each: each.__name__)
def test_what_decides_how_many_resources_there_are_is_a_plain_value(described: type[Any]) -> None:
    for field in dataclasses.fields(described):
        if field.name in DECIDING:
            assert "Input[" not in str(field.type), field.name
