"""The whole program on stack `local` with a real Docker engine: images built, pushed, pinned and running.

Timestamps and events come from the engine, not from the emulated AWS.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from local.containers import local_containers
from local.containers.local_containers import LocalContainers
from local.paths import Paths
from tests.engine.deployment import Deployment
from tests.local.containers.real_engine import ENVIRONMENT, start_or_skip
from tests.waiting import eventually

# One after the other on one deployment.
pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("deployment-on-containers")]

SERVICES = {
    "fileflow-web-api": (8083, "web-api-1.0.0", "latest", "/aws/ecs/fileflow"),
    "fileflow-scheduler-download": (
        9091,
        "download-scheduler-1.0.0",
        "download-scheduler-latest",
        "/aws/ecs/fileflow-scheduler-download",
    ),
    "fileflow-scheduler-pipeline": (
        9092,
        "pipeline-scheduler-1.0.0",
        "pipeline-scheduler-latest",
        "/aws/ecs/fileflow-scheduler-pipeline",
    ),
}
DOWNLOAD = "fileflow-scheduler-download"
CONTAINER_LABEL = "com.amazonaws.ecs.container-name"
INSTALLER = "lease-guard"
MANIFESTS = "application/vnd.docker.distribution.manifest.v2+json"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    copied = Deployment.copy(tmp_path_factory.mktemp("on-containers"))
    environment = {
        name: value
        for name, value in copied.environment.items()
        if name
        not in ("DOCKER_HOST", "FILEFLOW_REGISTRY", "FILEFLOW_CONTAINER_NETWORK", "FILEFLOW_DOCKER_DIR")
    }
    return Deployment(root=copied.root, environment=environment)


@pytest.fixture(scope="module")
def containers(deployment: Deployment) -> Iterator[LocalContainers]:
    """The engine and the registry of `make docker`, and FileFlow deployed in them."""
    folder = local_containers.folder_of(Paths.of({}, deployment.root), ENVIRONMENT)
    # Here first, because this tells a machine that can't from an engine that fails.
    started = start_or_skip(folder)
    try:
        again = deployment.make("docker")
        assert f"export DOCKER_HOST={started.docker_host}" in again.stdout
        up = deployment.up()
        assert up.returncode == 0, up.stdout
        yield started
    finally:
        deployment.down()


@pytest.fixture(scope="module")
def client(containers: LocalContainers) -> Iterator[docker.DockerClient]:
    connected = docker.DockerClient(base_url=containers.docker_host)
    yield connected
    connected.close()


def task(deployment: Deployment, service: str) -> dict[str, Any]:
    """The one running task of a service."""
    ecs = deployment.client("ecs")
    arns = ecs.list_tasks(cluster="fileflow-prod", serviceName=service)["taskArns"]
    assert len(arns) == 1, arns
    return dict(ecs.describe_tasks(cluster="fileflow-prod", tasks=arns)["tasks"][0])


def get(host: str, port: int, path: str, accept: str = "*/*") -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(host, port, timeout=10)
    connection.request("GET", path, headers={"Accept": accept})
    return connection.getresponse()


def running(client: docker.DockerClient) -> list[tuple[str, str]]:
    """The services whose containers run, each with the container's id."""
    label = "com.amazonaws.ecs.task-definition-family"
    return sorted(
        (container.labels[label].removesuffix("-prod"), container.id)
        for container in client.containers.list(filters={"label": label})
        if container.labels[CONTAINER_LABEL] != INSTALLER
    )


def of(service: str, seen: list[tuple[str, str]]) -> list[str]:
    """The containers of one service, among those that run."""
    return [container for name, container in seen if name == service]


def handed_over(client: docker.DockerClient, before: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What runs when another container of the download scheduler is alone."""
    return eventually(
        lambda: running(client),
        lambda seen: len(seen) == len(SERVICES) and of(DOWNLOAD, seen) != of(DOWNLOAD, before),
    )


def story(client: docker.DockerClient, since: float) -> list[tuple[str, str]]:
    """Which containers were told to stop, started and ended, in the engine's order."""
    seen = sorted(events(client, since), key=lambda event: event["timeNano"])
    return [
        (event["Action"], event["id"])
        for event in seen
        if event["Type"] == "container" and event["Action"] in ("kill", "start", "die")
    ]


def events(client: docker.DockerClient, since: float) -> list[dict[str, Any]]:
    """What the engine did, without health checks, and without what puts a guard beside its scheduler."""
    found = client.events(since=since, until=time.time(), decode=True)
    return [
        event
        for event in found
        if not event["Action"].startswith(("exec_", "health_status"))
        and event["Actor"].get("Attributes", {}).get(CONTAINER_LABEL) != INSTALLER
    ]


def test_three_services_answer_in_containers_of_their_own(
    deployment: Deployment, containers: LocalContainers, client: docker.DockerClient
) -> None:
    assert [name for name, _ in running(client)] == sorted(SERVICES)
    for service, (port, *_) in SERVICES.items():
        interface = task(deployment, service)["containers"][0]["networkInterfaces"][0]
        host = "127.0.0.1" if containers.network == "host" else interface["privateIpv4Address"]

        assert json.loads(get(host, port, "/actuator/health").read())["status"] == "UP"
        metrics = get(host, port, "/actuator/prometheus").read().decode()
        assert f'fileflow_stand_in{{application="{service}",stand_in="true"}} 1' in metrics


def test_the_digest_that_runs_is_the_registrys_for_both_tags_and_ecrs(
    deployment: Deployment, containers: LocalContainers
) -> None:
    registry_host, _, registry_port = containers.registry.partition(":")
    for service, (_, version_tag, latest_tag, _) in SERVICES.items():
        running_task = task(deployment, service)
        definition = deployment.client("ecs").describe_task_definition(
            taskDefinition=running_task["taskDefinitionArn"]
        )["taskDefinition"]
        image = definition["containerDefinitions"][0]["image"]
        repository, _, digest = image.partition("@")

        assert repository == "646886795421.dkr.ecr.ap-northeast-2.amazonaws.com/fileflow"
        for tag in (version_tag, latest_tag):
            answer = get(registry_host, int(registry_port), f"/v2/fileflow/manifests/{tag}", MANIFESTS)
            assert answer.getheader("Docker-Content-Digest") == digest
            described = deployment.client("ecr").describe_images(
                repositoryName="fileflow", imageIds=[{"imageTag": tag}]
            )
            assert described["imageDetails"][0]["imageDigest"] == digest


def test_logs_of_the_containers_reach_their_log_groups(
    deployment: Deployment, containers: LocalContainers
) -> None:
    assert containers.registry
    for service, (*_, log_group) in SERVICES.items():

        def messages(group: str = log_group) -> str:
            found = deployment.client("logs").filter_log_events(logGroupName=group)["events"]
            return "\n".join(event["message"] for event in found)

        seen = eventually(messages, lambda text: "Tomcat started on port" in text)
        assert f"[{service}]" in seen


def test_a_second_up_builds_pushes_and_starts_nothing(
    deployment: Deployment, client: docker.DockerClient
) -> None:
    before, since = running(client), time.time()

    up = deployment.make("up")

    assert up.returncode == 0, up.stdout
    assert events(client, since) == []
    assert running(client) == before


def test_a_restarted_scheduler_is_told_to_stop_before_its_successor_starts(
    deployment: Deployment, client: docker.DockerClient
) -> None:
    before, since = running(client), time.time()

    deployment.aws(f"ecs update-service --cluster fileflow-prod --service {DOWNLOAD} --force-new-deployment")
    after = handed_over(client, before)

    assert {name for name, _ in set(after) - set(before)} == {DOWNLOAD}
    [old], [new] = of(DOWNLOAD, before), of(DOWNLOAD, after)
    told = story(client, since)
    assert sorted(told) == sorted([("kill", old), ("start", new), ("die", old)])
    assert told[0] == ("kill", old)


def test_a_task_that_is_run_by_hand_waits_while_the_services_own_has_the_lease(
    deployment: Deployment, client: docker.DockerClient
) -> None:
    first = task(deployment, DOWNLOAD)["taskArn"]
    ecs, service = deployment.client("ecs"), deployment.service(DOWNLOAD)
    started = ecs.run_task(
        cluster="fileflow-prod",
        taskDefinition=service["taskDefinition"],
        launchType="FARGATE",
        networkConfiguration=service["networkConfiguration"],
    )
    second = started["tasks"][0]["taskArn"]
    try:
        said = eventually(
            lambda: log_of(deployment, second), lambda lines: any("waiting" in x for x in lines)
        )
        assert [json.loads(line)["holder"] for line in said] == [first]
        seen = deployment.sourced("python -m operate status download --json")
        assert json.loads(seen.stdout)["services"][0]["lease"]["holder"] == first
    finally:
        ecs.stop_task(cluster="fileflow-prod", task=second)
        eventually(lambda: len(of(DOWNLOAD, running(client))) == 1)
    assert [line for line in log_of(deployment, second) if "Starting" in line] == []


def log_of(deployment: Deployment, task_arn: str) -> list[str]:
    """What the download scheduler's container of a task wrote."""
    group = SERVICES[DOWNLOAD][3]
    found = deployment.client("logs").filter_log_events(logGroupName=group)["events"]
    stream = f"{DOWNLOAD}/{task_arn.rpartition('/')[2]}"
    return [event["message"] for event in found if event["logStreamName"].endswith(stream)]


def test_what_changes_for_one_scheduler_replaces_only_its_container(
    deployment: Deployment, client: docker.DockerClient
) -> None:
    before, since = running(client), time.time()
    settings = deployment.root / "Pulumi.local.yaml"
    settings.write_text(
        settings.read_text().replace(
            "    - name: download\n",
            '    - name: download\n      environment:\n        FILEFLOW_SIMULATE_STOP_SECONDS: "15"\n',
        )
    )

    up = deployment.up()

    assert up.returncode == 0, up.stdout
    after = handed_over(client, before)
    assert {name for name, _ in set(after) - set(before)} == {DOWNLOAD}
    [old], [new] = of(DOWNLOAD, before), of(DOWNLOAD, after)
    told = story(client, since)
    assert sorted(told) == sorted([("kill", old), ("start", new), ("die", old)])
    assert told[0] == ("kill", old)


def test_a_scheduler_that_takes_its_time_to_stop_ends_by_itself_beside_its_successor(
    deployment: Deployment, containers: LocalContainers, client: docker.DockerClient
) -> None:
    """It needs 15 s, and its stop timeout is 120 s: nobody kills it, and nobody waits for it.

    Two can't have one port on the machine's own network: there it is waited for.
    """
    before, since = running(client), time.time()

    deployment.aws(f"ecs update-service --cluster fileflow-prod --service {DOWNLOAD} --force-new-deployment")
    after = handed_over(client, before)

    [old], [new] = of(DOWNLOAD, before), of(DOWNLOAD, after)
    overlapping = [("kill", old), ("start", new), ("die", old)]
    waited_for = [("kill", old), ("die", old), ("start", new)]
    assert story(client, since) == (waited_for if containers.network == "host" else overlapping)
    [ended] = [event for event in events(client, since) if event["Action"] == "die"]
    assert ended["Actor"]["Attributes"]["exitCode"] == "143"


def test_a_scheduler_that_is_restarted_as_the_guide_says_has_really_stopped_before_the_next_one_starts(
    deployment: Deployment, client: docker.DockerClient
) -> None:
    before, since = running(client), time.time()

    done = deployment.sourced("python -m operate restart download")

    assert done.returncode == 0, done.stdout
    after = handed_over(client, before)
    [old], [new] = of(DOWNLOAD, before), of(DOWNLOAD, after)
    assert story(client, since) == [("kill", old), ("die", old), ("start", new)]


def test_another_source_with_the_same_digest_changes_no_service(
    deployment: Deployment, client: docker.DockerClient
) -> None:
    before, since = running(client), time.time()
    settings = deployment.root / "Pulumi.local.yaml"
    lines = settings.read_text().splitlines(keepends=True)
    settings.write_text(
        "".join(
            line.replace("source: build", "source: registry")
            for line in lines
            if not line.strip().startswith(("context:", "dockerfile:"))
        )
    )

    up = deployment.up()

    assert up.returncode == 0, up.stdout
    assert running(client) == before
    assert [event for event in events(client, since) if event["Type"] == "container"] == []


def test_down_leaves_no_container_process_or_engine_behind(
    deployment: Deployment, containers: LocalContainers
) -> None:
    deployment.down()

    folder = local_containers.folder_of(Paths.of({}, deployment.root), ENVIRONMENT)
    assert local_containers.find(folder, ENVIRONMENT) is None
    assert not Path(containers.docker_host.removeprefix("unix://")).exists()
