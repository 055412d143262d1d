"""The life of ECS's tasks on the emulated AWS: network, logs, health, stopping and failing."""

from __future__ import annotations

import ipaddress
from typing import Any

from tests.local.emulator.aws import REGION
from tests.local.emulator.ecs_world import (
    LOG_GROUP,
    SERVICE,
    STOP_BEFORE_START,
    World,
    stopped,
)
from tests.waiting import eventually


def test_a_task_has_a_network_interface_with_an_address_of_its_subnet(world: World) -> None:
    world.create(world.register(), desiredCount=4, deploymentConfiguration={})
    eventually(lambda: len(world.tasks()) == 4 and world.steady())
    addresses, zones = set(), set()
    for task in world.tasks():
        (attachment,) = task["attachments"]
        details = {detail["name"]: detail["value"] for detail in attachment["details"]}
        assert (attachment["type"], attachment["status"]) == ("ElasticNetworkInterface", "ATTACHED")
        address = ipaddress.ip_address(details["privateIPv4Address"])
        third = world.subnets.index(details["subnetId"])
        assert address in ipaddress.ip_network(f"10.20.{third}.0/24")
        (interface,) = task["containers"][0]["networkInterfaces"]
        assert interface == {"attachmentId": attachment["id"], "privateIpv4Address": str(address)}
        (described,) = world.ec2.describe_network_interfaces(
            NetworkInterfaceIds=[details["networkInterfaceId"]]
        )["NetworkInterfaces"]
        assert described["PrivateIpAddress"] == str(address)
        assert [group["GroupId"] for group in described["Groups"]] == [world.group]
        addresses.add(address)
        zones.add(task["availabilityZone"])
    assert len(addresses) == 4
    assert zones == {f"{REGION}a", f"{REGION}c"}
    again = {task["attachments"][0]["details"][-1]["value"] for task in world.tasks()}
    assert again == {str(address) for address in addresses}


def test_a_fargate_task_has_no_container_instance(world: World) -> None:
    world.create(world.register())
    world.steady()
    (task,) = world.tasks()
    assert "containerInstanceArn" not in task
    assert task["platformVersion"] == "1.4.0"
    assert task["startedBy"] == world.service()["deployments"][0]["id"]


def test_at_100_percent_a_successor_runs_while_the_old_task_is_still_stopping(world: World) -> None:
    world.create(world.register({"FILEFLOW_SIMULATE_IGNORE_SIGTERM": "1"}, stopTimeout=5))
    world.steady()
    (old,) = world.tasks()

    world.update(taskDefinition=world.register({"VERSION": "2"}, stopTimeout=5))
    service = world.steady()

    (new,) = world.tasks()
    (stopping,) = world.tasks("STOPPED")
    assert (service["runningCount"], service["pendingCount"], new["lastStatus"]) == (1, 0, "RUNNING")
    assert (stopping["taskArn"], stopping["lastStatus"]) == (old["taskArn"], "STOPPING")
    (ended,) = eventually(lambda: stopped(world))
    assert ended["containers"][0]["exitCode"] == 137
    assert ended["stoppingAt"] <= new["createdAt"] < new["startedAt"] < ended["stoppedAt"]


def test_a_task_that_is_told_to_stop_gets_no_request_any_more(world: World) -> None:
    world.create(world.register())
    world.steady()
    (task,) = world.tasks()
    answered = world.ecs.stop_task(cluster="fileflow-prod", task=task["taskArn"])["task"]
    assert (answered["desiredStatus"], answered["lastStatus"]) == ("STOPPED", "STOPPING")
    assert world.service()["runningCount"] == 0 or world.tasks()[0]["taskArn"] != task["taskArn"]
    (ended,) = eventually(lambda: stopped(world))
    assert ended["stopCode"] == "UserInitiated"
    assert ended["containers"][0]["exitCode"] == 143


def test_a_stopped_task_gives_its_network_interface_back(world: World) -> None:
    world.create(world.register())
    world.steady()
    world.update(desiredCount=0)
    eventually(lambda: not world.tasks())
    (task,) = eventually(lambda: stopped(world))
    assert task["attachments"][0]["status"] == "DELETED"
    assert task["stopCode"] == "ServiceSchedulerInitiated"
    interfaces = world.ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert interfaces == []


def test_each_started_container_writes_one_honest_line_to_its_log_stream(world: World) -> None:
    world.create(world.register())
    world.steady()
    (line,) = eventually(world.log_lines)
    assert "without a container engine" in line
    (task,) = world.tasks()
    (stream,) = world.logs.describe_log_streams(logGroupName=LOG_GROUP)["logStreams"]
    assert stream["logStreamName"] == f"ecs/{SERVICE}/{task['taskArn'].rpartition('/')[2]}"


SAID = {"database": "JDBC", "redis": "Redis", "secrets": "GetSecretValue", "oom": "OutOfMemoryError"}


def test_each_of_the_guides_causes_can_be_simulated(world: World) -> None:
    tasks = [world.run(world.register({"FILEFLOW_SIMULATE_FAILURE": failure})) for failure in SAID]
    assert [world.ended(task)["containers"][0]["exitCode"] for task in tasks] == [1, 1, 1, 1]

    def unsaid() -> list[str]:
        log = "\n".join(world.log_lines())
        return [said for said in SAID.values() if said not in log]

    eventually(lambda: unsaid() == [])


def test_a_container_that_runs_out_of_memory_says_so(world: World) -> None:
    task = world.run(world.register({"FILEFLOW_SIMULATE_OOM": "1"}))
    (container,) = world.ended(task)["containers"]
    assert container["exitCode"] == 137
    assert container["reason"].startswith("OutOfMemoryError")


def test_an_image_that_is_not_in_the_repository_cannot_be_pulled(world: World) -> None:
    world.client("ecr").create_repository(repositoryName="fileflow")
    image = f"{world.account}.dkr.ecr.{REGION}.amazonaws.com/fileflow@sha256:{'0' * 64}"
    task = world.ended(world.run(world.register(image=image)))
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotPullContainerError")


def test_an_image_that_is_in_the_repository_runs(world: World) -> None:
    ecr = world.client("ecr")
    ecr.create_repository(repositoryName="fileflow")
    pushed = ecr.put_image(repositoryName="fileflow", imageManifest='{"schemaVersion": 2}', imageTag="1")[
        "image"
    ]
    digest = pushed["imageId"]["imageDigest"]
    image = f"{world.account}.dkr.ecr.{REGION}.amazonaws.com/fileflow@{digest}"
    world.create(world.register(image=image))
    assert world.steady()["runningCount"] == 1
    assert world.tasks()[0]["containers"][0]["imageDigest"] == digest


def test_a_task_that_keeps_failing_without_a_breaker_does_not_spin(world: World) -> None:
    environment = {"FILEFLOW_SIMULATE_EXIT": "1", "FILEFLOW_SIMULATE_EXIT_AFTER_SECONDS": "0"}
    world.create(world.register(environment), deploymentConfiguration=STOP_BEFORE_START)
    stopped = eventually(lambda: world.tasks("STOPPED"), lambda tasks: len(tasks) >= 5)
    assert world.service()["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    assert len(stopped) < 50


def times_told_of_starts_that_fail(world: World) -> int:
    messages = [each["message"] for each in world.service()["events"]]
    return sum("unable to consistently start tasks" in message for message in messages)


def test_a_task_that_never_starts_makes_the_service_wait_longer_and_say_so_until_another_revision(
    world: World,
) -> None:
    world.logs.delete_log_group(logGroupName=LOG_GROUP)
    world.create(world.register(), deploymentConfiguration=STOP_BEFORE_START)
    eventually(lambda: times_told_of_starts_that_fail(world) == 1, seconds=60)
    assert all(task["stopCode"] == "TaskFailedToStart" for task in world.tasks("STOPPED"))
    world.update(taskDefinition=world.register())
    eventually(lambda: times_told_of_starts_that_fail(world) == 2, seconds=60)


def test_a_failure_counts_for_its_rollout_before_the_service_waits_and_one_that_ran_is_no_failed_start(
    world: World,
) -> None:
    world.create(world.register())
    world.steady()
    patient = {"enable": True, "rollback": True, "thresholdConfiguration": {"type": "COUNT", "value": 100}}
    environment = {"FILEFLOW_SIMULATE_EXIT": "1", "FILEFLOW_SIMULATE_EXIT_AFTER_SECONDS": "0"}
    world.update(
        taskDefinition=world.register(environment),
        deploymentConfiguration=STOP_BEFORE_START | {"deploymentCircuitBreaker": patient},
    )

    def failed() -> list[Any]:
        return [task for task in world.tasks("STOPPED") if task["stopCode"] == "EssentialContainerExited"]

    seen = len(eventually(failed, lambda tasks: len(tasks) >= 12, seconds=60))
    eventually(lambda: world.service()["deployments"][0]["failedTasks"] >= seen, seconds=2)
    assert times_told_of_starts_that_fail(world) == 0
