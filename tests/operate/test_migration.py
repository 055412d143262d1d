"""What a migration finds, takes over and leaves, without an account."""

from __future__ import annotations

import json
from typing import Any

import pytest

from operate.errors import OperateError
from operate.migration.existing import (
    EGRESS_RULE,
    INGRESS_RULE,
    LOG_GROUP,
    SECURITY_GROUP,
    SERVICE,
    TASK_DEFINITION,
    is_same_rule,
)
from operate.migration.planned import UNKNOWN, Planned, filled_in, planned
from operate.migration.terraform import Managed, managed, owner, removed_blocks, state_rm

STACK = "urn:pulumi:prod::fileflow::"
SCHEDULER = "fileflow:ecs:SchedulerService"
GROUP_URN = f"{STACK}{SCHEDULER}${SECURITY_GROUP}::download-tasks"

IMPORT_FILE = {
    "nameTable": {"docker": "urn"},
    "resources": [
        {"type": SCHEDULER, "name": "download", "component": True},
        {"type": SCHEDULER, "name": "pipeline", "component": True},
        {"type": LOG_GROUP, "name": "download-logs", "id": "<PLACEHOLDER>", "parent": "download"},
        {"type": SECURITY_GROUP, "name": "download-tasks", "id": "<PLACEHOLDER>", "parent": "download"},
        {
            "type": INGRESS_RULE,
            "name": "download-tasksRule",
            "logicalName": "download-tasks",
            "id": "<PLACEHOLDER>",
            "parent": "download-tasks",
        },
        {"type": LOG_GROUP, "name": "pipeline-logs", "id": "<PLACEHOLDER>", "parent": "pipeline"},
    ],
}


def test_an_import_file_keeps_what_has_an_id_and_its_parents() -> None:
    rule = f"{STACK}{SCHEDULER}${SECURITY_GROUP}${INGRESS_RULE}::download-tasks"
    filled = filled_in(IMPORT_FILE, {GROUP_URN: "sg-1", rule: "sgr-1"})
    assert [(each["name"], each.get("id")) for each in filled["resources"]] == [
        ("download", None),
        ("download-tasks", "sg-1"),
        ("download-tasksRule", "sgr-1"),
    ]
    assert filled["nameTable"] == IMPORT_FILE["nameTable"]


def test_a_plan_has_what_would_be_created_and_nothing_that_is_in_the_state() -> None:
    urn = f"{STACK}{LOG_GROUP}::logs"
    state = {"type": LOG_GROUP, "inputs": {"name": "/aws/ecs/a", "retentionInDays": UNKNOWN}}
    steps = [
        {"op": "create", "urn": urn, "newState": state},
        {"op": "same", "urn": f"{STACK}{LOG_GROUP}::other", "newState": state},
    ]
    found = planned({"steps": steps})
    assert list(found) == [urn]
    assert (found[urn].known("name"), found[urn].known("retentionInDays")) == ("/aws/ecs/a", "")


def rule(type_: str, **inputs: Any) -> Planned:
    dependencies = {"referencedSecurityGroupId": [GROUP_URN]} if "group" in inputs else {}
    inputs.pop("group", None)
    return Planned(
        urn=f"{STACK}{type_}::rule", type=type_, name="rule", inputs=inputs, dependencies=dependencies
    )


TCP = {"IsEgress": False, "IpProtocol": "tcp", "FromPort": 9091, "ToPort": 9091, "CidrIpv4": "10.0.0.0/8"}
ALL = {"IsEgress": True, "IpProtocol": "-1", "FromPort": -1, "ToPort": -1, "CidrIpv4": "0.0.0.0/0"}
BY_GROUP = {
    "IsEgress": False,
    "IpProtocol": "tcp",
    "FromPort": 80,
    "ToPort": 80,
    "ReferencedGroupInfo": {"GroupId": "sg-1"},
}
ACTUATOR = {"ipProtocol": "tcp", "fromPort": 9091, "toPort": 9091, "cidrIpv4": "10.0.0.0/8"}


@pytest.mark.parametrize(
    ("wanted", "has", "same"),
    [
        (rule(INGRESS_RULE, **ACTUATOR), TCP, True),
        (rule(EGRESS_RULE, **ACTUATOR), TCP, False),
        (rule(INGRESS_RULE, **{**ACTUATOR, "toPort": 9092}), TCP, False),
        (rule(INGRESS_RULE, **{**ACTUATOR, "cidrIpv4": "10.1.0.0/16"}), TCP, False),
        (rule(EGRESS_RULE, ipProtocol="-1", cidrIpv4="0.0.0.0/0"), ALL, True),
        (rule(INGRESS_RULE, ipProtocol="tcp", fromPort=80, toPort=80, group=True), BY_GROUP, True),
        (rule(INGRESS_RULE, ipProtocol="tcp", fromPort=80, toPort=80), BY_GROUP, False),
    ],
)
def test_a_rule_is_the_same_where_it_lets_the_same_through(
    wanted: Planned, has: dict[str, Any], same: bool
) -> None:
    assert is_same_rule(wanted, has, {GROUP_URN: "sg-1"}) is same


def test_a_rule_for_a_group_that_is_made_anew_is_no_rule_that_is_there() -> None:
    wanted = rule(INGRESS_RULE, ipProtocol="tcp", fromPort=80, toPort=80, group=True)
    assert not is_same_rule(wanted, {**BY_GROUP, "ReferencedGroupInfo": {}}, {})


SERVICE_ATTRIBUTES = {"name": "download", "cluster": "arn:aws:ecs:eu-west-1:1:cluster/main"}
SHOWN = {
    "format_version": "1.0",
    "values": {
        "root_module": {
            "resources": [
                {"address": "data.aws_vpc.main", "mode": "data", "type": "aws_vpc", "values": {}},
                {
                    "address": 'aws_ecs_service.all["download"]',
                    "mode": "managed",
                    "type": "aws_ecs_service",
                    "values": SERVICE_ATTRIBUTES,
                },
            ],
            "child_modules": [
                {
                    "resources": [
                        {
                            "address": 'module.logs["a"].aws_cloudwatch_log_group.this[0]',
                            "mode": "managed",
                            "type": "aws_cloudwatch_log_group",
                            "values": {"name": "/aws/ecs/a"},
                        }
                    ]
                }
            ],
        }
    },
}
PULLED = {
    "version": 4,
    "resources": [
        {"mode": "data", "type": "aws_vpc", "name": "main", "instances": [{"attributes": {}}]},
        {
            "mode": "managed",
            "type": "aws_ecs_service",
            "name": "all",
            "instances": [
                {"index_key": "download", "attributes": SERVICE_ATTRIBUTES},
                {"index_key": "download", "deposed": "00000001", "attributes": {}},
            ],
        },
        {
            "module": 'module.logs["a"]',
            "mode": "managed",
            "type": "aws_cloudwatch_log_group",
            "name": "this",
            "instances": [{"index_key": 0, "attributes": {"name": "/aws/ecs/a"}}],
        },
    ],
}


@pytest.mark.parametrize("state", [SHOWN, PULLED], ids=["terraform show", "terraform state pull"])
def test_both_forms_of_a_terraform_state_say_the_same(state: dict[str, Any]) -> None:
    assert [(each.address, each.attributes) for each in managed(json.dumps(state), "state.json")] == [
        ('aws_ecs_service.all["download"]', SERVICE_ATTRIBUTES),
        ('module.logs["a"].aws_cloudwatch_log_group.this[0]', {"name": "/aws/ecs/a"}),
    ]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 3, "modules": []}', "resource {}"])
def test_what_is_no_terraform_state_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(OperateError, match="terraform show -json"):
        managed(text, "state.json")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_terraform_state_is_read_in_each_encoding_that_a_shell_writes(encoding: str) -> None:
    text = '{"format_version": "1.0"}'
    assert managed(text.encode(encoding), "state.json") == []
    with pytest.raises(OperateError, match="no Terraform state"):
        managed(b"\xff\x00\xd8", "state.json")


def test_the_owner_in_terraform_is_found_by_what_the_thing_is() -> None:
    state = [
        Managed(address="aws_ecs_service.a", type="aws_ecs_service", attributes=SERVICE_ATTRIBUTES),
        Managed(
            address="aws_ecs_task_definition.a", type="aws_ecs_task_definition", attributes={"family": "a"}
        ),
    ]

    def address(type_: str, resource_id: str) -> str | None:
        found = owner(type_, resource_id, state)
        return None if found is None else found.address

    assert address(SERVICE, "main/download") == "aws_ecs_service.a"
    assert address(SERVICE, "main/pipeline") is None
    # Whatever revision runs: what CI has deployed since is the same definition to Terraform.
    assert (
        address(TASK_DEFINITION, "arn:aws:ecs:eu-west-1:1:task-definition/a:7") == "aws_ecs_task_definition.a"
    )


def log_group(address: str) -> Managed:
    return Managed(address=address, type="aws_cloudwatch_log_group", attributes={})


def test_a_removed_block_is_written_where_every_instance_is_taken_over() -> None:
    whole = [log_group(f'module.logs["x[0]"].aws_cloudwatch_log_group.this[{index}]') for index in (0, 1)]
    part = [log_group(f'aws_cloudwatch_log_group.part["{name}"]') for name in ("a", "b")]
    taken = [*whole, part[0]]
    blocks = removed_blocks(taken, [*whole, *part])
    assert blocks == (
        "removed {\n  from = module.logs.aws_cloudwatch_log_group.this\n"
        "  lifecycle {\n    destroy = false\n  }\n}\n"
    )
    assert state_rm([part[0]]) == "terraform state rm 'aws_cloudwatch_log_group.part[\"a\"]'"
