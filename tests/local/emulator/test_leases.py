"""A simulated task that works under a lease holds it, as its guard would see to, one task at a time."""

from __future__ import annotations

from typing import Any

import pytest

from components.names import GUARD, LEASE_KEY
from tests.local.emulator.conftest import Client, eventually
from tests.local.emulator.test_ecs import World

TABLE, KEY = "leases", "fileflow-db/download"
ENTRY_POINT = [GUARD, "run", "--table", TABLE, "--key", KEY, "--", "/cnb/process/web"]


@pytest.fixture
def world(client: Client, account: str) -> World:
    return World(client, account)


def make_table(world: World) -> None:
    world.client("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": LEASE_KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": LEASE_KEY, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def lease(world: World) -> Any:
    return world.client("dynamodb").get_item(TableName=TABLE, Key={LEASE_KEY: {"S": KEY}}).get("Item")


def holder(world: World) -> str | None:
    item = lease(world)
    return item["Holder"]["S"] if item and item["Held"]["BOOL"] else None


def test_a_running_task_holds_its_lease_and_the_next_one_has_it_when_that_has_stopped(world: World) -> None:
    make_table(world)
    world.create(world.register(entryPoint=ENTRY_POINT))
    world.steady()
    (first,) = world.tasks()
    assert holder(world) == first["taskArn"]
    fencing = int(lease(world)["Fencing"]["N"])

    (by_hand,) = world.ecs.run_task(
        cluster="fileflow-prod",
        taskDefinition=first["taskDefinitionArn"],
        launchType="FARGATE",
        networkConfiguration=world.network,
    )["tasks"]
    eventually(lambda: len([each for each in world.tasks() if each["lastStatus"] == "RUNNING"]) == 2)
    assert holder(world) == first["taskArn"]

    world.update(desiredCount=0)
    eventually(lambda: holder(world) == by_hand["taskArn"])
    assert int(lease(world)["Fencing"]["N"]) > fencing

    world.ecs.stop_task(cluster="fileflow-prod", task=by_hand["taskArn"])
    eventually(lambda: holder(world) is None)


def test_without_the_table_nobody_holds_a_lease(world: World) -> None:
    world.create(world.register(entryPoint=ENTRY_POINT))
    world.steady()
    make_table(world)

    assert lease(world) is None
