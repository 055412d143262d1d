"""A simulated task that works under a lease holds it, as its guard would see to, one task at a time."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import Any

import pytest

from components.lease import Lease
from components.lease_holder import verify_holder
from components.names import GUARD, LEASE_KEY
from components.rollout import RolledBackError
from local.emulator.process import RunningEmulator
from local.paths import ROOT
from tests.local.emulator.ecs_world import World
from tests.waiting import eventually

TABLE, KEY = "leases", "fileflow-db/download"
ENTRY_POINT = [GUARD, "run", "--table", TABLE, "--key", KEY, "--", "/cnb/process/web"]


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

    by_hand = world.run(first["taskDefinitionArn"])
    eventually(lambda: len([each for each in world.tasks() if each["lastStatus"] == "RUNNING"]) == 2)
    assert holder(world) == first["taskArn"]

    world.update(desiredCount=0)
    eventually(lambda: holder(world) == by_hand)
    assert int(lease(world)["Fencing"]["N"]) > fencing

    world.ecs.stop_task(cluster="fileflow-prod", task=by_hand)
    eventually(lambda: holder(world) is None)


def test_a_rollout_is_done_when_its_task_holds_the_lease_and_not_where_nobody_does(
    world: World, emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", world.account)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    lease = Lease(table_name=TABLE, key=KEY, guard_image=f"example@sha256:{'0' * 64}")
    make_table(world)
    service = world.create(world.register(entryPoint=ENTRY_POINT))
    world.steady()

    def check() -> None:
        asyncio.run(verify_holder(None, service["serviceArn"], "fileflow-prod", lease, 1))

    check()
    world.update(taskDefinition=world.register({"FILEFLOW_SIMULATE_NO_LEASE": "1"}, entryPoint=ENTRY_POINT))
    world.steady()
    with pytest.raises(RolledBackError, match=f"its task runs and waits, since nobody holds the lease {KEY}"):
        check()


def test_without_the_table_nobody_holds_a_lease(world: World) -> None:
    world.create(world.register(entryPoint=ENTRY_POINT))
    world.steady()
    make_table(world)

    assert lease(world) is None


@pytest.mark.parametrize(
    ("version", "is_nobodys"),
    [(None, True), ({"S": ""}, True), ({"N": "1"}, True), ({"S": "session/1"}, False)],
)
def test_what_no_guard_wrote_may_be_overwritten_by_the_guards_own_condition(
    world: World, version: Any, is_nobodys: bool
) -> None:
    found = re.search(r'nobodys = "(.*)"', (ROOT / "guard/table/table.go").read_text())
    assert found is not None
    make_table(world)
    dynamodb = world.client("dynamodb")
    item = {LEASE_KEY: {"S": KEY}}
    dynamodb.put_item(TableName=TABLE, Item=item | ({"Version": version} if version else {}))

    with (
        contextlib.nullcontext()
        if is_nobodys
        else pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException)
    ):
        dynamodb.put_item(
            TableName=TABLE,
            Item=item | {"Version": {"S": "session/2"}},
            ConditionExpression=found[1],
            ExpressionAttributeNames={"#version": "Version"},
            ExpressionAttributeValues={":text": {"S": "S"}, ":empty": {"S": ""}},
        )
