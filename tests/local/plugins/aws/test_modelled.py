"""Types that are tables: every argument and output has its place in the models of the operations named."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import botocore.session
import pytest

from local.plugins.aws import resources, schema
from local.plugins.aws.modelled import Ask, Modelled, names_in, things_in
from local.plugins.aws.places import Places
from local.plugins.aws.resource import Call, names
from local.plugins.aws.session import Aws, Configuration
from tests.local.plugins.aws.plugin import served

TABLES = pytest.mark.parametrize(
    "kind", [pytest.param(kind, id=kind.token) for kind in served() if isinstance(kind, Modelled)]
)
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


def tagged(kind: Modelled) -> set[str]:
    """The arguments and outputs that the operations on tags see to."""
    return {"tags", "tagsAll"} if kind.tags_of(_SESSION.get_service_model(kind.service)) else set()


ARGUMENT = """\
`noun`, `within` and `named` say where AWS has it under another name; what the stand-in needn't
serve is `lacking`, what the state alone keeps is `kept`, what `shaped` sees to `by_hand`."""
CHANGE = "An operation of `changed_by` changes it, or it's `replacing`; what needn't change is `settled`."
OUTPUT = """\
`into` says where the answer has the thing, `named` what AWS calls otherwise, `tags` which operations
are of tags; what the state alone keeps is `kept`, what `told` sees to `by_hand`. An argument that
no operation tells is one of `NEVER_TOLD`."""


def assert_none(missing: set[str], kind: Modelled, shapes: Mapping[str, Any], ways: str) -> None:
    """Tells who writes a table what has no place, what there is, and what can be done."""
    there = [f"{name} has {', '.join(getattr(shape, 'members', ()))}" for name, shape in shapes.items()]
    named = f"no place for {', '.join(sorted(missing))} of {kind.token}"
    assert not missing, "\n".join([named, *there, ways])


def inputs_of(kind: Modelled, *asks: Ask | None) -> dict[str, Any]:
    """What the model of each operation takes."""
    return {ask.operation: shape_of(kind, ask.operation).input_shape for ask in asks if ask}


@TABLES
def test_a_table_stands_where_its_token_is_looked_for(kind: Modelled) -> None:
    service = kind.token.partition(":")[2].partition("/")[0]
    looked_for = f"{resources.__name__}.{service}"
    assert f"{type(kind).__module__}.".startswith(f"{looked_for}."), f"move it to {looked_for}"


@TABLES
def test_every_argument_goes_somewhere(kind: Modelled) -> None:
    operations = inputs_of(kind, kind.made_by, *kind.changed_by, kind.deleted_by)
    known = {*kind.by_hand, *kind.kept, *kind.all_lacking(), "region", "namePrefix"}
    known |= switched_by(kind) | tagged(kind)
    inputs = dict(kind.described.inputs)
    missing = lost(kind, inputs, list(operations.values()), known)
    assert_none(missing, kind, operations, ARGUMENT)


@TABLES
def test_every_argument_that_does_not_replace_can_change(kind: Modelled) -> None:
    operations = inputs_of(kind, *kind.changed_by, kind.deleted_by)
    known = {*kind.by_hand, *kind.kept, *kind.all_lacking(), *kind.settled, "region"}
    known |= switched_by(kind) | tagged(kind)
    known |= {name for name in kind.described.inputs if kind.replaced_by(name, {})}
    inputs = dict(kind.described.inputs)
    missing = lost(kind, inputs, list(operations.values()), known)
    assert_none(missing, kind, operations, CHANGE)


def answers_of(kind: Modelled) -> dict[str, Any]:
    """What the model of each operation that reads has."""
    answers = {}
    for ask in kind.read_by:
        shape = shape_of(kind, ask.operation).output_shape
        for step in filter(None, ask.into.split(".")):
            shape = shape.members[step]
            shape = shape.member if shape.type_name == "list" else shape
        answers[f"{ask.operation}, {ask.into}" if ask.into else ask.operation] = shape
    return answers


NEVER_TOLD = names("""ecr/repository.forceDelete ecs/service.forceNewDeployment kms/key.deletionWindowInDays
    elasticache/replicationGroup.applyImmediately elasticache/replicationGroup.authToken
    elasticache/replicationGroup.authTokenUpdateStrategy elasticache/replicationGroup.finalSnapshotIdentifier
    elasticache/replicationGroup.preferredCacheClusterAzs elasticache/replicationGroup.snapshotArns
    elasticache/replicationGroup.snapshotName rds/instance.allowMajorVersionUpgrade
    rds/instance.applyImmediately rds/instance.deleteAutomatedBackups rds/instance.finalSnapshotIdentifier
    rds/instance.password rds/instance.skipFinalSnapshot s3/bucketObjectv2.content""")
"""The arguments that operations take and none tells: the state keeps the program's, and nobody sees drift."""


@TABLES
def test_every_output_comes_from_somewhere(kind: Modelled) -> None:
    answers = answers_of(kind)
    known = {*kind.by_hand, *kind.kept, *kind.all_lacking(), "region", "namePrefix", kind.end_of_arn}
    outputs = dict(kind.described.outputs)
    missing = lost(kind, outputs, list(answers.values()), known | tagged(kind) | {*names_in(kind.key)})
    short = kind.token.removeprefix("aws:").partition(":")[0]
    never = {path.partition(".")[2] for path in NEVER_TOLD if path.startswith(f"{short}.")}
    assert_none(missing - never, kind, answers, OUTPUT)
    assert never <= missing | kind.kept


@TABLES
def test_every_operation_gets_what_it_requires(kind: Modelled) -> None:
    described = kind.described
    names = {"id", *described.inputs, *described.outputs, *names_in(kind.key), *kind.places.named}
    unmet = set()
    for ask in filter(None, (kind.made_by, *kind.read_by, *kind.changed_by, kind.deleted_by)):
        shape = shape_of(kind, ask.operation).input_shape
        reached = {steps[0] for name in names if (steps := kind.places.find(shape, name))}
        lacks = {*shape.required_members} - reached - ask.fixed.keys()
        unmet |= {f"{ask.operation}.{name}" for name in lacks}
    assert not unmet, "`named` says which argument or output goes there, `fixed` what always does"


@TABLES
def test_the_operations_on_tags_need_what_names_the_thing_besides(kind: Modelled) -> None:
    tags = kind.tags_of(_SESSION.get_service_model(kind.service))
    for operation in filter(None, (tags.reading, tags.setting, tags.removing) if tags else ()):
        things = things_in(shape_of(kind, operation).input_shape)
        assert tags and len(things) == len(names_in(tags.of)), f"{operation} needs {things}: `of` names them"


@TABLES
def test_the_models_or_the_table_say_how_aws_says_that_it_is_not_there(kind: Modelled) -> None:
    aws = Aws(Configuration("ap-northeast-2", "http://127.0.0.1:1"))
    call = Call(aws, aws.region, kind.token, 0, threading.Event())
    assert kind.absence(call), "`missing` names the error codes"


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


RDS = Places("DBInstance DB Master", "Endpoint VpcSecurityGroups", {"log": "EnabledCloudwatchLogsExports"})


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("class", ("DBInstanceClass",)),
        ("username", ("MasterUsername",)),
        ("address", ("Endpoint", "Address")),
        ("endpointPort", ("Endpoint", "Port")),
        ("vpcSecurityGroupIds", ("VpcSecurityGroups", "VpcSecurityGroupId")),
        ("publiclyAccessibleEnabled", ("PubliclyAccessible",)),
        ("engineVersionActual", ("EngineVersion",)),
        ("enabledLog", None),
        ("log", ("EnabledCloudwatchLogsExports",)),
    ],
)
def test_a_place_is_found_by_one_of_the_nouns_and_in_what_holds_it(
    path: str, steps: tuple[str, ...] | None
) -> None:
    shape = model_of("DescribeDBInstances", "rds").output_shape.members["DBInstances"].member
    assert RDS.find(shape, path) == steps


def test_a_table_has_its_keys_in_order_and_says_how_many_there_are() -> None:
    places = Places(named={"hash": "KeySchema.HASH", "range": "KeySchema.RANGE", "many": "KeySchema"})
    shape = model_of("CreateTable", "dynamodb").input_shape
    keys = places.request({"range": "At", "hash": "Lease"}, shape)
    assert [each["KeyType"] for each in keys["KeySchema"]] == ["HASH", "RANGE"]
    kinds = {"hash": "string", "range": "string", "many": "integer"}
    properties = {name: schema.Property(schema.Type(kind)) for name, kind in kinds.items()}
    assert places.outputs(keys, shape, properties) == {"hash": "Lease", "range": "At", "many": 2}


def test_what_aws_does_not_say_is_as_the_table_has_it_unless_the_block_is_off() -> None:
    name, days, there = "pointInTimeRecovery", "recoveryPeriodInDays", "PointInTimeRecoveryDescription"
    answer = model_of("DescribeContinuousBackups", "dynamodb").output_shape
    shape = answer.members["ContinuousBackupsDescription"]
    members = {"enabled": schema.Type("boolean"), days: schema.Type("integer")}
    block = schema.Type("object", properties={each: schema.Property(kind) for each, kind in members.items()})
    for status, expected in (("ENABLED", 35), ("DISABLED", 0)):
        found = {there: {"PointInTimeRecoveryStatus": status}}
        told = Places(named={name: there}).outputs(
            found, shape, {name: schema.Property(block)}, unsaid={f"{name}.{days}": 35}
        )
        assert told[name][days] == expected


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
