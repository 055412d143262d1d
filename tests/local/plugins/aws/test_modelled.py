"""Types that are tables: every argument and output has its place in the models of the operations named."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest

from local.plugins.aws import resources, schema
from local.plugins.aws.modelled import Modelled, names_in
from local.plugins.aws.places import Places


def _tables() -> Iterator[Modelled]:
    for module in pkgutil.iter_modules(resources.__path__):
        served = getattr(importlib.import_module(f"{resources.__name__}.{module.name}"), "RESOURCES", ())
        yield from (kind for kind in served if isinstance(kind, Modelled))


TABLES = pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.token) for kind in _tables()])
_SESSION = botocore.session.Session()


def lost(
    kind: Modelled, properties: dict[str, schema.Property], shapes: list[Any], known: set[str]
) -> set[str]:
    """The parts of properties that none of the shapes has a place for, without those that are known."""
    found = set()
    for name, described in properties.items():
        by_shape = [set(kind.places.lost(shape, name, described.type)) for shape in shapes] or [{name}]
        found |= set.intersection(*by_shape)
    return {path for path in found if not any(path == each or path.startswith(f"{each}.") for each in known)}


def shape_of(kind: Modelled, operation: str) -> Any:
    return _SESSION.get_service_model(kind.service).operation_model(operation)


def switched_by(kind: Modelled) -> set[str]:
    """The arguments that an operation takes by what it is, and another by its absence."""
    return {name for ask in kind.changed_by if ask.without for name in ask.only}


@TABLES
def test_every_argument_goes_somewhere(kind: Modelled) -> None:
    operations = [shape_of(kind, ask.operation).input_shape for ask in (kind.made_by, *kind.changed_by)]
    known = kind.by_hand | kind.kept | kind.lacking | {"region", "namePrefix", "tags" if kind.tags else ""}
    known |= switched_by(kind)
    inputs = dict(schema.of_resource(kind.token).inputs)
    assert lost(kind, inputs, operations, set(known)) == set()


@TABLES
def test_every_argument_that_does_not_replace_can_change(kind: Modelled) -> None:
    operations = [shape_of(kind, ask.operation).input_shape for ask in kind.changed_by]
    known = {*kind.by_hand, *kind.kept, *kind.lacking, *kind.replacing, *kind.settled, "region"}
    known |= switched_by(kind)
    inputs = dict(schema.of_resource(kind.token).inputs)
    assert lost(kind, inputs, operations, known | ({"tags"} if kind.tags else set())) == set()


@TABLES
def test_every_output_comes_from_somewhere(kind: Modelled) -> None:
    answers = []
    for ask in kind.read_by:
        shape = shape_of(kind, ask.operation).output_shape
        for step in filter(None, ask.into.split(".")):
            shape = shape.members[step]
            shape = shape.member if shape.type_name == "list" else shape
        answers.append(shape)
    known = kind.by_hand | kind.kept | kind.lacking | {"region", *names_in(kind.key)}
    if kind.tags:
        known |= {"tags", "tagsAll"}
    outputs = dict(schema.of_resource(kind.token).outputs)
    assert lost(kind, outputs, answers, set(known)) == set()


@TABLES
def test_only_arguments_that_the_sdk_has_replace_or_are_lacking(kind: Modelled) -> None:
    inputs = schema.of_resource(kind.token).inputs.keys()
    named = {
        path.partition(".")[0]
        for path in kind.replacing | kind.lacking | kind.sets | set(kind.defaults) | switched_by(kind)
    }
    assert named <= inputs


# --- places


def model_of(operation: str, service: str = "elbv2") -> Any:
    return _SESSION.get_service_model(service).operation_model(operation)


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("port", ("Port",)),
        ("arn", ("TargetGroupArn",)),
        ("slowStart", ("Attributes", "slow_start.duration_seconds")),
        ("nowhere", None),
    ],
)
def test_a_place_is_found_by_name_by_noun_or_as_it_is_named(path: str, steps: tuple[str, ...] | None) -> None:
    places = Places(noun="TargetGroup", named={"slowStart": "Attributes.slow_start.duration_seconds"})
    shapes = [
        model_of(operation).input_shape
        for operation in ("CreateTargetGroup", "ModifyTargetGroup", "ModifyTargetGroupAttributes")
    ]
    assert next(filter(None, (places.find(shape, path) for shape in shapes)), None) == steps


def test_values_go_to_their_places_and_come_back() -> None:
    places = Places(
        named={
            "slow": "Attributes.slow_start.duration_seconds",
            "sticky": "",
            "sticky.on": "Attributes.stickiness.enabled",
        }
    )
    shape = model_of("ModifyTargetGroupAttributes").input_shape
    arguments = {"targetGroupArn": "arn", "slow": 30, "sticky": {"on": True}}
    request = places.request(arguments, shape)
    assert request == {
        "TargetGroupArn": "arn",
        "Attributes": [
            {"Key": "slow_start.duration_seconds", "Value": "30"},
            {"Key": "stickiness.enabled", "Value": "true"},
        ],
    }
    sticky = schema.Type("object", properties={"on": schema.Property(schema.Type("boolean"))})
    properties = {
        "targetGroupArn": schema.Property(schema.Type("string")),
        "slow": schema.Property(schema.Type("integer")),
        "sticky": schema.Property(sticky),
    }
    assert places.outputs(request, shape, properties) == arguments
    assert places.outputs({}, shape, properties) == {"targetGroupArn": "", "slow": 0, "sticky": None}


def test_what_a_model_does_not_admit_is_left_out() -> None:
    shape = model_of("PutMetricAlarm", "cloudwatch").input_shape
    given = {"alarmName": "", "datapointsToAlarm": 0, "unit": "", "alarmDescription": "", "threshold": -1}
    assert Places().request(given, shape) == {"AlarmDescription": "", "Threshold": -1}


def test_ec2_has_lone_values_in_structures_and_what_finds_it_in_filters() -> None:
    places = Places(noun="Vpc", named={"id": "VpcId|Filters.vpc-id"})
    shape = model_of("ModifyVpcAttribute", "ec2").input_shape
    asked = places.request({"id": "vpc-1", "enableDnsSupport": False}, shape)
    assert asked == {"VpcId": "vpc-1", "EnableDnsSupport": {"Value": False}}
    shape = model_of("DescribeRouteTables", "ec2").input_shape
    assert places.request({"id": "vpc-1"}, shape) == {"Filters": [{"Name": "vpc-id", "Values": ["vpc-1"]}]}


def test_of_a_list_the_first_is_told_where_one_is_wanted() -> None:
    shape = model_of("CreateFlowLogs", "ec2").output_shape
    text = {"id": schema.Property(schema.Type("string"))}
    assert Places(noun="FlowLog").outputs({"FlowLogIds": ["fl-1"]}, shape, text) == {"id": "fl-1"}
