"""A service's image: three sources, and always a digest at the end."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, cast

import grpc
import pulumi
import pytest

from components.image_repository import ImageRepository, ImageRepositoryArgs
from components.service_image import (
    UNPUSHED_DIGEST,
    Build,
    ImageSource,
    LocalImage,
    RegistryTag,
    ServiceImage,
    ServiceImageArgs,
)
from components.validation import InvalidArgumentError
from tests.unit import parts
from tests.unit import type_tokens as t
from tests.unit.builders import REPOSITORY_URL
from tests.unit.providers import FOUND_DIGEST, LOCAL_IMAGE_ID, PUSHED_DIGEST
from tests.unit.recorder import Recorded, Recorder, Recording, Secret, record

IMAGE = "fileflow:ecr:ServiceImage"
GET_IMAGE = "aws:ecr/getImage:getImage"


class Absent(grpc.RpcError):  # type: ignore[misc]
    """How the engine hands on what AWS says of a tag that no image has."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return (
            "reading ECR Images: operation error ECR: DescribeImages, ImageNotFoundException: no such image"
        )


BUILD = Build(
    context="bootstrap",
    dockerfile="bootstrap/Dockerfile",
    target="runtime",
    build_args={"MODULE": ":bootstrap:bootstrap-web-api"},
)
LOCAL = LocalImage(name="fileflow-web-api:latest")
SOURCES: Mapping[str, ImageSource] = {"Build": BUILD, "LocalImage": LOCAL, "RegistryTag": RegistryTag()}
PUSHED = ["Build", "LocalImage"]
CREDENTIALS = {
    "address": REPOSITORY_URL.split("/", maxsplit=1)[0],
    "password": Secret("token-of-the-registry"),
    "username": "AWS",
}


def record_image(
    source: str, *, preview: bool = False, there: bool | None = None, **changes: Any
) -> Recording:
    """A run with a repository and one image in it, which is `there` before where nothing pushes it."""
    is_there = source == "RegistryTag" if there is None else there
    recorder = Recorder(preview=preview, failures={} if is_there else {GET_IMAGE: Absent()})
    return record(lambda: parts.image(SOURCES[source], **changes), recorder=recorder)


@functools.cache
def image(source: str, *, preview: bool = False) -> Recording:
    """The run of a source with nothing changed, which tests share."""
    return record_image(source, preview=preview)


def outputs(recording: Recording) -> Any:
    """The image's registered outputs."""
    return recording.registered_outputs[recording.only(IMAGE).urn]


def below(recording: Recording) -> Counter[str]:
    """How many resources of each type the image made."""
    image = recording.only(IMAGE)
    return Counter(each.type for each in recording.children(image))


def test_a_build_is_pushed_under_its_version_and_its_latest_tag() -> None:
    recording = image("Build")

    assert below(recording) == Counter({t.DOCKER_IMAGE: 1, t.DOCKER_TAG: 1, t.PUSHED_IMAGE: 1})
    assert recording.only(t.DOCKER_IMAGE).inputs == {
        "build": {
            "args": {"MODULE": ":bootstrap:bootstrap-web-api"},
            "builderVersion": "BuilderBuildKit",
            "context": "bootstrap",
            "dockerfile": "bootstrap/Dockerfile",
            "platform": "linux/amd64",
            "target": "runtime",
        },
        "buildOnPreview": False,
        "imageName": f"{REPOSITORY_URL}:web-api-1.4.0",
        "registry": {
            "password": Secret("token-of-the-registry"),
            "server": CREDENTIALS["address"],
            "username": "AWS",
        },
        "skipPush": False,
    }
    assert recording.only(t.DOCKER_TAG).inputs["targetImage"] == f"{REPOSITORY_URL}:latest"
    assert outputs(recording)["digest"] == PUSHED_DIGEST


def test_a_local_image_is_tagged_and_pushed_under_both_tags() -> None:
    recording = image("LocalImage")

    assert below(recording) == Counter({t.DOCKER_TAG: 2, t.PUSHED_IMAGE: 2})
    tags = {each.name: each.inputs for each in recording.of_type(t.DOCKER_TAG)}
    for name, tag in (("web-api-version", "web-api-1.4.0"), ("web-api-latest", "latest")):
        assert tags[name] == {
            "sourceImage": "fileflow-web-api:latest",
            "tagTriggers": [LOCAL_IMAGE_ID],
            "targetImage": f"{REPOSITORY_URL}:{tag}",
        }
        assert recording.only(t.PUSHED_IMAGE, name).inputs == {
            "keepRemotely": True,
            "name": f"{REPOSITORY_URL}:{tag}",
            "triggers": {"source": LOCAL_IMAGE_ID},
        }
    assert outputs(recording)["digest"] == PUSHED_DIGEST


def test_a_tag_in_the_registry_is_resolved_and_nothing_is_pushed() -> None:
    recording = image("RegistryTag")

    assert below(recording) == Counter()
    [asked] = [each for each in recording.invokes if each.token == GET_IMAGE]
    assert asked.args == {"repositoryName": "fileflow", "imageTag": "web-api-1.4.0"}
    assert outputs(recording)["digest"] == FOUND_DIGEST


def test_versions_that_nobody_pushed_are_named_together_with_what_to_push() -> None:
    def program() -> None:
        repository = ImageRepository(
            "fileflow", ImageRepositoryArgs(repository_name="fileflow", tag_prefixes=["a-", "b-"])
        )
        for tag in ("b-1.0.0", "a-1.0.0"):
            ServiceImage(tag, args(repository=repository, tag=tag))

    recorder = Recorder(failures={GET_IMAGE: Absent()})
    with pytest.raises(pulumi.RunError, match=r"'a-1.0.0, b-1.0.0'") as refused:
        record(program, recorder=recorder)

    _, *pushes = str(refused.value).splitlines()
    assert pushes == [f"docker push {REPOSITORY_URL}:a-1.0.0", f"docker push {REPOSITORY_URL}:b-1.0.0"]
    asked = [each.args["imageTag"] for each in recorder.recording.invokes if each.token == GET_IMAGE]
    assert sorted(asked) == ["a-1.0.0", "b-1.0.0"]


def test_a_repository_that_can_not_be_asked_is_no_repository_without_images() -> None:
    recorder = Recorder(failures={GET_IMAGE: PermissionError("AccessDeniedException")})
    with pytest.raises(PermissionError, match="AccessDeniedException"):
        record(lambda: parts.image(RegistryTag()), recorder=recorder)


@pytest.mark.parametrize("source", PUSHED)
@pytest.mark.parametrize("preview", [False, True], ids=["update", "preview"])
def test_what_the_repository_has_under_the_version_counts_whatever_the_state_says_of_a_push(
    source: str, preview: bool
) -> None:
    # The docker provider forgets an image that it can't see with the token of yesterday, and pushes it again.
    recording = record_image(source, there=True, preview=preview)

    assert outputs(recording)["digest"] == (UNPUSHED_DIGEST if preview else FOUND_DIGEST)


@pytest.mark.parametrize("source", PUSHED)
def test_nothing_asks_docker_to_delete_what_stays_in_the_repository(source: str) -> None:
    recording = image(source)

    for type_token in (t.DOCKER_IMAGE, t.DOCKER_TAG, t.PUSHED_IMAGE):
        for resource in recording.of_type(type_token):
            assert resource.retain_on_delete, resource.urn


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("preview", [False, True], ids=["update", "preview"])
def test_a_reference_always_names_a_digest_and_is_always_known(source: str, preview: bool) -> None:
    reference = outputs(image(source, preview=preview))["reference"]

    repository, digest = reference.split("@")
    assert repository == REPOSITORY_URL
    algorithm, hexadecimal = digest.split(":")
    assert algorithm == "sha256"
    assert len(bytes.fromhex(hexadecimal)) == 32


@pytest.mark.parametrize("source", PUSHED)
def test_a_preview_shows_a_placeholder_that_an_update_never_sees(source: str) -> None:
    assert outputs(image(source, preview=True))["digest"] == UNPUSHED_DIGEST
    assert outputs(image(source))["digest"] != UNPUSHED_DIGEST


def test_a_first_preview_never_asks_for_an_image_of_a_repository_that_does_not_exist() -> None:
    recording = image("RegistryTag", preview=True)

    assert [each for each in recording.invokes if each.token == GET_IMAGE] == []
    assert outputs(recording)["digest"] == UNPUSHED_DIGEST


@pytest.mark.parametrize("source", PUSHED)
def test_nothing_is_pushed_before_the_repository_is_there(source: str) -> None:
    recording = image(source)
    repository = recording.only(t.ECR_REPOSITORY)

    pushes: list[Recorded] = [*recording.of_type(t.DOCKER_IMAGE), *recording.of_type(t.PUSHED_IMAGE)]
    assert pushes
    for push in pushes:
        assert repository.urn in push.dependencies, push.urn


@pytest.mark.parametrize("source", PUSHED)
def test_whatever_is_pushed_is_pushed_by_the_one_provider_that_has_the_credentials(
    source: str,
) -> None:
    # A provider's credentials are another's at every run without showing a change; an image's aren't.
    recording = image(source)

    provider = recording.only(t.DOCKER_PROVIDER)
    assert json.loads(provider.inputs["registryAuth"].value) == [
        {**CREDENTIALS, "password": "token-of-the-registry"}
    ]
    for type_token in (t.DOCKER_IMAGE, t.DOCKER_TAG, t.PUSHED_IMAGE):
        for resource in recording.of_type(type_token):
            assert resource.request.provider.startswith(f"{provider.urn}::"), resource.urn


def test_an_image_that_is_only_found_needs_no_docker_at_all() -> None:
    assert image("RegistryTag").of_type(t.DOCKER_PROVIDER) == []


@pytest.mark.parametrize("source", SOURCES)
def test_the_registrys_password_is_a_secret_wherever_it_goes(source: str) -> None:
    recording = image(source)

    for resource in recording.resources:
        assert "'token-of-the-registry'" not in repr(resource.inputs).replace(
            "Secret(value='token-of-the-registry')", ""
        ), resource.urn


def test_the_platform_of_a_build_is_what_the_task_runs_on() -> None:
    recording = record_image("Build", platform="linux/arm64")

    assert recording.only(t.DOCKER_IMAGE).inputs["build"]["platform"] == "linux/arm64"


def args(**changes: Any) -> ServiceImageArgs:
    """An image's arguments, which check themselves without looking at the repository."""
    repository = cast(ImageRepository, None)
    base = {"repository": repository, "source": RegistryTag(), "tag": "1.4.0", "latest_tag": "latest"}
    return ServiceImageArgs(**{**base, **changes})


@pytest.mark.parametrize("tag", ["", "with space", "-leading", ".leading", "t" * 129, "a/b"])
@pytest.mark.parametrize("field", ["tag", "latest_tag"])
def test_a_tag_that_no_registry_takes_is_refused_by_name(field: str, tag: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        args(**{field: tag})

    assert (caught.value.field, caught.value.value) == (field, tag)


@pytest.mark.parametrize("tag", ["_", "1.4.0", "t" * 128])
def test_a_tag_at_the_registrys_limits_is_taken(tag: str) -> None:
    assert args(tag=tag).tag == tag
