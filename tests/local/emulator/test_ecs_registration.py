"""ECS's tasks as targets of load balancers on the emulated AWS."""

from __future__ import annotations

from typing import Any

from tests.local.emulator.aws import refusal
from tests.local.emulator.ecs_world import (
    SERVICE,
    World,
)
from tests.waiting import eventually


def test_a_target_group_must_belong_to_a_load_balancer_and_then_holds_the_tasks(world: World) -> None:
    elb = world.client("elbv2")
    group = world.target_group()
    definition = world.register()
    balancers = [{"targetGroupArn": group, "containerName": SERVICE, "containerPort": 9091}]
    code, message = refusal(world.create, definition, loadBalancers=balancers)
    assert code == "InvalidParameterException"
    assert "does not have an associated load balancer" in message
    world.forward(world.load_balancer(), group)
    wrong = [balancers[0] | {"containerPort": 1}]
    assert "did not have a container port 1" in refusal(world.create, definition, loadBalancers=wrong)[1]
    world.create(definition, loadBalancers=balancers, healthCheckGracePeriodSeconds=60)
    world.steady()
    (task,) = world.tasks()
    address = task["attachments"][0]["details"][-1]["value"]
    (health,) = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert health["Target"] == {"Id": address, "Port": 9091, "AvailabilityZone": task["availabilityZone"]}
    assert health["TargetHealth"]["State"] == "healthy"
    world.update(desiredCount=0)
    eventually(lambda: not elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"])


def test_an_old_task_stays_at_its_own_port_until_the_new_one_has_taken_over(world: World) -> None:
    elb = world.client("elbv2")
    group = world.target_group()
    world.forward(world.load_balancer(), group)

    def ports() -> set[int]:
        described = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {each["Target"]["Port"] for each in described}

    balancers = [{"targetGroupArn": group, "containerName": SERVICE, "containerPort": 9091}]
    start_before_stop = {"minimumHealthyPercent": 100, "maximumPercent": 200}
    world.create(world.register(), loadBalancers=balancers, deploymentConfiguration=start_before_stop)
    world.steady()
    never_stable = {"FILEFLOW_SIMULATE_EXIT": "1", "FILEFLOW_SIMULATE_EXIT_AFTER_SECONDS": "5"}
    port = [{"containerPort": 9191}]
    moved = world.register(never_stable, portMappings=port)
    world.update(taskDefinition=moved, loadBalancers=[balancers[0] | {"containerPort": 9191}])
    assert eventually(lambda: ports() == {9091, 9191})
    well = world.register(portMappings=port)
    world.update(taskDefinition=well)
    world.steady()
    assert eventually(lambda: ports() == {9191})


def test_a_service_cannot_deploy_past_tasks_whose_target_group_is_gone(world: World) -> None:
    elb = world.client("elbv2")
    balancer = world.load_balancer()

    def forward_to_a_new_group(name: str) -> tuple[str, str, list[Any]]:
        group = world.target_group(Name=name)
        listener = world.forward(balancer, group)
        return listener, group, [{"targetGroupArn": group, "containerName": SERVICE, "containerPort": 9091}]

    listener, group, balancers = forward_to_a_new_group("old")
    world.create(world.register(), loadBalancers=balancers)
    world.steady()
    (old,) = world.tasks()
    elb.delete_listener(ListenerArn=listener)
    elb.delete_target_group(TargetGroupArn=group)
    _, _, others = forward_to_a_new_group("new")
    deployment = world.update(loadBalancers=others, taskDefinition=world.register())["deployments"][0]
    assert deployment["rolloutState"] == "IN_PROGRESS"
    assert [task["taskArn"] for task in world.tasks()] == [old["taskArn"]]
    world.ecs.stop_task(cluster="fileflow-prod", task=old["taskArn"])
    world.steady()
    (new,) = world.tasks()
    assert new["taskArn"] != old["taskArn"]
