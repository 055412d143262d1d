"""Images of the Docker engine: those of another architecture are refused before anything is pushed."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pytest

from components.image_repository import ImageRepository, ImageRepositoryArgs
from components.service_image import LocalImage, ServiceImage, ServiceImageArgs
from tests.unit import type_tokens as t
from tests.unit.providers import LOCAL_IMAGE_ID
from tests.unit.recorder import Recording, record

DOCKER = """#!/bin/sh
# A Docker CLI whose images are for `platforms`; the first is the machine's own.
if [ "$3" = --platform ]; then
  case " {platforms} " in *" $4 "*) echo '[]'; exit;; *) echo "doesn't match" >&2; exit 1;; esac
fi
case " {known} " in *" $5 "*) set -- {platforms}; echo "$1";; *) echo 'No such image' >&2; exit 1;; esac
"""


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Docker CLI in the place of the machine's."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "docker"


def write(docker: Path, *platforms: str, known: str = f"{LOCAL_IMAGE_ID} web:1 scheduler:1") -> None:
    docker.write_text(DOCKER.format(platforms=" ".join(platforms), known=known))
    docker.chmod(0o755)


def push(*names: str, platform: str = "linux/amd64", preview: bool = True) -> Recording:
    """A run that pushes these images from the Docker engine."""

    def program() -> None:
        prefixes = [f"{name}-" for name in names]
        repository = ImageRepository(
            "files", ImageRepositoryArgs(repository_name="files", tag_prefixes=prefixes)
        )
        for name in names:
            ServiceImage(
                name,
                ServiceImageArgs(
                    repository=repository,
                    source=LocalImage(name=f"{name}:1"),
                    tag=f"{name}-1.4.0",
                    latest_tag=f"{name}-latest",
                    platform=platform,
                ),
            )

    return record(program, preview=preview)


def test_an_image_of_another_architecture_is_refused_with_both_and_the_fix(docker: Path) -> None:
    write(docker, "linux/arm64")
    with pytest.raises(pulumi.RunError) as refused:
        push("web")
    assert str(refused.value) == (
        "size.cpu_architecture is 'X86_64', but the image web:1 in the Docker engine is for linux/arm64 "
        "(ARM64). Build it for linux/amd64 (docker build --platform linux/amd64, or bootBuildImage "
        "--imagePlatform linux/amd64), or set size.cpu_architecture to ARM64."
    )


def test_one_error_names_every_image_of_another_architecture(docker: Path) -> None:
    write(docker, "linux/amd64")
    with pytest.raises(pulumi.RunError) as refused:
        push("web", "scheduler", platform="linux/arm64")
    lines = str(refused.value).splitlines()
    assert len(lines) == 2
    assert all(any(f"the image {name}:1 " in line for line in lines) for name in ("web", "scheduler"))


def test_an_architecture_that_fargate_lacks_is_no_fix(docker: Path) -> None:
    write(docker, "linux/s390x")
    with pytest.raises(pulumi.RunError, match=r"linux/s390x \(s390x\)") as refused:
        push("web")
    assert "or set" not in str(refused.value)


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(
    "platforms", [("linux/amd64",), ("linux/arm64", "linux/amd64")], ids=["the same", "several platforms"]
)
def test_an_image_of_the_task_s_architecture_is_pushed(
    docker: Path, platforms: tuple[str, ...], preview: bool
) -> None:
    write(docker, *platforms)
    recording = push("web", preview=preview)
    assert [each.inputs["triggers"] for each in recording.of_type(t.PUSHED_IMAGE)] == [
        {"source": LOCAL_IMAGE_ID}
    ] * 2


def test_where_docker_cannot_be_asked_nothing_is_refused(docker: Path) -> None:
    assert len(push("web").of_type(t.PUSHED_IMAGE)) == 2

    write(docker, "linux/arm64", known="another-engines")
    assert len(push("web").of_type(t.PUSHED_IMAGE)) == 2
