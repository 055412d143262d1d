"""Other languages' programs say of a component what Python's say, and hear of mistakes in their own words."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pytest

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
from components.scheduler_service import SchedulerService, SchedulerServiceArgs
from components.web_api_service import WebApiServiceArgs
from components.web_options import Autoscaling, Https, IngressRule, ScheduledScaling
from pulumi_package.arguments import arguments_of
from pulumi_package.fields import camel_case, fields_of, outputs_of, reached_from, shape_of
from pulumi_package.provider import COMPONENTS, ComponentPackage
from pulumi_package.schema import names_of
from tests.unit.builders import (
    CERTIFICATE_ARN,
    IMAGE,
    KEY_ARN,
    LEASE,
    POLICY_ARN,
    SECRET_ARN,
    TOPIC_ARN,
    load_balancing,
    scheduler_args,
    web_args,
)
from tests.unit.recorder import record

NAMES = names_of(COMPONENTS)
TOKEN = "fileflow:index:SchedulerService"

SCHEDULER = scheduler_args(
    size=TaskSize(cpu=1024, memory_mib=2048, cpu_architecture="ARM64", ephemeral_storage_gib=30),
    container=ContainerOptions(
        environment={"SPRING_PROFILES_ACTIVE": "prod"},
        secrets={"DB_PASSWORD": SECRET_ARN},
        command=["--once"],
        writable_paths=[WritablePath(path="/tmp", kind="tmpfs", size_mib=128)],
        health_check=ContainerHealthCheck(command=["CMD", "/health-check"], retries=5),
    ),
    sidecars=[Sidecar(name="router", image=IMAGE, firelens="fluentbit", memory_reservation_mib=64)],
    access=TaskAccess(policy_arns=[POLICY_ARN], statements=[{"Effect": "Allow", "Resource": ["*"]}]),
    logging=Logging(retention_days=90, kms_key_arn=KEY_ARN, retain_on_delete=True),
    alarms=Alarms(topic_arns=[TOPIC_ARN], roll_back_deployments=False),
    spot_opt_in=True,
    lease=dataclasses.replace(LEASE, entry_point=["/app"]),
)
WEB_API = web_args(
    load_balancing=load_balancing(plain_http=False, https=Https(certificate_arn=CERTIFICATE_ARN)),
    autoscaling=Autoscaling(
        requests_per_target=500,
        scheduled=[ScheduledScaling(name="day", schedule="rate(1 day)", minimum_count=2, maximum_count=3)],
    ),
    ingress=[IngressRule(description="batch", port=8083, source_cidr_block="10.1.0.0/16")],
)


def as_given(value: Any) -> Any:
    """Arguments as another language's program sends them: by its names, lists, every number a float."""
    if dataclasses.is_dataclass(value):
        fields = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
        return {camel_case(name): as_given(each) for name, each in fields.items() if each is not None}
    if isinstance(value, Mapping):
        return {key: as_given(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [as_given(each) for each in value]
    return float(value) if type(value) is int else value


def mistakes_of(**changes: Any) -> list[str]:
    """What is wrong with a scheduler's arguments after these changes."""
    made, mistakes = arguments_of(SchedulerServiceArgs, {**as_given(scheduler_args()), **changes}, NAMES)
    assert made is None
    return mistakes


@pytest.mark.parametrize("arguments", [SCHEDULER, WEB_API], ids=["scheduler", "web API"])
def test_what_another_language_says_becomes_the_arguments_that_python_says(
    arguments: SchedulerServiceArgs | WebApiServiceArgs,
) -> None:
    made, mistakes = arguments_of(type(arguments), as_given(arguments), NAMES)
    assert mistakes == []
    assert as_given(made) == as_given(arguments)
    assert type(made.size.cpu) is int


def test_what_is_left_out_has_the_components_default() -> None:
    required = ("clusterArn", "serviceName", "family", "image", "port", "placement", "logGroupName")
    given = as_given(scheduler_args(tags={}))
    made, mistakes = arguments_of(SchedulerServiceArgs, {key: given[key] for key in required}, NAMES)
    assert mistakes == []
    assert made == scheduler_args(tags={})


def test_an_output_reaches_the_arguments_where_one_may_stand() -> None:
    def program() -> None:
        output = pulumi.Output.from_input("anything")
        given = {**as_given(SCHEDULER), "image": output}
        given["placement"] = {**given["placement"], "privateSubnetIds": [output]}
        given["access"] = {"statements": [{"Resource": output}]}
        made, mistakes = arguments_of(SchedulerServiceArgs, given, NAMES)
        assert mistakes == []
        assert made.image is output
        assert made.placement.private_subnet_ids == [output]
        assert made.access.statements == [{"Resource": output}]

    record(program)


def test_every_mistake_is_told_at_once_under_its_own_property() -> None:
    mistakes: list[str] = []

    def program() -> None:
        given = as_given(scheduler_args())
        del given["port"]
        given |= {
            "desiredCount": 2.0,
            "family": 7.0,
            "serviceName": pulumi.Output.from_input("later"),
            "size": {"memoryMib": "plenty"},
            "sidecars": [{"name": "router"}],
            "tags": ["a"],
            "container": "nginx",
        }
        mistakes.extend(arguments_of(SchedulerServiceArgs, given, NAMES)[1])

    record(program)
    assert [mistake.partition(";")[0] for mistake in mistakes] == [
        "desiredCount: there is no such argument",
        "serviceName: it decides what is made: a plain value, no output and no secret.",
        "family: it takes a text.",
        "port: it is missing, and there is no default.",
        "size.memoryMib: it takes a whole number.",
        "container: it takes an object with named members.",
        "sidecars[0].image: it is missing, and there is no default.",
        "tags: it takes an object with named members.",
    ]


def test_a_broken_rule_is_told_in_the_words_of_the_program() -> None:
    assert mistakes_of(size={"cpu": 256.0, "memoryMib": 4096.0}) == [
        "size.memoryMib is 4096, but Fargate offers 512, 1024, 2048 MiB with 256 CPU units. "
        "Choose one of these for memoryMib, or another cpu."
    ]
    assert mistakes_of(stopTimeoutSeconds=500.0, port=80.0) == [
        "port is 80, but a port that a non-root container can open is from 1024 to 65535. "
        "Set port within that range.",
        "stopTimeoutSeconds is 500, but Fargate's stop timeout is from 2 to 120. "
        "Set stopTimeoutSeconds within that range.",
    ]


def test_a_mistake_never_shows_a_credential() -> None:
    mistakes = mistakes_of(container={"environment": {"DB_PASSWORD": "hunter2"}})
    assert [mistake.partition(",")[0] for mistake in mistakes] == [
        "container.environment.DB_PASSWORD is [hidden]"
    ]
    assert "hunter2" not in "".join(mistakes)


def test_a_union_that_no_schema_can_say_is_refused() -> None:
    with pytest.raises(TypeError, match="a union"):
        shape_of(int | str)


def test_the_schema_asks_of_each_component_what_its_arguments_ask() -> None:
    schema = json.loads(str(ComponentPackage().schema))
    scheduler = schema["resources"][TOKEN]
    assert "desiredCount" not in scheduler["inputProperties"]
    image, port = (scheduler["inputProperties"][name] for name in ("image", "port"))
    assert (image["type"], image.get("plain")) == ("string", None)
    assert (port["type"], port["plain"]) == ("integer", True)
    for name, (_, arguments) in COMPONENTS.items():
        inputs = schema["resources"][f"fileflow:index:{name}"]["inputProperties"]
        assert list(inputs) == [camel_case(each.name) for each in dataclasses.fields(arguments)]
    referred = {part.partition('"')[0] for part in json.dumps(schema).split('"#/types/')[1:]}
    assert referred == set(schema["types"])


def test_an_editor_shows_what_every_argument_and_output_means() -> None:
    fields = [
        (owner.__name__, field)
        for component, arguments in COMPONENTS.values()
        for owner, found in (
            (component, outputs_of(component)),
            *((group, fields_of(group)) for group in reached_from(arguments)),
        )
        for field in found
    ]
    assert len(fields) > 100
    assert [f"{owner}.{field.name}" for owner, field in fields if not field.description] == []


def test_a_component_is_the_one_that_a_python_program_makes() -> None:
    def construct() -> None:
        ComponentPackage().construct("download", TOKEN, as_given(SCHEDULER))

    def directly() -> None:
        SchedulerService("download", SCHEDULER)

    assert record(construct).custom_inputs() == record(directly).custom_inputs()


def test_bad_arguments_make_nothing_and_name_the_component() -> None:
    def construct() -> None:
        with pytest.raises(pulumi.InputPropertiesError, match="SchedulerService 'download'") as failed:
            ComponentPackage().construct("download", TOKEN, {"port": "x"})
        assert "\nport: it takes a whole number.\n" in failed.value.message
        # The engine would print the value behind a path.
        assert failed.value.errors == []

    assert record(construct).own == []
