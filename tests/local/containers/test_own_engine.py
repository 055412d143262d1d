"""A real Docker engine and registry of a clone's own: what runs in them, and what they leave behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import docker
import pytest

from local import processes
from local.containers import docker_engine, engine_api, local_containers, programs, registry, sample
from local.containers.local_containers import LocalContainers
from local.emulator.process import process_start
from local.paths import ROOT, Paths
from tests.local.containers.real_engine import ENVIRONMENT, running, start_or_skip
from tests.waiting import eventually

# One engine for all.
pytestmark = pytest.mark.xdist_group("own-engine")
MODULES = ("web-api", "scheduler-download", "scheduler-pipeline")


@pytest.fixture(scope="module")
def client(containers: LocalContainers) -> Iterator[docker.DockerClient]:
    connected = docker.DockerClient(base_url=containers.docker_host)
    yield connected
    connected.close()


@pytest.fixture(scope="module")
def images(client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The sample image of each module, built without a network."""
    root = tmp_path_factory.mktemp("clone")
    context = root / "local" / "sample"
    shutil.copytree(ROOT / "local" / "sample", context, ignore=shutil.ignore_patterns("bin"))
    sample.ensure(Paths(root=root, local=root, cache=Paths.of(os.environ).cache), os.environ)
    return {
        module: client.images.build(
            path=str(context),
            tag=f"sample:{module}",
            buildargs={"MODULE": f":bootstrap:bootstrap-{module}"},
            network_mode="none",
        )[0]
        for module in MODULES
    }


def test_starting_again_returns_what_runs(folder: Path, containers: LocalContainers) -> None:
    before = programs.find(folder, docker_engine.PROGRAM), programs.find(folder, registry.PROGRAM)

    # A shell may have sourced the variables.
    for environment in (ENVIRONMENT, {**ENVIRONMENT, **containers.variables()}):
        assert local_containers.start(folder, environment) == containers
        assert local_containers.find(folder, environment) == containers
        assert local_containers.use(folder, environment) == containers
    assert (programs.find(folder, docker_engine.PROGRAM), programs.find(folder, registry.PROGRAM)) == before
    assert None not in before


def test_status_names_both_where_no_emulated_aws_runs(
    folder: Path, containers: LocalContainers, tmp_path: Path
) -> None:
    own = {"FILEFLOW_DOCKER_DIR": str(folder), "FILEFLOW_LOCAL_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "local", "status"]
    told = subprocess.run(
        command, cwd=ROOT, env=ENVIRONMENT | own, capture_output=True, text=True, check=False
    )

    both = f"Docker engine: {containers.docker_host}, registry: {containers.registry}"
    assert (told.returncode, told.stdout.splitlines()) == (1, [both, "No emulated AWS runs."])


def test_two_containers_with_one_port_run_at_once(
    client: docker.DockerClient, containers: LocalContainers, images: dict[str, Any]
) -> None:
    if containers.network == "host":
        pytest.skip("this kernel has no bridges, so containers share the machine's ports")

    def answer(container: Any) -> int:
        container.reload()
        host = container.attrs["NetworkSettings"]["Networks"][containers.network]["IPAddress"]
        try:
            with urllib.request.urlopen(f"http://{host}:8083/actuator/health", timeout=5) as response:
                return int(response.status)
        except OSError:
            return 0

    started = [
        client.containers.run(images["web-api"], detach=True, network=containers.network) for _ in range(2)
    ]
    try:
        for container in started:
            assert eventually(partial(answer, container)) == 200
    finally:
        for container in started:
            container.remove(force=True, v=True)


def test_the_image_has_the_posture_that_the_tasks_expect(images: dict[str, Any]) -> None:
    config = images["web-api"].attrs["Config"]

    assert config["User"] == "1000:1000"
    assert list(config["Volumes"]) == ["/tmp"]
    assert config["Healthcheck"]["Test"] == ["CMD", "/fileflow", "health"]
    assert config["Labels"]["fileflow.gradle-module"] == ":bootstrap:bootstrap-web-api"
    assert config["Labels"]["fileflow.stand-in"] == "true"


def test_the_three_images_share_the_programs_layer(images: dict[str, Any]) -> None:
    layers = {image.attrs["RootFS"]["Layers"][0] for image in images.values()}

    assert len(layers) == 1
    assert len({image.id for image in images.values()}) == 3


def test_stop_leaves_nothing_but_images_and_the_other_engine_alone(
    containers: LocalContainers, tmp_path: Path
) -> None:
    folder = tmp_path / "containers"
    started = start_or_skip(folder)
    assert started.docker_host != containers.docker_host
    assert started.registry != containers.registry
    client = docker.DockerClient(base_url=started.docker_host)
    assert client.images.list() == []
    image = client.images.get(_imported(client))
    for labels in ({"ministack": "ecs"}, {}):
        client.containers.create(image, command=["/nothing"], labels=labels)
    client.close()

    local_containers.stop(folder)

    assert processes.marked(programs.MARK, str(folder)) == []
    assert not docker_engine.runtime_folder(folder).exists()
    assert not Path("/sys/class/net", docker_engine.bridge_of(folder)).exists()
    assert docker_engine.mounts_below([folder], Path("/proc/self/mountinfo").read_text()) == []
    assert not registry.answers(int(started.registry.rpartition(":")[2]))
    assert engine_api.ping(containers.docker_host) is None
    assert registry.answers(int(containers.registry.rpartition(":")[2]))

    # What was there is there again: the image, the container of the user's own, the registry's port.
    with running(folder) as again:
        client = docker.DockerClient(base_url=again.docker_host)
        assert again == started
        assert client.images.get(image.id).id == image.id
        assert [container.labels for container in client.containers.list(all=True)] == [{}]
        client.close()


def test_after_a_kill_nothing_is_left_running_and_the_next_start_works(tmp_path: Path) -> None:
    folder = tmp_path / "containers"
    started = start_or_skip(folder)
    try:
        pid = programs.find(folder, docker_engine.PROGRAM)
        registry_pid = programs.find(folder, registry.PROGRAM)
        assert pid and registry_pid
        before = [(victim, process_start(victim)) for victim in (pid, registry_pid)]
        for victim, _ in before:
            os.kill(victim, signal.SIGKILL)
        eventually(lambda: all(process_start(victim) != began for victim, began in before))
        assert local_containers.find(folder, ENVIRONMENT) is None

        assert local_containers.start(folder, ENVIRONMENT) == started

        os.kill(programs.find(folder, docker_engine.PROGRAM) or 0, signal.SIGKILL)
    finally:
        local_containers.stop(folder)
    assert processes.marked(programs.MARK, str(folder)) == []
    assert not docker_engine.runtime_folder(folder).exists()
    assert not Path("/sys/class/net", docker_engine.bridge_of(folder)).exists()


def test_the_tasks_of_one_emulated_aws_can_be_removed_alone(
    client: docker.DockerClient, containers: LocalContainers, images: dict[str, Any]
) -> None:
    def create(port: int) -> Any:
        labels = {"ministack": "ecs", "ministack.instance": f"{os.uname().nodename}:{port}"}
        return client.containers.create(images["web-api"], labels=labels)

    create(4566)
    others = create(4567)
    try:
        assert local_containers.remove_tasks(containers, 4566) == 1
        assert local_containers.remove_tasks(containers, 4566) == 0
        assert [
            each.id for each in client.containers.list(all=True, filters={"label": "ministack.instance"})
        ] == [others.id]
    finally:
        others.remove()


def _imported(client: docker.DockerClient) -> str:
    """An image of one empty file, without a build."""
    import io
    import tarfile

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("nothing"))
    client.api.import_image_from_data(buffer.getvalue(), repository="nothing", tag="1")
    return "nothing:1"
