"""Deployments of ECS's services on the emulated AWS: they take over, fail and come back as on AWS."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.emulator.ecs_world import (
    FAMILY,
    LOG_GROUP,
    SERVICE,
    World,
)
from tests.waiting import eventually


def test_a_service_reaches_a_steady_state_with_one_running_task(world: World) -> None:
    created = world.create(world.register())
    assert created["status"] == "ACTIVE"
    assert created["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    service = world.steady()
    assert service["runningCount"] == 1
    (deployment,) = service["deployments"]
    assert deployment["status"] == "PRIMARY"
    assert deployment["taskDefinition"].endswith(f"{FAMILY}:1")
    assert (deployment["desiredCount"], deployment["runningCount"], deployment["pendingCount"]) == (1, 1, 0)
    messages = [event["message"] for event in service["events"]]
    assert f"(service {SERVICE}) has reached a steady state." in messages
    assert any("has started 1 tasks: (task " in message for message in messages)
    assert len(world.tasks()) == 1


@pytest.mark.parametrize("change", ["force", "definition"])
def test_a_deployment_at_0_and_100_percent_never_shows_two_tasks(world: World, change: str) -> None:
    world.create(world.register())
    world.steady()
    before = world.tasks()[0]["taskArn"]
    if change == "force":
        world.update(forceNewDeployment=True)
    else:
        world.update(taskDefinition=world.register({"VERSION": "2"}))
    seen = []

    def replaced() -> bool:
        tasks = world.tasks()
        seen.append(len([task for task in tasks if task["lastStatus"] != "STOPPED"]))
        service = world.service()
        return len(service["deployments"]) == 1 and service["deployments"][0]["rolloutState"] == "COMPLETED"

    eventually(replaced)
    assert max(seen) == 1
    (after,) = world.tasks()
    assert after["taskArn"] != before


def test_a_failing_task_rolls_the_service_back_and_says_why(world: World) -> None:
    good = world.register()
    world.create(good)
    world.steady()
    log = "org.postgresql.util.PSQLException: Connection to db:5432 refused"
    bad = world.register({"FILEFLOW_SIMULATE_EXIT": "3", "FILEFLOW_SIMULATE_LOG": log})
    world.update(taskDefinition=bad)
    seen = []

    def rolled_back() -> bool:
        service = world.service()
        seen.append(len(world.tasks()))
        return bool(service["taskDefinition"] == good and len(service["deployments"]) == 1)

    eventually(rolled_back)
    service = world.steady()
    assert max(seen) <= 1
    assert service["taskDefinition"] == service["deployments"][0]["taskDefinition"] == good
    messages = " ".join(event["message"] for event in service["events"])
    assert "deployment failed: tasks failed to start." in messages
    assert "rolling back to deployment ecs-svc/" in messages
    failed = [task for task in world.tasks("STOPPED") if task["taskDefinitionArn"] == bad]
    assert len(failed) == 3
    for task in failed:
        assert task["stopCode"] == "EssentialContainerExited"
        assert task["stoppedReason"] == "Essential container in task exited"
        assert task["containers"][0]["exitCode"] == 3
    assert log in world.log_lines()
    assert "[fileflow emulator] simulated exit with code 3" in eventually(
        lambda: [line for line in world.log_lines() if "simulated exit" in line]
    )
    newest, first = world.service_deployments()
    assert (newest["status"], first["status"]) == ("ROLLBACK_SUCCESSFUL", "SUCCESSFUL")


def test_a_first_deployment_that_fails_stays_failed(world: World) -> None:
    world.create(world.register({"FILEFLOW_SIMULATE_EXIT": "1"}))
    (primary,) = eventually(
        lambda: [d for d in world.service()["deployments"] if d["rolloutState"] == "FAILED"]
    )
    assert primary["status"] == "PRIMARY"
    assert primary["rolloutStateReason"] == "ECS deployment circuit breaker: tasks failed to start."
    assert primary["failedTasks"] == 3
    assert world.tasks() == []


def test_a_task_that_fails_its_health_check_is_replaced_and_rolled_back(world: World) -> None:
    check = {"command": ["CMD-SHELL", "true"]}
    good = world.register(healthCheck=check)
    world.create(good)
    world.steady()
    assert world.tasks()[0]["healthStatus"] == "HEALTHY"
    bad = world.register({"FILEFLOW_SIMULATE_UNHEALTHY": "1"}, healthCheck=check)
    world.update(taskDefinition=bad)
    eventually(lambda: world.service()["taskDefinition"] == good)
    assert world.steady()["runningCount"] == 1
    failed = [task for task in world.tasks("STOPPED") if task["taskDefinitionArn"] == bad]
    assert {task["stoppedReason"] for task in failed} == {"Task failed container health checks"}
    assert len(failed) == 3


def test_an_update_of_the_network_makes_a_new_deployment_once(world: World) -> None:
    created = world.create(world.register())
    world.steady()
    subnet = world.subnets[0]
    network = world.network_in(subnet)
    updated = world.update(networkConfiguration=network)
    assert updated["networkConfiguration"]["awsvpcConfiguration"]["subnets"] == [subnet]
    assert updated["deployments"][0]["id"] != created["deployments"][0]["id"]
    again = world.update(networkConfiguration=network)
    assert again["deployments"][0]["id"] == updated["deployments"][0]["id"]
    world.steady()
    details = {detail["name"]: detail["value"] for detail in world.tasks()[0]["attachments"][0]["details"]}
    assert details["subnetId"] == subnet


def test_a_rollout_without_a_new_revision_that_fails_is_put_back_with_its_network(world: World) -> None:
    first, second = world.subnets
    definition = world.register()
    world.create(definition, networkConfiguration=world.network_in(first))
    before = world.steady()
    # The next task can't start: its log group is gone by then.
    world.logs.delete_log_group(logGroupName=LOG_GROUP)
    world.update(networkConfiguration=world.network_in(second))

    def last() -> Any:
        newest = world.service_deployments()[0]
        return newest if newest["status"].startswith("ROLLBACK") else None

    deployment = eventually(last)
    assert "tasks failed to start" in deployment["statusReason"]
    service = world.service()
    primary = next(each for each in service["deployments"] if each["status"] == "PRIMARY")
    assert primary["id"] == before["deployments"][0]["id"]
    for shown in (service, primary):
        assert shown["networkConfiguration"]["awsvpcConfiguration"]["subnets"] == [first]
    assert service["taskDefinition"] == definition


def test_a_rollback_that_fails_too_ends_the_deployment_and_leaves_the_former_one_successful(
    world: World,
) -> None:
    first, second = world.subnets
    secret = world.client("secretsmanager").create_secret(Name="db", SecretString="x")["ARN"]
    definition = world.register(secrets=[{"name": "DB", "valueFrom": secret}])
    world.create(definition, networkConfiguration=world.network_in(first))
    world.steady()
    world.client("secretsmanager").delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
    world.update(networkConfiguration=world.network_in(second))

    def statuses() -> list[str]:
        found = [str(each["status"]) for each in world.service_deployments()]
        return found if "IN_PROGRESS" not in found[0] else []

    assert eventually(statuses) == ["ROLLBACK_FAILED", "SUCCESSFUL"]
    assert world.tasks() == []


def test_service_connect_shows_in_the_deployment(world: World) -> None:
    connect = {
        "enabled": True,
        "namespace": "fileflow",
        "services": [{"portName": "http", "clientAliases": [{"port": 8083}]}],
    }
    mapping = [{"containerPort": 8083, "name": "http", "appProtocol": "http"}]
    service = world.create(world.register(portMappings=mapping), serviceConnectConfiguration=connect)
    deployment = service["deployments"][0]
    assert deployment["serviceConnectConfiguration"] == connect
    assert deployment["serviceConnectResources"][0]["discoveryName"] == "http"
