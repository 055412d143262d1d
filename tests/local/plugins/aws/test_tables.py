"""DynamoDB tables through the stand-in, on the emulated AWS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.plugins.aws.life import Life
from tests.local.plugins.aws.plugin import Plugin

Client = Callable[[str], Any]


@pytest.fixture
def table(plugin: Plugin) -> Life:
    return Life(
        plugin,
        "dynamodb/table:Table",
        name="leases",
        attributes=[{"name": "LeaseKey", "type": "S"}],
        billingMode="PAY_PER_REQUEST",
        hashKey="LeaseKey",
    )


def test_a_tables_settings_change_in_place_and_its_key_does_not(table: Life) -> None:
    assert table.outputs["arn"].endswith(":table/leases")
    assert table.change(tags={"Name": "leases"})["tagsAll"] == {"Name": "leases"}
    assert table.change(deletionProtectionEnabled=True)["deletionProtectionEnabled"] is True
    assert table.change(pointInTimeRecovery={"enabled": True})["pointInTimeRecovery"]["enabled"] is True
    table.change(pointInTimeRecovery={"enabled": False})
    table.change(billingMode="PROVISIONED", readCapacity=2, writeCapacity=1)
    table.imported()
    assert table.replaced_by(hashKey="Other", attributes=[{"name": "Other", "type": "S"}]) == ["hashKey"]
    assert table.replaced_by(name="others") == ["name"]
    table.change(deletionProtectionEnabled=False)
    table.delete()


def test_a_protected_table_is_not_deleted(table: Life) -> None:
    table.change(deletionProtectionEnabled=True)
    with pytest.raises(Exception, match="protect"):
        table.delete()
    table.change(deletionProtectionEnabled=False)
    table.delete()


def test_a_tables_items_are_there_and_conditions_hold(table: Life, aws: Client) -> None:
    dynamodb = aws("dynamodb")
    item = {"LeaseKey": {"S": "database"}, "Version": {"S": "a/1"}}
    free = {
        "ConditionExpression": "attribute_not_exists(#version)",
        "ExpressionAttributeNames": {"#version": "Version"},
    }

    dynamodb.put_item(TableName=table.id, Item=item, **free)
    with pytest.raises(ClientError, match="ConditionalCheckFailedException"):
        dynamodb.put_item(TableName=table.id, Item=item, **free)

    found = dynamodb.get_item(TableName=table.id, Key={"LeaseKey": {"S": "database"}}, ConsistentRead=True)
    assert found["Item"] == item
    table.delete()


def test_what_the_stand_in_lacks_is_refused_by_name(plugin: Plugin) -> None:
    inputs = {
        "attributes": [{"name": "K", "type": "S"}],
        "hashKey": "K",
        "streamEnabled": True,
        "streamViewType": "KEYS_ONLY",
    }

    failures = plugin.check("aws:dynamodb/table:Table", inputs).failures

    assert list(failures) == ["streamEnabled", "streamViewType"]
