"""Images without an engine: manifests whose digest follows from the build's inputs, in the emulated ECR."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.local.plugins.docker.conftest import (
    HOST,
    IMAGE,
    REGISTRY_IMAGE,
    REPOSITORY,
    TAG,
    TOKEN,
    Ecr,
    Plugin,
    build,
    refusal,
)


def with_build(**changes: Any) -> dict[str, Any]:
    """The build with other arguments."""
    return build("web-api-1.0.0", **{"args": {"VERSION": "1"}, **changes})


BUILD = with_build()


def pushed_as(name: str, **more: Any) -> dict[str, Any]:
    """Arguments of a push."""
    return {"name": name, "keepRemotely": True, **more}


def digest_of(plugin: Plugin, inputs: Mapping[str, Any]) -> str:
    """Create the image and return the digest that it has in the registry."""
    return str(plugin.made(IMAGE, inputs)[1]["repoDigest"]).partition("@")[2]


def test_a_built_image_is_in_ecr_under_its_tag_and_its_digest(paper: Plugin, emulated: Ecr) -> None:
    """The digest is that of the manifest that ECR holds."""
    resource_id, outputs = paper.made(IMAGE, BUILD)
    digest = emulated.tags["web-api-1.0.0"]
    assert digest == "sha256:" + hashlib.sha256(emulated.manifest(digest).encode()).hexdigest()
    assert resource_id == BUILD["imageName"]
    del outputs["__inputs"]
    assert outputs == {
        "baseImageName": BUILD["imageName"],
        "context": "app",
        "dockerfile": "Dockerfile",
        "imageName": BUILD["imageName"],
        "platform": "linux/amd64",
        "registryServer": HOST,
        "repoDigest": f"{REPOSITORY}@{digest}",
    }
    assert json.loads(emulated.manifest(digest))["layers"] == []


def test_the_same_inputs_give_the_same_digest_elsewhere(
    paper: Plugin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the machine, the folder or the hour is in it."""
    first = digest_of(paper, BUILD)
    shutil.copytree("app", tmp_path / "elsewhere/app")
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("FILEFLOW_LOCAL_DIR", str(tmp_path / "other"))
    assert digest_of(Plugin(), {**BUILD, "imageName": f"{REPOSITORY}:other"}) == first


@pytest.mark.parametrize(
    "changed",
    [
        with_build(args={"VERSION": "2"}),
        with_build(target="base"),
        with_build(platform="linux/arm64"),
    ],
    ids=["args", "target", "platform"],
)
def test_each_input_of_the_build_decides_the_digest(paper: Plugin, changed: dict[str, Any]) -> None:
    """Another argument, stage or platform is another image."""
    assert digest_of(paper, BUILD) != digest_of(paper, changed)


def test_the_content_of_the_context_decides_the_digest(paper: Plugin) -> None:
    """A changed file is another image, and shows as a change of the build."""
    before, first = paper.checked(IMAGE, BUILD), digest_of(paper, BUILD)
    Path("app/file").write_text("changed")
    assert paper.changed(IMAGE, before, paper.checked(IMAGE, BUILD)) == (["build"], [])
    assert digest_of(paper, BUILD) != first


def test_an_unchanged_context_is_no_change(paper: Plugin) -> None:
    """Nor is a new token, or a touched file."""
    before = paper.checked(IMAGE, BUILD)
    os.utime("app/file", (1, 1))
    after = paper.checked(IMAGE, {**BUILD, "registry": {**BUILD["registry"], "password": "another"}})
    assert paper.changed(IMAGE, before, after) == ([], [])


def test_another_registry_server_is_a_change(paper: Plugin) -> None:
    """Of the registry, the server is what counts."""
    before = paper.checked(IMAGE, BUILD)
    after = paper.checked(IMAGE, {**BUILD, "registry": {**BUILD["registry"], "server": "other.example"}})
    assert paper.changed(IMAGE, before, after) == (["registry"], [])


def test_an_ignored_file_is_not_in_the_context(paper: Plugin) -> None:
    """What `.dockerignore` names changes nothing, and `!` takes it back."""
    Path("app/.dockerignore").write_text("*.log\n!kept.log\n")
    before = paper.checked(IMAGE, BUILD)
    Path("app/noise.log").write_text("1")
    assert paper.changed(IMAGE, before, paper.checked(IMAGE, BUILD)) == ([], [])
    Path("app/kept.log").write_text("1")
    assert paper.changed(IMAGE, before, paper.checked(IMAGE, BUILD)) == (["build"], [])


def test_a_second_push_of_the_same_image_puts_nothing(paper: Plugin, emulated: Ecr) -> None:
    """ECR is asked, and would refuse to be given it again."""
    paper.made(IMAGE, BUILD)
    before = emulated.tags
    paper.made(IMAGE, BUILD)
    assert emulated.tags == before


def test_an_immutable_tag_does_not_move(paper: Plugin, emulated: Ecr) -> None:
    """One error that says what the tag is now; an excluded tag moves."""
    emulated.keep_tags("*latest")
    first = digest_of(paper, BUILD)
    latest = {**BUILD, "imageName": f"{REPOSITORY}:latest"}
    paper.made(IMAGE, latest)
    Path("app/file").write_text("changed")
    message = refusal(lambda: paper.made(IMAGE, BUILD))
    assert f"web-api-1.0.0 is already {first}" in message
    assert "raise the version" in message
    assert emulated.tags["web-api-1.0.0"] == first
    assert digest_of(paper, latest) != first


def test_a_preview_makes_nothing(paper: Plugin, emulated: Ecr) -> None:
    """What it doesn't know it leaves out."""
    assert "repoDigest" not in paper.made(IMAGE, BUILD, preview=True)[1]
    assert emulated.tags == {}


def test_an_image_that_ecr_lost_is_gone_at_refresh(paper: Plugin, emulated: Ecr) -> None:
    """So is one whose tag someone moved; the next update puts it back."""
    resource_id, state = paper.made(IMAGE, BUILD)
    assert paper.refreshed(IMAGE, resource_id, state) == state
    emulated.lose("web-api-1.0.0")
    assert paper.refreshed(IMAGE, resource_id, state) is None


def test_deleting_an_image_leaves_it_in_the_registry(paper: Plugin, emulated: Ecr) -> None:
    """Something may still run it."""
    resource_id, state = paper.made(IMAGE, BUILD)
    paper.delete(IMAGE, {**state, "id": resource_id})
    assert "web-api-1.0.0" in emulated.tags


def test_a_tag_and_its_push_give_the_source_another_name(paper: Plugin, emulated: Ecr) -> None:
    """The guide's `latest` tag points at the version's digest."""
    _, image = paper.made(IMAGE, BUILD)
    tag = {
        "sourceImage": BUILD["imageName"],
        "targetImage": f"{REPOSITORY}:latest",
        "tagTriggers": [image["repoDigest"]],
    }
    tag_id, tagged = paper.made(TAG, tag)
    assert tag_id == f"{tag['sourceImage']}.{tag['targetImage']}"
    assert tagged["sourceImageId"].startswith("sha256:")
    digest, pushed = paper.made(
        REGISTRY_IMAGE, pushed_as(str(tag["targetImage"]), triggers={"source": image["repoDigest"]})
    )
    assert pushed["sha256Digest"] == digest == emulated.tags["latest"] == emulated.tags["web-api-1.0.0"]
    assert paper.refreshed(TAG, tag_id, tagged) == tagged


def test_every_change_of_a_tag_replaces_it(paper: Plugin) -> None:
    """Triggers are a set: their order says nothing."""
    old = {"sourceImage": "a:1", "targetImage": "b:1", "tagTriggers": ["x", "y"]}
    assert paper.changed(TAG, old, {**old, "tagTriggers": ["y", "x"]}) == ([], [])
    assert paper.changed(TAG, old, {**old, "tagTriggers": ["y"]}) == (["tagTriggers"], ["tagTriggers"])
    assert paper.changed(TAG, old, {**old, "targetImage": "c:1"}) == (["targetImage"], ["targetImage"])


def test_a_registry_image_pushes_again_for_a_trigger(paper: Plugin) -> None:
    """And for another name."""
    old = paper.checked(REGISTRY_IMAGE, pushed_as(f"{REPOSITORY}:1", triggers={"a": "1"}))
    assert paper.changed(REGISTRY_IMAGE, old, {**old, "triggers": {"a": "2"}}) == (["triggers"], ["triggers"])
    assert paper.changed(REGISTRY_IMAGE, old, {**old, "name": "b:1"}) == (["name"], ["name"])


def test_a_registry_image_that_ecr_lost_is_gone_at_refresh(paper: Plugin, emulated: Ecr) -> None:
    """And another digest shows."""
    paper.made(TAG, {"sourceImage": "fileflow-web-api:latest", "targetImage": f"{REPOSITORY}:1"})
    resource_id, state = paper.made(REGISTRY_IMAGE, pushed_as(f"{REPOSITORY}:1"))
    emulated.client.put_image(repositoryName="fileflow", imageManifest="{}", imageTag="1")
    refreshed = paper.refreshed(REGISTRY_IMAGE, resource_id, state)
    assert refreshed is not None
    assert refreshed["sha256Digest"] == emulated.tags["1"] != resource_id
    emulated.lose("1")
    assert paper.refreshed(REGISTRY_IMAGE, resource_id, state) is None


def test_an_image_left_by_gradle_is_on_paper_too(paper: Plugin, emulated: Ecr) -> None:
    """The name alone stands for it: there is no engine to look into."""
    found = paper.invoke("docker:index/getRemoteImage:getRemoteImage", {"name": "fileflow-web-api:latest"})
    other = paper.invoke("docker:index/getRemoteImage:getRemoteImage", {"name": "fileflow-scheduler:latest"})
    assert found["id"].startswith("sha256:")
    assert found["id"] != other["id"]
    paper.made(TAG, {"sourceImage": "fileflow-web-api:latest", "targetImage": f"{REPOSITORY}:web-api-2"})
    digest = paper.made(REGISTRY_IMAGE, pushed_as(f"{REPOSITORY}:web-api-2"))[0]
    assert emulated.tags["web-api-2"] == digest
    assert json.loads(emulated.manifest(digest))["config"]["digest"] == found["id"]


def test_a_credential_is_secret_in_every_answer_and_in_no_message(paper: Plugin) -> None:
    """Each place where the token comes back is marked as a secret."""
    checked = paper.check(IMAGE, BUILD)
    assert checked.secrets == {("registry", "password")}
    outputs, secrets = paper.create_with_secrets(IMAGE, checked.inputs, ())
    assert TOKEN not in json.dumps({key: value for key, value in outputs.items() if (key,) not in secrets})
    assert all(TOKEN not in message for message in paper.messages)


def test_the_plugin_says_once_that_images_are_on_paper(paper: Plugin) -> None:
    """And why."""
    paper.made(IMAGE, BUILD)
    paper.made(IMAGE, {**BUILD, "imageName": f"{REPOSITORY}:other"})
    said = [message for message in paper.messages if "on paper (manifests" in message]
    assert len(said) == 1
    assert "FILEFLOW_REGISTRY isn't set" in said[0]


@pytest.mark.parametrize(
    ("inputs", "path", "reason"),
    [
        ({**BUILD, "imageName": "Not A Name"}, "imageName", "is not an image name"),
        (with_build(context="nowhere"), "build.context", "not a folder"),
        (with_build(dockerfile="Dockerfile"), "build.dockerfile", 'set it to "app/Dockerfile"'),
        (with_build(dockerfile="missing"), "build.dockerfile", "not a file"),
        (with_build(builderVersion="BuilderV1"), "build.builderVersion", "has to be BuilderBuildKit"),
        (with_build(cacheFrom={"images": ["cache:1"]}), "build.cacheFrom", "isn't known"),
        ({**BUILD, "skipPush": True}, "skipPush", "isn't known"),
    ],
)
def test_a_wrong_argument_is_one_failure_at_its_path(
    paper: Plugin, inputs: dict[str, Any], path: str, reason: str
) -> None:
    """Field and rule are named before anything is built."""
    failures = paper.check(IMAGE, inputs).failures
    assert list(failures) == [path]
    assert reason in failures[path]


def test_what_would_delete_an_image_is_refused(paper: Plugin) -> None:
    """Nothing here deletes one in a registry."""
    failures = paper.check(REGISTRY_IMAGE, {"name": f"{REPOSITORY}:1"}).failures
    assert list(failures) == ["keepRemotely"]


def test_an_image_of_another_registry_is_refused(paper: Plugin) -> None:
    """The stack's own repository is all that there is."""
    elsewhere = {**BUILD, "imageName": "registry.example/fileflow:1"}
    assert "isn't in the stack's ECR" in refusal(lambda: paper.made(IMAGE, elsewhere))


def test_a_stage_that_the_dockerfile_lacks_is_refused(paper: Plugin, emulated: Ecr) -> None:
    """Before anything is pushed."""
    message = refusal(lambda: paper.made(IMAGE, with_build(target="nothing")))
    assert 'has no stage "nothing", only base' in message
    assert emulated.tags == {}


def test_a_missing_repository_is_named(paper: Plugin) -> None:
    """With the account to check."""
    message = refusal(lambda: paper.made(IMAGE, {**BUILD, "imageName": f"{HOST}/other:1"}))
    assert f'there is no repository "other" in {HOST}' in message


@pytest.mark.usefixtures("emulated")
def test_an_emulator_that_is_gone_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to do, and what was built stays here."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert "make up" in refusal(lambda: Plugin().made(IMAGE, BUILD))


def test_a_folder_that_cannot_be_written_is_one_error(
    emulated: Ecr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Naming the folder and the variable."""
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("FILEFLOW_LOCAL_DIR", str(tmp_path / "file"))
    message = refusal(lambda: Plugin().made(IMAGE, BUILD))
    assert str(tmp_path / "file") in message
    assert "FILEFLOW_LOCAL_DIR" in message
    assert emulated.tags == {}


def test_an_unknown_type_or_function_is_refused_by_name(paper: Plugin) -> None:
    """With what there is instead."""
    for operation in (
        lambda: paper.check("docker:index/container:Container", {}),
        lambda: paper.invoke("docker:index/getNetwork:getNetwork", {"name": "x"}),
    ):
        message = refusal(operation)
        assert "stand-in for docker doesn't have" in message
        assert "install the real docker plugin" in message
