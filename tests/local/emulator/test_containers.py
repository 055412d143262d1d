"""Emulated ECS tasks as containers of a real Docker engine; skipped where none can be started."""

from __future__ import annotations

import os
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest

from local.containers import sample
from local.containers.local_containers import LocalContainers
from local.emulator import process
from local.paths import Paths
from tests.local.containers.real_engine import ENVIRONMENT, running
from tests.local.emulator.aws import REGION, Client
from tests.local.emulator.ecs_world import BREAKER, SERVICE, STOP_BEFORE_START, World
from tests.waiting import eventually

HEALTH_CHECK = {
    "command": ["CMD", "/fileflow", "health"],
    "interval": 1,
    "timeout": 3,
    "retries": 2,
    "startPeriod": 60,
}
LONG_SECONDS = 90


@dataclass(frozen=True)
class Images:
    """The sample's images in the local registry, by their digests."""

    containers: LocalContainers
    digests: dict[str, str]

    def of(self, account: str, module: str) -> str:
        return f"{account}.dkr.ecr.{REGION}.amazonaws.com/fileflow@{self.digests[module]}"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Images]:
    folder = tmp_path_factory.mktemp("containers")
    with running(folder) as containers:
        program = sample.ensure(Paths.of(os.environ), os.environ)
        client = docker.DockerClient(base_url=containers.docker_host)
        digests = {}
        for module in ("scheduler-download", "web-api"):
            name = f"{containers.registry}/fileflow"
            client.images.build(
                path=str(program.parent.parent),
                tag=f"{name}:{module}",
                buildargs={"MODULE": f":bootstrap:bootstrap-{module}"},
            )
            client.images.push(name, tag=module)
            digests[module] = client.images.get_registry_data(f"{name}:{module}").id
        client.close()
        yield Images(containers, digests)


@pytest.fixture(scope="module")
def emulator(
    python: Path, images: Images, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[process.RunningEmulator]:
    state_dir = tmp_path_factory.mktemp("emulator")
    environment = {**ENVIRONMENT, **images.containers.variables()}
    yield process.start(python, None, state_dir / "emulator.log", state_dir, environment=environment)
    process.stop(state_dir)


@pytest.fixture
def docker_client(images: Images) -> Iterator[Any]:
    client = docker.DockerClient(base_url=images.containers.docker_host)
    yield client
    client.close()


@pytest.fixture
def world(client: Client, account: str) -> Iterator[World]:
    world = World(client, account)
    yield world
    for arn in world.ecs.list_services(cluster="fileflow-prod")["serviceArns"]:
        world.ecs.delete_service(cluster="fileflow-prod", service=arn, force=True)


def scheduler(world: World, images: Images, environment: dict[str, str] | None = None) -> str:
    return world.register(
        environment,
        image=images.of(world.account, "scheduler-download"),
        user="1000",
        readonlyRootFilesystem=True,
        linuxParameters={"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
        stopTimeout=20,
        healthCheck=HEALTH_CHECK,
    )


def address(task: Any) -> str:
    details = {detail["name"]: detail["value"] for detail in task["attachments"][0]["details"]}
    return str(details["privateIPv4Address"])


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as response:
        return str(response.read().decode())


def test_a_task_answers_at_its_address_and_logs_to_its_group(world: World, images: Images) -> None:
    world.create(scheduler(world, images))
    world.steady(LONG_SECONDS)
    (task,) = world.tasks()
    assert task["healthStatus"] == "HEALTHY"
    assert task["containers"][0]["imageDigest"] == images.digests["scheduler-download"]
    base = f"http://{address(task)}:9091/actuator"
    assert '"status":"UP"' in fetch(f"{base}/health")
    assert "# TYPE" in fetch(f"{base}/prometheus")
    assert any("started on port 9091" in line for line in world.log_lines())
    health = fetch(f"{world.ecs.meta.endpoint_url}/_ministack/health")
    assert '"containers": "docker"' in health


def test_a_successor_starts_while_the_old_container_is_still_stopping_where_each_has_its_address(
    world: World, images: Images, docker_client: Any
) -> None:
    """On the machine's own network two can't share a port, so that the successor waits there."""
    world.create(scheduler(world, images, {"FILEFLOW_SIMULATE_STOP_SECONDS": "6"}))
    world.steady(LONG_SECONDS)
    (before,) = world.tasks()
    since = int(time.time())
    world.update(forceNewDeployment=True)
    seen = set()

    def replaced() -> bool:
        seen.add(len(world.tasks()))
        service = world.service()
        alone = len(service["deployments"]) == 1
        return bool(alone and service["deployments"][0]["rolloutState"] == "COMPLETED")

    eventually(replaced, seconds=LONG_SECONDS)
    (after,) = world.tasks()
    assert seen <= {0, 1}
    eventually(
        lambda: all(each["lastStatus"] == "STOPPED" for each in world.tasks("STOPPED")), seconds=LONG_SECONDS
    )
    moments: dict[tuple[str, str], int] = {}
    until = int(time.time()) + 1
    for event in docker_client.events(since=since, until=until, decode=True, filters={"type": "container"}):
        task = event["Actor"]["Attributes"].get("com.amazonaws.ecs.task-arn", "")
        moments[task, event["Action"]] = event["timeNano"]
    [networks] = {
        tuple(each.attrs["NetworkSettings"]["Networks"])
        for each in docker_client.containers.list()
        if each.labels.get("com.amazonaws.ecs.task-arn") == after["taskArn"]
    }
    ended, started = moments[before["taskArn"], "die"], moments[after["taskArn"], "start"]
    assert (started < ended) == (networks != ("host",))


@pytest.mark.parametrize(
    ("environment", "exit_code", "reason"),
    [
        ({"FILEFLOW_SIMULATE_FAILURE": "database"}, 1, None),
        # Not healthy before the kernel ends it: on a busy machine it would be deployed by then.
        (
            {"FILEFLOW_SIMULATE_OOM": "1", "FILEFLOW_SIMULATE_START_SECONDS": "600"},
            137,
            "OutOfMemoryError",
        ),
    ],
    ids=["database", "memory"],
)
def test_a_container_that_fails_rolls_the_service_back(
    world: World, images: Images, environment: dict[str, str], exit_code: int, reason: str | None
) -> None:
    good = scheduler(world, images)
    world.create(good, deploymentConfiguration=STOP_BEFORE_START | BREAKER)
    world.steady(LONG_SECONDS)
    bad = scheduler(world, images, environment)
    world.update(taskDefinition=bad)
    eventually(lambda: world.service()["taskDefinition"] == good, seconds=LONG_SECONDS)
    world.steady(LONG_SECONDS)
    failed = [task for task in world.tasks("STOPPED") if task["taskDefinitionArn"] == bad]
    assert len(failed) == 3
    for task in failed:
        (container,) = task["containers"]
        assert container["exitCode"] == exit_code
        assert container.get("reason", "").partition(":")[0] == (reason or "")


def test_a_target_is_healthy_once_it_answers(world: World, images: Images) -> None:
    elb = world.client("elbv2")
    group = world.target_group(HealthCheckPath="/actuator/health")
    balancer = world.load_balancer()
    world.forward(balancer, group)
    world.create(
        world.register(
            {"FILEFLOW_SIMULATE_START_SECONDS": "3"},
            image=images.of(world.account, "web-api"),
            portMappings=[{"containerPort": 8083}],
        ),
        loadBalancers=[{"targetGroupArn": group, "containerName": SERVICE, "containerPort": 8083}],
        healthCheckGracePeriodSeconds=60,
    )

    def states(member: str = "State") -> list[str]:
        described = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return [item["TargetHealth"].get(member, "") for item in described]

    eventually(lambda: states() and states() != ["healthy"])
    assert world.service()["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    world.steady(LONG_SECONDS)
    assert states() == ["healthy"]
    request = urllib.request.Request(
        f"{world.ecs.meta.endpoint_url}/actuator/health", headers={"Host": balancer["DNSName"]}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        assert '"status":"UP"' in response.read().decode()
    elb.modify_target_group(TargetGroupArn=group, Matcher={"HttpCode": "204"})
    eventually(lambda: states("Reason") == ["Target.ResponseCodeMismatch"])


def test_an_image_that_the_registry_lacks_cannot_be_pulled(world: World, images: Images) -> None:
    missing = images.of(world.account, "web-api").partition("@")[0] + f"@sha256:{'0' * 64}"
    world.create(world.register(image=missing))
    task = eventually(lambda: world.tasks("STOPPED"), seconds=LONG_SECONDS)[0]
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotPullContainerError")


def test_the_end_of_the_emulator_is_the_end_of_its_containers(
    python: Path, images: Images, tmp_path: Path, docker_client: Any
) -> None:
    import boto3

    environment = {**ENVIRONMENT, **images.containers.variables()}
    running_emulator = process.start(python, None, tmp_path / "log", tmp_path, environment=environment)

    def client(service: str, **_options: Any) -> Any:
        return boto3.client(
            service,
            endpoint_url=running_emulator.url,
            region_name=REGION,
            aws_access_key_id="646886795421",
            aws_secret_access_key="local",
        )

    world = World(client, "646886795421")
    world.create(scheduler(world, images))
    world.steady(LONG_SECONDS)
    (task,) = world.tasks()
    mine = {"label": f"com.amazonaws.ecs.task-arn={task['taskArn']}"}
    assert len(docker_client.containers.list(all=True, filters=mine)) == 1
    process.stop(tmp_path)
    assert docker_client.containers.list(all=True, filters=mine) == []
