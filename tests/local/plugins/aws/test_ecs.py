"""ECS types: clusters, capacity providers, task definitions, services; and the functions about them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.plugins.aws.modelled import Modelled
from local.plugins.aws.resources.ecs.service import is_steady
from local.plugins.aws.resources.ecs.task_definition import same_containers
from tests.local.plugins.aws.case import Aws
from tests.local.plugins.aws.life import Life
from tests.local.plugins.aws.plugin import Plugin, RefusedError
from tests.waiting import eventually


def containers(image: str = "web:1", **more: Any) -> str:
    return json.dumps([{"name": "web", "image": image, "essential": True, **more}])


def definition(plugin: Plugin, family: str = "web", **more: Any) -> Life:
    arguments = {
        "containerDefinitions": containers(portMappings=[{"containerPort": 8080}]),
        "cpu": "256",
        "memory": "512",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
    }
    return Life(plugin, "ecs/taskDefinition:TaskDefinition", family=family, **{**arguments, **more})


@pytest.fixture
def network(aws: Aws) -> dict[str, Any]:
    """The network configuration of a service in the account's default VPC."""
    ec2 = aws("ec2")
    subnets = sorted(subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"])[:2]
    groups = [group["GroupId"] for group in ec2.describe_security_groups()["SecurityGroups"]][:1]
    return {"subnets": subnets, "securityGroups": groups}


# --- task definitions


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({}, {"cpu": 0, "environment": [], "mountPoints": [], "volumesFrom": [], "systemControls": []}),
        (
            {"environment": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]},
            {"environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
        ),
        (
            {"portMappings": [{"containerPort": 80}]},
            {"portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}]},
        ),
        (
            {"healthCheck": {"command": ["CMD", "true"]}},
            {"healthCheck": {"command": ["CMD", "true"], "interval": 30, "timeout": 5, "retries": 3}},
        ),
    ],
)
def test_what_ecs_fills_into_a_container_is_no_difference(left: Any, right: Any) -> None:
    assert same_containers(containers(**left), containers(**right))


@pytest.mark.parametrize(
    "changed",
    [
        {"image": "web:2"},
        {"cpu": 128},
        {"essential": False},
        {"environment": [{"name": "A", "value": "2"}]},
        {"portMappings": [{"containerPort": 81}]},
        {"stopTimeout": 60},
        {"readonlyRootFilesystem": True},
    ],
)
def test_what_a_container_does_otherwise_is_a_difference(changed: Any) -> None:
    assert not same_containers(containers(), json.dumps([{**json.loads(containers())[0], **changed}]))


def test_a_task_definition_makes_revisions_and_is_deregistered(plugin: Plugin, aws: Aws) -> None:
    first = definition(plugin, tags={"a": "1"})
    assert (first.id, first.outputs["revision"]) == ("web", 1)
    assert first.outputs["arn"] == first.outputs["arnWithoutRevision"] + ":1"
    assert first.replaced_by(cpu="512", memory="1024") == ["cpu", "memory"]
    first.change(tags={"a": "2"})
    first.change(skipDestroy=True)
    first.change(skipDestroy=None)
    first.imported(first.outputs["arn"], unknowable=["containerDefinitions"])
    second = definition(plugin)
    assert second.outputs["revision"] == 2
    first.delete()
    assert aws("ecs").list_task_definitions()["taskDefinitionArns"] == [second.outputs["arn"]]
    second.delete()


def test_a_task_definition_that_is_kept_stays_registered(plugin: Plugin, aws: Aws) -> None:
    kept = definition(plugin, skipDestroy=True)
    plugin.delete(kept.token, kept.outputs)
    assert aws("ecs").list_task_definitions()["taskDefinitionArns"] == [kept.outputs["arn"]]


def test_volumes_and_storage_of_a_task_come_back_as_given(plugin: Plugin) -> None:
    life = definition(plugin, volumes=[{"name": "tmp"}], ephemeralStorage={"sizeInGib": 40})
    assert life.outputs["ephemeralStorage"] == {"sizeInGib": 40}
    assert [volume["name"] for volume in life.outputs["volumes"]] == ["tmp"]


# --- services


@pytest.fixture
def service(plugin: Plugin, network: dict[str, Any]) -> Life:
    cluster = Life(plugin, "ecs/cluster:Cluster", "shop")
    Life(
        plugin,
        "ecs/clusterCapacityProviders:ClusterCapacityProviders",
        clusterName=cluster.outputs["name"],
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
    )
    return Life(
        plugin,
        "ecs/service:Service",
        "web",
        cluster=cluster.id,
        taskDefinition=definition(plugin).outputs["arn"],
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration=network,
        deploymentCircuitBreaker={"enable": True, "rollback": True},
        availabilityZoneRebalancing="DISABLED",
    )


def test_a_service_is_changed_in_place(plugin: Plugin, service: Life, network: dict[str, Any]) -> None:
    service.change(desiredCount=2)
    service.change(deploymentMinimumHealthyPercent=0, deploymentMaximumPercent=100)
    service.change(deploymentCircuitBreaker=None)
    service.change(enableExecuteCommand=True, propagateTags="SERVICE")
    service.change(networkConfiguration={**network, "assignPublicIp": True})
    service.change(taskDefinition=definition(plugin).outputs["arn"])
    service.change(tags={"team": "a"})
    service.change(tags=None)
    assert service.replaced_by(launchType="EC2") == ["launchType"]


FARGATE = [{"capacityProvider": "FARGATE", "weight": 1, "base": 0}]
SPOT = [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]


def test_capacity_changes_in_place_where_a_deployment_is_forced(service: Life, aws: Aws) -> None:
    def deployment() -> str:
        found = aws("ecs").describe_services(cluster=service.outputs["cluster"], services=[service.id])
        return str(found["services"][0]["deployments"][0]["id"])

    with pytest.raises(RefusedError, match="force_new_deployment should be true when capacity_provider_str"):
        service.replaced_by(launchType=None, capacityProviderStrategies=SPOT)
    first = deployment()
    # The launch type is AWS's to fill in: taken out of the program it is no change.
    service.change(
        unchanged=["launchType"],
        launchType=None,
        capacityProviderStrategies=FARGATE,
        forceNewDeployment=True,
    )
    assert service.outputs["launchType"] == ""
    assert deployment() != first
    service.change(capacityProviderStrategies=SPOT)
    second = deployment()
    service.change(tags={"team": "a"})
    assert deployment() == second, "tags alone don't deploy"
    service.change(healthCheckGracePeriodSeconds=30)
    assert deployment() != second, "whatever else changes does, since it is forced"


def test_names_instead_of_arns_are_no_difference(plugin: Plugin, service: Life) -> None:
    cluster = service.outputs["cluster"].rpartition("/")[2]
    named = {**service.inputs, "cluster": cluster, "taskDefinition": "web:1"}
    assert plugin.diff(service.token, service.outputs, service.inputs, named).changes == {}
    other = {**service.inputs, "cluster": "other", "taskDefinition": "web:2"}
    assert plugin.diff(service.token, service.outputs, service.inputs, other).replaces == ["cluster"]


def test_subnets_in_another_order_are_no_difference(plugin: Plugin, service: Life) -> None:
    network = service.inputs["networkConfiguration"]
    turned = {**network, "subnets": network["subnets"][::-1]}
    new = {**service.inputs, "networkConfiguration": turned}
    assert plugin.diff(service.token, service.outputs, service.inputs, new).changes == {}


def test_a_count_set_by_hand_is_put_back(service: Life, aws: Aws) -> None:
    aws("ecs").update_service(cluster=service.outputs["cluster"], service=service.id, desiredCount=2)
    assert service.refreshed()[1]["desiredCount"] == 2
    assert service.put_back() == ["desiredCount"]
    assert service.outputs["desiredCount"] == 1


def test_a_service_is_imported_by_cluster_and_name(service: Life) -> None:
    cluster = service.outputs["cluster"].rpartition("/")[2]
    outputs = service.imported(f"{cluster}/{service.outputs['name']}", unknowable=["waitForSteadyState"])
    assert outputs["id"] == service.id


def test_a_deleted_service_is_drained_and_gone(service: Life, aws: Aws) -> None:
    cluster = service.outputs["cluster"]
    service.delete()
    found = aws("ecs").describe_services(cluster=cluster, services=[service.outputs["name"]])["services"]
    assert [s["status"] for s in found] in ([], ["INACTIVE"])


def test_a_service_of_a_cluster_that_is_gone_is_gone(plugin: Plugin, service: Life) -> None:
    state = {**service.outputs, "cluster": "no-such-cluster"}
    assert (
        plugin.read(service.token, service.id, state, {**service.inputs, "cluster": "no-such-cluster"})
        is None
    )


def never_steady(plugin: Plugin, network: dict[str, Any], account: str) -> dict[str, Any]:
    """The inputs of a service that is waited for. Its image isn't there: ECS tries for ever."""
    image = f"{account}.dkr.ecr.ap-northeast-2.amazonaws.com/nothing:1"
    role = f"arn:aws:iam::{account}:role/none"
    missing = definition(plugin, containerDefinitions=containers(image), executionRoleArn=role)
    arguments = {
        "cluster": Life(plugin, "ecs/cluster:Cluster", "shop").id,
        "taskDefinition": missing.outputs["arn"],
        "desiredCount": 1,
        "launchType": "FARGATE",
        "networkConfiguration": network,
        "waitForSteadyState": True,
    }
    return plugin.check("aws:ecs/service:Service", arguments).inputs


def test_waiting_that_times_out_keeps_the_service_and_says_what_did_not_happen(
    plugin: Plugin, network: dict[str, Any], account: str
) -> None:
    inputs = never_steady(plugin, network, account)
    with pytest.raises(RefusedError) as refused:
        plugin.create("aws:ecs/service:Service", inputs, timeout=0.5)
    assert f"a steady state of {inputs['name']} didn't happen within 0.5 s" in refused.value.message
    assert refused.value.details


def test_a_stopped_update_keeps_the_service_that_it_waited_for(
    plugin: Plugin, network: dict[str, Any], account: str
) -> None:
    inputs = never_steady(plugin, network, account)
    plugin.provider.Cancel(None, None)
    with pytest.raises(RefusedError, match="stopped while waiting: a steady state") as refused:
        plugin.create("aws:ecs/service:Service", inputs)
    assert refused.value.details


@pytest.mark.parametrize(
    ("deployments", "running", "steady"),
    [([{"status": "PRIMARY"}], 1, True), ([{}], 0, False), ([{}, {}], 1, False), ([], 0, False)],
)
def test_a_service_that_nothing_was_deployed_to_is_steady_when_one_deployment_runs_what_is_wanted(
    deployments: list[dict[str, str]], running: int, steady: bool
) -> None:
    service = {"deployments": deployments, "runningCount": running, "desiredCount": 1}
    assert is_steady(service) is steady


@pytest.mark.parametrize("over_before_anybody_looks", [False, True])
def test_a_rollout_that_ecs_puts_back_is_a_failed_update(
    plugin: Plugin,
    service: Life,
    aws: Aws,
    monkeypatch: pytest.MonkeyPatch,
    *,
    over_before_anybody_looks: bool,
) -> None:
    service.change(waitForSteadyState=True)
    place = {"cluster": service.outputs["cluster"], "services": [service.id]}

    def completed() -> bool:
        (found,) = aws("ecs").describe_services(**place)["services"]
        return bool(found["deployments"][0]["rolloutState"] == "COMPLETED")

    # A service is rolled back to its last completed deployment alone.
    eventually(completed)
    before = service.outputs["taskDefinition"]
    exits = [{"name": "FILEFLOW_SIMULATE_EXIT", "value": "3"}]
    broken = definition(plugin, containerDefinitions=containers(environment=exits))
    wanted = {**service.inputs, "taskDefinition": broken.outputs["arn"]}

    def newest() -> str:
        listed = aws("ecs").list_service_deployments(
            cluster=service.outputs["cluster"], service=service.outputs["name"]
        )
        return str(listed["serviceDeployments"][0]["status"])

    update = Modelled.update

    def looked_at_late(*arguments: Any) -> str | None:
        answer = update(*arguments)
        eventually(lambda: newest() == "ROLLBACK_SUCCESSFUL")
        return answer

    if over_before_anybody_looks:
        monkeypatch.setattr(Modelled, "update", looked_at_late)
    with pytest.raises(RefusedError, match="tasks failed to start") as refused:
        plugin.update(service.token, service.outputs, service.inputs, wanted)
    assert refused.value.details, "the state is kept, so that the next update goes on from there"
    assert service.refreshed()[0]["taskDefinition"] == before
    assert newest() == "ROLLBACK_SUCCESSFUL"


# --- functions


def test_the_functions_find_what_is_there_and_say_what_is_not(plugin: Plugin, service: Life) -> None:
    cluster, name = service.outputs["cluster"], service.outputs["name"]
    found = plugin.invoke("aws:ecs/getCluster:getCluster", {"clusterName": cluster})
    assert (found["arn"], found["status"]) == (cluster, "ACTIVE")
    described = plugin.invoke("aws:ecs/getService:getService", {"clusterArn": cluster, "serviceName": name})
    assert (described["desiredCount"], described["launchType"]) == (1, "FARGATE")
    assert described["taskDefinition"] == service.inputs["taskDefinition"]
    for token, arguments in (
        ("aws:ecs/getCluster:getCluster", {"clusterName": "nowhere"}),
        ("aws:ecs/getService:getService", {"clusterArn": cluster, "serviceName": "nobody"}),
    ):
        with pytest.raises(RefusedError, match="no ECS"):
            plugin.invoke(token, arguments)
