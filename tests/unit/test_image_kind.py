"""Which images are asked whether they are well, and how."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from components.image_kind import LIVENESS_PATH, ImageKind, with_health_check
from components.names import Names
from components.options import ContainerHealthCheck, ContainerOptions
from composition import Platform, scheduler_args
from settings import parse_settings
from tests.unit.builders import CLUSTER_ARN, IMAGE, PLACEMENT, TOPIC_ARN
from tests.unit.stacks import as_text, stack_values

DOCKERFILE = Path(__file__).parents[2] / "images/spring-boot.Dockerfile"


def test_a_buildpacks_image_is_asked_by_paketos_health_checker() -> None:
    container = with_health_check(ContainerOptions(environment={"A": "b"}), "buildpack", 9091)

    assert container.health_check is not None
    assert container.health_check.command == ["CMD", "/workspace/health-check"]
    assert container.environment == {
        "A": "b",
        "MANAGEMENT_ENDPOINT_HEALTH_PROBES_ENABLED": "true",
        "THC_PATH": LIVENESS_PATH,
        "THC_PORT": "9091",
    }


def test_an_image_of_the_projects_dockerfile_is_asked_by_the_class_in_it() -> None:
    container = with_health_check(ContainerOptions(), "dockerfile", 9092)

    assert container.health_check is not None
    check, *command = container.health_check.command
    assert (check, command[-2:]) == ("CMD", ["9092", LIVENESS_PATH])
    own = re.search(r"^HEALTHCHECK .*\n    CMD (\[.*\])$", DOCKERFILE.read_text(), re.M)
    assert own is not None
    assert command[:-2] == [each.strip(",") for each in shlex.split(own[1].strip("[]"))]


@pytest.mark.parametrize("kind", ["buildpack", "dockerfile", "other"])
def test_a_health_check_of_ones_own_wins(kind: ImageKind) -> None:
    own = ContainerOptions(health_check=ContainerHealthCheck(command=["CMD", "/check"]))

    assert with_health_check(own, kind, 9091) == own


@pytest.mark.parametrize(
    ("images", "command"),
    [
        ({"source": "local"}, "/workspace/health-check"),
        ({"source": "registry"}, "/workspace/health-check"),
        ({"source": "build", "context": ".", "dockerfile": "Dockerfile"}, "java"),
        ({"source": "registry", "kind": "dockerfile"}, "java"),
        ({"source": "local", "kind": "other"}, None),
    ],
)
def test_schedulers_are_asked_by_default_by_the_kind_that_their_source_has(
    images: dict[str, str], command: str | None
) -> None:
    values = {**stack_values("dev"), "images": images}
    values["schedulers"][0]["lease"] = {"entry_point": ["/app"]}
    settings = parse_settings("dev", as_text(values))
    names = Names(environment="dev")
    platform = Platform(
        settings=settings,
        placement=PLACEMENT,
        public_subnet_ids=[],
        cluster_arn=CLUSTER_ARN,
        topic_arn=TOPIC_ARN,
        session_key_arn=None,
        key_arn=None,
        guard_images={"X86_64": IMAGE, "ARM64": IMAGE},
    )

    for scheduler in settings.schedulers:
        args = scheduler_args(platform, scheduler, names.scheduler(scheduler.name), IMAGE)
        check = args.container.health_check
        assert (check and check.command[1]) == command
