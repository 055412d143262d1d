"""ECS's services on the emulated AWS: they come back as they were put, and are refused where AWS refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.emulator.aws import REGION, assert_contains, refusal
from tests.local.emulator.ecs_world import (
    SERVICE,
    World,
    stopped,
)
from tests.waiting import eventually

CREATE_OPTIONS: dict[str, Any] = {
    "availabilityZoneRebalancing": "DISABLED",
    "schedulingStrategy": "REPLICA",
    "deploymentController": {"type": "ECS"},
    "deploymentConfiguration": {
        "minimumHealthyPercent": 50,
        "maximumPercent": 150,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "alarms": {"alarmNames": ["a"], "enable": True, "rollback": True},
    },
    "platformVersion": "1.4.0",
    "propagateTags": "SERVICE",
    "enableECSManagedTags": True,
    "enableExecuteCommand": True,
    "placementConstraints": [],
    "placementStrategy": [],
    "tags": [{"key": "Project", "value": "fileflow"}],
}


def test_every_field_of_a_service_comes_back(world: World) -> None:
    created = world.create(world.register(), **CREATE_OPTIONS)
    for service in (created, world.service("TAGS")):
        assert_contains(service, CREATE_OPTIONS)
        for shown in (service, service["deployments"][0]):
            assert_contains(shown, {"networkConfiguration": world.network, "launchType": "FARGATE"})
        assert (service["platformFamily"], service["deployments"][0]["platformVersion"]) == ("Linux", "1.4.0")
        assert service["roleArn"].endswith("AWSServiceRoleForECS")
    assert "tags" not in world.service()
    world.steady()
    described = world.ecs.describe_tasks(
        cluster="fileflow-prod", tasks=[world.tasks()[0]["taskArn"]], include=["TAGS"]
    )["tasks"][0]
    tags = {tag["key"]: tag["value"] for tag in described["tags"]}
    assert tags == {
        "Project": "fileflow",
        "aws:ecs:clusterName": "fileflow-prod",
        "aws:ecs:serviceName": SERVICE,
    }


def test_defaults_are_those_of_aws(world: World) -> None:
    service = world.create(world.register(), deploymentConfiguration={})
    assert service["availabilityZoneRebalancing"] == "ENABLED"
    assert service["deploymentConfiguration"] == {
        "minimumHealthyPercent": 100,
        "maximumPercent": 200,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
    }
    assert service["platformVersion"] == "LATEST"
    assert service["propagateTags"] == "NONE"
    assert service["enableExecuteCommand"] is False
    assert service["schedulingStrategy"] == "REPLICA"


def test_rebalancing_keeps_its_value_when_an_update_does_not_name_it(world: World) -> None:
    world.create(world.register(), deploymentConfiguration={}, availabilityZoneRebalancing="DISABLED")
    assert world.update(desiredCount=2)["availabilityZoneRebalancing"] == "DISABLED"
    assert world.update(availabilityZoneRebalancing="ENABLED")["availabilityZoneRebalancing"] == "ENABLED"
    code, message = refusal(
        world.update, deploymentConfiguration={"maximumPercent": 100, "minimumHealthyPercent": 0}
    )
    assert code == "InvalidParameterException"
    assert "maximumPercent above 100" in message
    assert world.service()["deploymentConfiguration"]["maximumPercent"] == 200


QUIET_UPDATES: list[dict[str, Any]] = [
    {"enableExecuteCommand": True},
    {"propagateTags": "SERVICE"},
    {"enableECSManagedTags": True},
    {"healthCheckGracePeriodSeconds": 90},
    {"availabilityZoneRebalancing": "DISABLED"},
    {"deploymentConfiguration": {"maximumPercent": 150}},
    {"desiredCount": 1},
]


def test_an_update_of_these_fields_changes_them_without_a_deployment(
    world: World, subtests: pytest.Subtests
) -> None:
    created = world.create(world.register(), deploymentConfiguration={})
    for change in QUIET_UPDATES:
        with subtests.test(**change):
            updated = world.update(**change)
            assert_contains(updated, change)
            assert updated["deploymentConfiguration"]["minimumHealthyPercent"] == 100
            assert [d["id"] for d in updated["deployments"]] == [d["id"] for d in created["deployments"]]


def test_a_capacity_provider_strategy_takes_the_launch_types_place(world: World) -> None:
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    created = world.create(world.register(), launchType=None, capacityProviderStrategy=strategy)
    assert created["capacityProviderStrategy"] == [
        {"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}
    ]
    assert "launchType" not in created
    world.steady()
    (task,) = world.tasks()
    assert (task["launchType"], task["capacityProviderName"]) == ("FARGATE", "FARGATE_SPOT")


def test_capacity_changes_in_place_by_a_forced_deployment_alone(world: World) -> None:
    world.create(world.register())
    first = world.steady()
    spot = [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]
    code, message = refusal(world.update, capacityProviderStrategy=spot)
    assert (code, "you must force a new deployment" in message) == ("InvalidParameterException", True)
    assert world.service()["deployments"][0]["id"] == first["deployments"][0]["id"]
    updated = world.update(capacityProviderStrategy=spot, forceNewDeployment=True)
    assert (updated["status"], updated["capacityProviderStrategy"]) == ("ACTIVE", spot)
    assert "launchType" not in updated
    world.steady()
    (task,) = world.tasks()
    assert task["capacityProviderName"] == "FARGATE_SPOT"
    world.update(capacityProviderStrategy=spot)
    world.update(capacityProviderStrategy=[], forceNewDeployment=True)
    assert world.steady()["launchType"] == "FARGATE"


def test_a_deleted_service_leaves_no_task_and_its_name_is_free_again(world: World) -> None:
    definition = world.register()
    world.create(definition)
    world.steady()
    assert (
        refusal(world.ecs.delete_service, cluster="fileflow-prod", service=SERVICE)[0]
        == "InvalidParameterException"
    )
    world.ecs.delete_service(cluster="fileflow-prod", service=SERVICE, force=True)
    assert world.tasks() == []
    assert world.service()["status"] == "INACTIVE"
    assert refusal(world.update, desiredCount=1)[0] == "ServiceNotActiveException"
    world.create(definition)
    assert world.steady()["status"] == "ACTIVE"


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"cluster": "nowhere"}, "ClusterNotFoundException", "Cluster not found"),
    ({"taskDefinition": "nothing"}, "ClientException", "TaskDefinition not found"),
    ({"networkConfiguration": {}}, "InvalidParameterException", "Network Configuration must be provided"),
    (
        {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-nowhere"]}}},
        "InvalidParameterException",
        "subnet-nowhere",
    ),
    ({"availabilityZoneRebalancing": "ENABLED"}, "InvalidParameterException", "maximumPercent above 100"),
    (
        {"deploymentConfiguration": {"minimumHealthyPercent": 100, "maximumPercent": 100}},
        "InvalidParameterException",
        "no room",
    ),
    (
        {"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]},
        "InvalidParameterException",
        "both a launch type",
    ),
    (
        {"capacityProviderStrategy": [{"capacityProvider": "other"}]},
        "InvalidParameterException",
        "isn't associated with the cluster",
    ),
]


def test_a_service_that_aws_refuses_is_refused(world: World, subtests: pytest.Subtests) -> None:
    definition = world.register()
    for change, code, said in REFUSED:
        with subtests.test(**change):
            got_code, message = refusal(world.create, definition, **change)
            assert got_code == code
            assert said in message
    assert world.ecs.list_services(cluster="fileflow-prod")["serviceArns"] == []


def test_services_of_other_accounts_and_regions_are_not_seen(world: World) -> None:
    world.create(world.register())
    elsewhere = world.client("ecs", region="us-east-1")
    assert elsewhere.list_clusters()["clusterArns"] == []
    assert world.client("ecs", account="999999999999").list_clusters()["clusterArns"] == []
    arn = world.ecs.list_clusters()["clusterArns"][0]
    assert arn == f"arn:aws:ecs:{REGION}:{world.account}:cluster/fileflow-prod"


def test_a_cluster_with_an_active_service_is_not_deleted(world: World) -> None:
    world.create(world.register())
    assert refusal(world.ecs.delete_cluster, cluster="fileflow-prod")[0] == "ClusterContainsServicesException"
    world.steady()
    world.ecs.delete_service(cluster="fileflow-prod", service=SERVICE, force=True)
    assert refusal(world.ecs.delete_cluster, cluster="fileflow-prod")[0] == "ClusterContainsTasksException"
    eventually(lambda: stopped(world))
    assert world.ecs.delete_cluster(cluster="fileflow-prod")["cluster"]["status"] == "INACTIVE"
