"""What a container of an emulated task waits for before it starts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.emulator.ecs_world import LOG_GROUP, World
from tests.waiting import eventually


def needing(name: str, condition: str) -> dict[str, Any]:
    return {"name": "main", "dependsOn": [{"containerName": name, "condition": condition}]}


def log_of(world: World, arn: str, container: str) -> str:
    stream = f"ecs/{container}/{arn.rpartition('/')[2]}"
    events = world.logs.filter_log_events(logGroupName=LOG_GROUP)["events"]
    return "\n".join(each["message"] for each in events if each["logStreamName"] == stream)


@pytest.mark.parametrize("condition", ["SUCCESS", "COMPLETE"])
def test_a_container_that_another_one_waits_for_ends_first_and_the_task_goes_on(
    world: World, condition: str
) -> None:
    arn = world.run(world.define(needing("init", condition), {"name": "init", "essential": False}))

    task = world.ended(arn, "RUNNING")
    assert {each["name"]: each["lastStatus"] for each in task["containers"]}["main"] == "RUNNING"
    assert eventually(lambda: "simulated exit with code 0" in log_of(world, arn, "init"))
    assert world.task(arn)["lastStatus"] == "RUNNING"


def test_a_task_whose_first_container_fails_does_not_start(world: World) -> None:
    fails = [{"name": "FILEFLOW_SIMULATE_EXIT", "value": "3"}]
    arn = world.run(
        world.define(needing("init", "SUCCESS"), {"name": "init", "essential": False, "environment": fails})
    )

    task = world.ended(arn)
    assert task["stopCode"] == "TaskFailedToStart"
    assert "container init ended with exit code 3" in task["stoppedReason"]


def test_a_task_that_waits_for_its_start_makes_room_for_the_revision_that_is_put_in_its_place(
    world: World,
) -> None:
    good = world.register()
    world.create(good)
    world.steady()
    sick = [{"name": "FILEFLOW_SIMULATE_UNHEALTHY", "value": "1"}]
    check = {"command": ["CMD", "check"]}
    proxy = {"name": "proxy", "essential": False, "environment": sick, "healthCheck": check}
    waits = world.define(needing("proxy", "HEALTHY"), proxy)
    world.update(taskDefinition=waits)
    waiting = eventually(lambda: [each for each in world.tasks() if each["taskDefinitionArn"] == waits])
    assert world.service()["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    world.update(taskDefinition=good)
    assert world.steady()["runningCount"] == 1
    assert [each["taskDefinitionArn"] for each in world.tasks()] == [good]
    gone = world.task(waiting[0]["taskArn"])
    assert (gone["lastStatus"], gone["stopCode"]) == ("STOPPED", "ServiceSchedulerInitiated")
    assert gone["stoppedReason"].startswith("Scaling activity initiated by (deployment ")
