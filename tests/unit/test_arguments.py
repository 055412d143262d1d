"""Every argument reaches a resource: what a field is changed to must be found in what a provider gets.

The tables below name a change for every field of every argument and group. A field without one fails,
so that nothing can be added that is accepted and dropped. A class's values are changed in one run, where
each is looked for, so they are such as nothing else has. A flag can't be found again, and what excludes
another field can't be changed with it: those have a run of their own, in which something that a provider
gets must change.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import itertools
import json
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

import components
from components import options, web_options
from components.alarm_topic import AlarmTopic, AlarmTopicArgs
from components.cluster import Cluster, ClusterArgs
from components.encryption_key import EncryptionKey, EncryptionKeyArgs
from components.flow_logs import FlowLogs
from components.image_repository import ImageRepository, ImageRepositoryArgs
from components.lease import Lease
from components.lease_table import LeaseTable, LeaseTableArgs
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
from components.pause import Pause
from components.scheduler_service import SchedulerService, SchedulerServiceArgs
from components.service_image import Build, LocalImage, ServiceImageArgs
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
    WebAcl,
)
from tests.unit.builders import (
    CERTIFICATE_ARN,
    CLUSTER_ARN,
    IMAGE,
    KEY_ARN,
    LEASE,
    NAMESPACE_ARN,
    PAUSE,
    PLACEMENT,
    POLICY_ARN,
    SECRET_ARN,
    TAGS,
    TOPIC_ARN,
    WEB_ACL_ARN,
    load_balancing,
    scheduler_args,
    web_args,
)
from tests.unit.parts import balancer, image, roles, scaling, task
from tests.unit.recorder import record

Changes = Mapping[str, Any]

CHECK = ContainerHealthCheck(command=["CMD", "/check"])
SIDECAR = Sidecar(
    name="router",
    image=f"{IMAGE[:-2]}01",
    container=ContainerOptions(environment={"LEVEL": "all"}, health_check=CHECK),
    main_waits_for="HEALTHY",
    port=4317,
    memory_mib=95,
    memory_reservation_mib=77,
    firelens="fluentbit",
    router_options={"Name": "cloudwatch_logs"},
)
SCHEDULED = ScheduledScaling(
    name="night", schedule="rate(1 hour)", minimum_count=21, maximum_count=23, timezone="Asia/Seoul"
)
BATCH = IngressRule(description="batch", port=8084, source_cidr_block="10.0.0.0/8")
OFFICE = IngressRule(description="office", port=8085, source_security_group_id="sg-9")
ENCRYPTION_KEY = EncryptionKeyArgs(name="fileflow-prod", topic_name="alarms", log_group_names=["/aws/ecs/a"])
WEB_ACL = WebAcl(name="acl", log_group_name="aws-waf-logs-a")
HEALTH_CHECK = TargetHealthCheck(
    path="/up",
    matcher="204",
    interval_seconds=16,
    timeout_seconds=6,
    healthy_threshold=3,
    unhealthy_threshold=4,
)
ZONE_HTTPS = Https(host_name="files.example.com", hosted_zone_id="Z1")

TASK: Changes = {
    "cluster_arn": f"{CLUSTER_ARN}-2",
    "service_name": "service-two",
    "family": "family-two",
    "image": f"{IMAGE[:-2]}00",
    "placement": Placement(vpc_id="vpc-2", cidr_block="10.9.0.0/16", private_subnet_ids=["subnet-9"]),
    "container_name": "container-two",
    "size": TaskSize(cpu=2048, memory_mib=8192, cpu_architecture="ARM64", ephemeral_storage_gib=30),
    "container": ContainerOptions(
        environment={"MODE": "quiet"},
        secrets={"A": SECRET_ARN},
        environment_file_arns=["arn:aws:s3:::settings/a.env"],
        command=["serve"],
        entry_point=["/app"],
        user="1001",
        repository_credentials=f"{SECRET_ARN[:-6]}z9y8x7",
        writable_paths=[WritablePath(path="/srv", kind="tmpfs", size_mib=65)],
        health_check=ContainerHealthCheck(
            command=["CMD-SHELL", "up"],
            interval_seconds=31,
            timeout_seconds=26,
            retries=9,
            start_period_seconds=121,
        ),
    ),
    "sidecars": [SIDECAR],
    "stop_timeout_seconds": 98,
    "access": TaskAccess(policy_arns=[POLICY_ARN]),
    "log_group_name": "/aws/ecs/log-two",
    "logging": Logging(retention_days=731, kms_key_arn=KEY_ARN, retain_on_delete=True),
    "alarms": Alarms(
        topic_arns=[TOPIC_ARN],
        cpu_percent=51,
        memory_percent=52,
        evaluation_periods=19,
        roll_back_deployments=False,
    ),
    "tags": {**TAGS, "Team": "files"},
    "port": 9999,
}

SCHEDULER: Changes = {
    **TASK,
    "spot_opt_in": True,
    "lease": Lease(
        table_name="other-leases",
        key="other/key",
        guard_image=f"{IMAGE[:-2]}03",
        entry_point=["/other"],
        duration_seconds=83,
    ),
    "paused": PAUSE,
}

WEB: Changes = {
    **TASK,
    "load_balancing": load_balancing(name="another-alb"),
    "autoscaling": Autoscaling(
        minimum_count=13,
        maximum_count=17,
        cpu_percent=53,
        memory_percent=54,
        requests_per_target=500,
        scale_out_cooldown_seconds=61,
        scale_in_cooldown_seconds=301,
        scheduled=[SCHEDULED],
    ),
    "capacity": Capacity(base=15, fargate_weight=16, spot_weight=18),
    "service_connect": ServiceConnect(namespace_arn=NAMESPACE_ARN, discovery_name="api"),
    "ingress": [BATCH, OFFICE],
    "grace_period_seconds": 99,
}


@dataclasses.dataclass(frozen=True)
class Within:
    """The program of the arguments that a group is a field of, or one of: it's changed where they are.

    A group that is one of several has no run of its own here.
    """

    owner: type[Any]
    field: str

    def __call__(self, value: object) -> object:
        """The owner's program with another value for the field."""
        example, program, _ = ARGUMENTS[self.owner]
        return program(dataclasses.replace(example, **{self.field: value}))


BUILD = Build(context=".", dockerfile="Dockerfile")


ARGUMENTS: Mapping[type[Any], tuple[Any, Callable[[Any], object], Changes]] = {
    # class: (an example, the smallest program that it stands in, a change for each field)
    SchedulerServiceArgs: (scheduler_args(), lambda args: SchedulerService("service", args), SCHEDULER),
    Lease: (
        LEASE,
        lambda lease: SchedulerService("service", scheduler_args(lease=lease)),
        {
            **vars(SCHEDULER["lease"]),
            # A part of a word to the guard.
            "duration_seconds": dataclasses.replace(LEASE, duration_seconds=83),
        },
    ),
    Pause: (
        PAUSE,
        lambda pause: SchedulerService("service", scheduler_args(paused=pause)),
        {"since": "2026-11-30T08:00Z", "until": "2026-11-30T14:00Z", "reason": "another"},
    ),
    LeaseTableArgs: (
        LeaseTableArgs(table_name="leases"),
        lambda args: LeaseTable("leases", args),
        {
            "table_name": "other-leases",
            "deletion_protection": False,
            "point_in_time_recovery": True,
            "tags": TAGS,
        },
    ),
    WebApiServiceArgs: (web_args(), lambda args: WebApiService("service", args), WEB),
    TaskSize: (TaskSize(), Within(SchedulerServiceArgs, "size"), vars(TASK["size"])),
    ContainerHealthCheck: (
        CHECK,
        Within(ContainerOptions, "health_check"),
        vars(TASK["container"].health_check),
    ),
    WritablePath: (
        WritablePath(path="/tmp"),
        Within(ContainerOptions, "writable_paths"),
        vars(TASK["container"].writable_paths[0]),
    ),
    ContainerOptions: (
        ContainerOptions(),
        Within(SchedulerServiceArgs, "container"),
        vars(TASK["container"]),
    ),
    Sidecar: (
        Sidecar(name="agent", image=IMAGE, container=ContainerOptions(health_check=CHECK)),
        lambda sidecar: task(sidecars=[sidecar]),
        {**vars(SIDECAR), "essential": True},
    ),
    Logging: (Logging(), Within(SchedulerServiceArgs, "logging"), vars(TASK["logging"])),
    Placement: (PLACEMENT, Within(SchedulerServiceArgs, "placement"), vars(TASK["placement"])),
    Alarms: (Alarms(), Within(SchedulerServiceArgs, "alarms"), vars(TASK["alarms"])),
    TaskAccess: (
        TaskAccess(),
        lambda access: roles(access=access),
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
        ScheduledScaling(name="day", schedule="rate(2 hours)", minimum_count=2, maximum_count=3),
        Within(Autoscaling, "scheduled"),
        vars(SCHEDULED),
    ),
    Autoscaling: (Autoscaling(), scaling, vars(WEB["autoscaling"])),
    Https: (
        ZONE_HTTPS,
        lambda https: balancer(load_balancing(https=https, plain_http=False)),
        {
            "certificate_arn": CERTIFICATE_ARN,
            "host_name": "other.example.com",
            "hosted_zone_id": "Z2",
            "ssl_policy": "ELBSecurityPolicy-TLS13-1-3-2021-06",
        },
    ),
    AccessLogs: (
        AccessLogs(),
        Within(LoadBalancing, "access_logs"),
        {
            "bucket": AccessLogs(bucket="given"),
            "prefix": "by-day",
            "retention_days": 5,
            "version_retention_days": 6,
            "force_destroy": True,
        },
    ),
    IngressRule: (
        IngressRule(description="other", port=8086, source_cidr_block="10.1.0.0/16"),
        Within(WebApiServiceArgs, "ingress"),
        {**vars(BATCH), "source_security_group_id": OFFICE.source_security_group_id},
    ),
    ServiceConnect: (
        ServiceConnect(namespace_arn=f"{NAMESPACE_ARN}2", discovery_name="other"),
        Within(WebApiServiceArgs, "service_connect"),
        vars(WEB["service_connect"]),
    ),
    LoadBalancing: (
        load_balancing(),
        balancer,
        {
            "name": "other",
            "public_subnet_ids": ["subnet-9"],
            "target_group_name": "group-two",
            "https": load_balancing(https=Https(certificate_arn=CERTIFICATE_ARN), plain_http=False),
            "plain_http": load_balancing(https=Https(certificate_arn=CERTIFICATE_ARN), plain_http=False),
            "internal": True,
            "source_cidr_blocks": ["203.0.113.0/24"],
            "deletion_protection": False,
            "access_logs": AccessLogs(prefix="by-day", retention_days=5),
            "idle_timeout_seconds": 61,
            "deregistration_delay_seconds": 31,
            "health_check": HEALTH_CHECK,
            "sticky_seconds": 60,
            "path_patterns": ["/api/*"],
            "host_names": ["files.example.com"],
            "hidden_path_patterns": ["/internal/*"],
            "web_acl_arn": load_balancing(web_acl_arn=WEB_ACL_ARN),
            "web_acl": WEB_ACL,
        },
    ),
    WebAcl: (
        WEB_ACL,
        lambda acl: balancer(load_balancing(web_acl=acl)),
        {
            "name": "another",
            "log_group_name": "aws-waf-logs-b",
            "action": dataclasses.replace(WEB_ACL, action="block"),
            "requests_per_five_minutes": 777,
            "logging": Logging(retention_days=14),
        },
    ),
    TargetHealthCheck: (TargetHealthCheck(), Within(LoadBalancing, "health_check"), vars(HEALTH_CHECK)),
    Capacity: (Capacity(), Within(WebApiServiceArgs, "capacity"), vars(WEB["capacity"])),
    ClusterArgs: (
        ClusterArgs(cluster_name="fileflow-prod", execute_command=True),
        lambda args: Cluster("c", args),
        {
            "cluster_name": "other",
            "container_insights": "enhanced",
            "execute_command": False,
            "retain_session_key_on_delete": False,
            "logging": Logging(retention_days=7),
            "tags": TAGS,
        },
    ),
    NetworkArgs: (
        NetworkArgs(vpc=NewVpc()),
        lambda args: Network("n", args),
        {
            "vpc": NewVpc(cidr_block="10.9.0.0/16"),
            "logging": NetworkArgs(vpc=NewVpc(flow_logs=FlowLogs()), logging=Logging(kms_key_arn=KEY_ARN)),
            "tags": TAGS,
        },
    ),
    NewVpc: (
        NewVpc(),
        lambda vpc: Network("n", NetworkArgs(vpc=vpc)),
        {
            "cidr_block": "10.9.0.0/16",
            "number_of_availability_zones": 3,
            "availability_zone_cidr_mask": NewVpc(availability_zone_cidr_mask=19),
            "nat_gateway_strategy": NewVpc(nat_gateway_strategy="NONE"),
            "vpc_endpoints": True,
            "flow_logs": FlowLogs(),
        },
    ),
    FlowLogs: (
        FlowLogs(),
        lambda logs: Network("n", NetworkArgs(vpc=NewVpc(flow_logs=logs))),
        {"traffic_type": "ALL", "retention_days": 7},
    ),
    ImageRepositoryArgs: (
        ImageRepositoryArgs(repository_name="fileflow", tag_prefixes=["web-api-"]),
        lambda args: ImageRepository("r", args),
        {
            "repository_name": "other",
            "tag_prefixes": ["a-"],
            "kept_versions": 3,
            "force_delete": True,
            "kms_key_arn": KEY_ARN,
            "tags": TAGS,
        },
    ),
    EncryptionKeyArgs: (
        ENCRYPTION_KEY,
        lambda args: EncryptionKey("k", args),
        {
            # Parts of other texts, in which they can't be found alone.
            "name": dataclasses.replace(ENCRYPTION_KEY, name="other"),
            "topic_name": dataclasses.replace(ENCRYPTION_KEY, topic_name="other-alarms"),
            "log_group_names": dataclasses.replace(ENCRYPTION_KEY, log_group_names=["/aws/ecs/b"]),
            "retain_on_delete": False,
            "kept_log_group_name": "/aws/ecs/a",
            "tags": TAGS,
        },
    ),
    AlarmTopicArgs: (
        AlarmTopicArgs(topic_name="alarms", cluster_arn=CLUSTER_ARN),
        lambda args: AlarmTopic("t", args),
        {
            "topic_name": "other",
            "kms_key_arn": KEY_ARN,
            "cluster_arn": AlarmTopicArgs(topic_name="alarms", cluster_arn=f"{CLUSTER_ARN}-2"),
            "emails": ["ops@example.com"],
            "https_endpoints": ["https://example.com"],
            "tags": TAGS,
        },
    ),
    Build: (BUILD, image, {"context": "x", "dockerfile": "y", "target": "z", "build_args": {"A": "quiet"}}),
    LocalImage: (LocalImage(name="a:latest"), image, {"name": "b:latest"}),
}


ROWS = {described.__name__: row for described, row in ARGUMENTS.items()}


def reached(program: Callable[[], object]) -> dict[str, Any]:
    """What providers get."""
    return record(program).custom_inputs()


@functools.cache
def by_example(described: str) -> dict[str, Any]:
    """What providers get for the example of a class."""
    example, program, _ = ROWS[described]
    if isinstance(program, Within) and example == getattr(ARGUMENTS[program.owner][0], program.field):
        return by_example(program.owner.__name__)
    return reached(lambda: program(example))


def texts(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each text and number inside a value, with the keys on the way to it; flags and defaults are none."""
    if isinstance(value, str) and value.startswith(("{", "[")):
        value = json.loads(value)
    if dataclasses.is_dataclass(value):
        value = {
            each.name: getattr(value, each.name)
            for each in dataclasses.fields(value)
            if getattr(value, each.name) not in (each.default, _made(each))
        }
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from texts(each, (*path, key))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts(each, path)
    elif value is not None and not isinstance(value, bool):
        yield path, str(value)


def _made(field: dataclasses.Field[Any]) -> Any:
    """The default that a field makes anew for each instance."""
    return None if field.default_factory is dataclasses.MISSING else field.default_factory()


IMPORTS = {("EncryptionKeyArgs", "kept_log_group_name")}
"""What is only asked about, and imported where it is there: tests/unit/test_encryption_key.py."""


@functools.cache
def marks(described: str) -> Mapping[str, frozenset[str]]:
    """What each change can be found by, for those fields that can be changed together."""
    example, _, changes = ROWS[described]
    found = {
        field: frozenset(text for _, text in texts(value))
        - {text for _, text in texts(getattr(example, field))}
        for field, value in changes.items()
        if not isinstance(value, type(example)) and (described, field) not in IMPORTS
    }
    return {field: own for field, own in found.items() if own}


@functools.cache
def by_all_changes(described: str) -> frozenset[str]:
    """The texts and keys that providers get for all changes together, and not for the example."""
    example, program, changes = ROWS[described]
    if isinstance(program, Within):
        return by_all_changes(program.owner.__name__)
    changed = dataclasses.replace(example, **{field: changes[field] for field in marks(described)})

    def by_key(inputs: Mapping[str, Any]) -> set[tuple[str, tuple[str, ...], str]]:
        return {(urn.split("::")[2], *each) for urn, (values, *_) in inputs.items() for each in texts(values)}

    new = by_key(reached(lambda: program(changed))) - by_key(by_example(described))
    return frozenset(text for _, path, value in new for text in (*path, value))


def is_dropped(described: str, field: str) -> bool:
    """Whether no provider gets anything else when the field is changed."""
    if field in marks(described):
        return not marks(described)[field] & by_all_changes(described)
    example, program, changes = ROWS[described]
    value = changes[field]
    changed = value if isinstance(value, type(example)) else dataclasses.replace(example, **{field: value})
    assert getattr(changed, field) != getattr(example, field), f"{described}.{field} isn't changed"
    return reached(lambda: program(changed)) == by_example(described)


@pytest.mark.parametrize("described", ROWS)
def test_every_field_of_every_argument_reaches_a_resource(described: str) -> None:
    dropped = {(described, field) for field in ROWS[described][2] if is_dropped(described, field)}
    assert dropped <= IMPORTS


def test_no_two_changes_that_are_made_together_are_found_by_the_same() -> None:
    for described in ROWS:
        for (field, own), (other, others) in itertools.combinations(marks(described).items(), 2):
            assert not own & others, (described, field, other)


IMAGE_CHANGES: Changes = {
    "repository": "other",
    "source": LocalImage(name="fileflow-web-api:latest"),
    "tag": "web-api-2",
    "latest_tag": "other-latest",
    "platform": "linux/arm64",
}


def image_inputs(**changes: Any) -> dict[str, Any]:
    """What providers get for an image, without its repository."""
    inputs = reached(lambda: image(**{"source": BUILD, **changes}))
    return {urn: value for urn, value in inputs.items() if "ServiceImage" in urn}


@functools.cache
def example_image() -> dict[str, Any]:
    """What providers get for an image that is built."""
    return image_inputs()


@pytest.mark.parametrize("field", sorted(IMAGE_CHANGES))
def test_every_argument_of_an_image_reaches_a_resource(field: str) -> None:
    key = "repository_name" if field == "repository" else field

    assert image_inputs(**{key: IMAGE_CHANGES[field]}) != example_image()


COVERED: Mapping[type[Any], Changes] = {
    ServiceImageArgs: IMAGE_CHANGES,
    **{described: changes for described, (_, _, changes) in ARGUMENTS.items()},
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


def test_every_field_of_every_argument_is_in_a_table_above() -> None:
    # An existing VPC makes no resource: what it finds is held in test_network.
    for described in set(argument_classes()) - {ExistingVpc}:
        fields = {field.name for field in dataclasses.fields(described)}
        assert set(COVERED.get(described, {})) == fields, described


def test_every_argument_is_frozen_and_named() -> None:
    for described in argument_classes():
        assert described.__dataclass_params__.frozen is True, described
        assert all(field.kw_only for field in dataclasses.fields(described)), described


def test_every_argument_says_what_it_is() -> None:
    # Without a docstring dataclass writes its own: the signature.
    for described in argument_classes():
        assert not (described.__doc__ or "").startswith(f"{described.__name__}("), described


def test_what_decides_how_many_resources_there_are_is_a_plain_value() -> None:
    deciding = {"spot_opt_in", "sidecars", "ingress", "scheduled", "https", "plain_http", "access_logs"}

    found = [field for each in argument_classes() for field in dataclasses.fields(each)]
    assert deciding <= {field.name for field in found}
    assert not [each for each in found if each.name in deciding and "Input[" in str(each.type)]
