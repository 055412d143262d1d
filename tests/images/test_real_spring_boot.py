"""The Dockerfile with a real Spring Boot application: its jar's own tool, the JVM's flags, the Actuator.

What stands in: the base images, and Gradle's wrapper, which hands over a jar that Maven built.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.containers.local_containers import LocalContainers
from tests.images.builder import Builder, get

GRADLEW = """#!/bin/sh
set -eu
case "$*" in
*resolveDependencies) ;;
*:bootstrap:bootstrap-web-api:bootJar)
    mkdir -p bootstrap/bootstrap-web-api/build/libs
    cp application.jar bootstrap/bootstrap-web-api/build/libs/bootstrap-web-api-1.0.0.jar ;;
*) exit 1 ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    if shutil.which("mvn") is None:
        pytest.skip("no Maven on this machine to build a real Spring Boot application with")
    sources = tmp_path / "sources"
    shutil.copytree(Path(__file__).parent / "spring-boot", sources)
    built = subprocess.run(
        ["mvn", "-q", "-B", "package"], cwd=sources, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stdout[-2000:]
    project = tmp_path / "project"
    project.mkdir()
    shutil.copyfile(sources / "target" / "bootstrap-web-api-1.0.0.jar", project / "application.jar")
    (project / "gradlew").write_text(GRADLEW)
    return project


@pytest.mark.nightly
@pytest.mark.xdist_group("images")
def test_spring_boot_runs_on_a_read_only_root_without_rights_and_stops_in_order(
    builder: Builder, run: Callable[..., Any], containers: LocalContainers, project: Path
) -> None:
    image = builder.build(project)
    container = run(
        image,
        mem_limit="1g",
        environment={
            "SERVER_PORT": "8083",
            "MANAGEMENT_ENDPOINTS_WEB_EXPOSURE_INCLUDE": "health,prometheus",
        },
    )

    assert json.loads(get(container, containers, 8083, "/actuator/health"))["status"] == "UP"
    metrics = get(container, containers, 8083, "/actuator/prometheus")
    assert "jvm_memory_max_bytes{" in metrics
    command = image.attrs["Config"]["Healthcheck"]["Test"][1:]
    assert container.exec_run(command).exit_code == 0
    container.stop(timeout=30)
    container.reload()
    assert container.attrs["State"]["ExitCode"] == 143
    assert "Graceful shutdown complete" in container.logs().decode()
    # The libraries are a layer of their own, far larger than the application's.
    sizes = [layer["Size"] for layer in image.history() if "COPY" in layer["CreatedBy"]]
    application, libraries = sizes[0], sizes[3]
    assert libraries > 100 * application
