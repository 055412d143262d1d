"""A build's context: its digest is the real provider's, and its archive has what the builder needs."""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.plugins.docker import context
from local.plugins.docker.names import ImageError, ImageName

RECORDED_DIGEST = "4aad563a20d907f64e05fc2885d4ed29755d33ac02f77ab766679ab2b2de9256"
"""What the real docker provider (4.11.2) answered for the folder that `recorded_context` makes."""


@pytest.fixture
def recorded_context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of several modes, a link, ignored and taken back ones; the same bytes as when it was recorded."""
    monkeypatch.chdir(tmp_path)
    contents = {
        "app/.dockerignore": "# comment\n*.log\n!kept.log\n**/node_modules\n/build\nsrc/*/generated\n",
        "app/Dockerfile": "FROM scratch\nCOPY . /\n",
        "app/gradlew": "#!/bin/sh\n",
        "app/noise.log": "1",
        "app/kept.log": "2",
        "app/build/out.jar": "3",
        "app/src/main/generated/x": "4",
        "app/src/main/App.java": "class App {}\n",
        "app/src/a.b": "5",
        "app/src-extra/c": "6",
        "app/web/node_modules/m": "7",
    }
    for name, text in contents.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o644)
    (tmp_path / "app/gradlew").chmod(0o755)
    (tmp_path / "app/link").symlink_to("src/main/App.java")


@pytest.mark.usefixtures("recorded_context")
def test_the_digest_is_the_real_providers() -> None:
    """So a state of one shows no change to the other."""
    assert context.digest("app", "app/Dockerfile") == RECORDED_DIGEST


@pytest.mark.usefixtures("recorded_context")
def test_the_archive_holds_what_is_not_ignored_and_the_dockerfile() -> None:
    """Owned by root, without the ignored files."""
    archive, dockerfile = context.archive("app", "app/Dockerfile")
    with archive, tarfile.open(fileobj=archive) as tar:
        members = tar.getmembers()
    assert dockerfile == "Dockerfile"
    assert sorted(member.name for member in members) == [
        ".dockerignore",
        "Dockerfile",
        "gradlew",
        "kept.log",
        "link",
        "src-extra/c",
        "src/a.b",
        "src/main/App.java",
    ]
    assert {(member.uid, member.gid) for member in members} == {(0, 0)}


@pytest.mark.usefixtures("recorded_context")
def test_an_outside_or_ignored_dockerfile_is_in_the_archive() -> None:
    """The builder needs it, whatever the ignore file says."""
    Path("Outside").write_text("FROM scratch\n")
    archive, dockerfile = context.archive("app", "Outside")
    with archive, tarfile.open(fileobj=archive) as tar:
        assert tar.getmember(dockerfile).size == len("FROM scratch\n")
    Path("app/.dockerignore").write_text("**\n")
    archive, dockerfile = context.archive("app", "app/Dockerfile")
    with archive, tarfile.open(fileobj=archive) as tar:
        assert sorted(tar.getnames()) == [".dockerignore", "Dockerfile"]


@pytest.mark.usefixtures("recorded_context")
def test_a_link_to_nothing_is_one_error() -> None:
    """It would fail the real provider, too."""
    Path("app/broken").symlink_to("nowhere")
    with pytest.raises(ImageError, match="app/broken of the build context is a link to nothing"):
        context.digest("app", "app/Dockerfile")


@pytest.mark.parametrize(
    ("patterns", "ignored", "kept"),
    [
        (["*.log"], ["a.log"], ["b/a.log", "a.logs"]),
        (["**/*.log"], ["a.log", "b/a.log"], ["a.log.txt"]),
        (["b"], ["b", "b/c", "b/c/d"], ["a/b", "bb"]),
        (["b/**"], ["b/c", "b/c/d"], ["b"]),
        (["?.md"], ["a.md"], ["ab.md"]),
        (["[ab].md"], ["a.md", "b.md"], ["c.md"]),
        (["b", "!b/c"], ["b/d"], ["b/c", "b/c/e"]),
        (["!b/c", "b"], ["b/c"], ["c"]),
        (["a.b"], ["a.b"], ["axb"]),
    ],
)
def test_patterns_mean_what_docker_means(
    tmp_path: Path, patterns: Sequence[str], ignored: Sequence[str], kept: Sequence[str]
) -> None:
    """The last pattern that matches a path, or a folder above it, decides."""
    for index, name in enumerate([*ignored, *kept]):
        root = tmp_path / str(index)
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text("x")
        found = list(context.files(str(root), patterns))
        assert found == ([] if name in ignored else [name])


def test_stages_are_read_from_the_dockerfile(tmp_path: Path) -> None:
    """A nameless stage is its number."""
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text("FROM a AS Build\nFROM --platform=linux/amd64 b as run\nfrom c\n# FROM d\n")
    assert context.stage_names(str(dockerfile)) == ["build", "run", "2"]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine's affair
@given(
    host=st.sampled_from([None, "localhost", "127.0.0.1:5000", "registry.example:443"]),
    path=st.from_regex(r"[a-z0-9]{1,8}(?:[._-][a-z0-9]{1,8})?(?:/[a-z0-9]{1,8}){0,2}", fullmatch=True),
    tag=st.one_of(st.none(), st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)),
    digest=st.one_of(st.none(), st.just("sha256:" + "a" * 64)),
)
def test_a_name_is_the_sum_of_its_parts(
    host: str | None, path: str, tag: str | None, digest: str | None
) -> None:
    """Reading what was written gives the same name; a first part is a host only when it looks like one."""
    if host is None and path.startswith("localhost/"):
        return
    if host is None and "." in path.partition("/")[0] and "/" in path:
        return
    name = ImageName(host, path, tag, digest)
    text = f"{name.repository}{f':{tag}' if tag else ''}{f'@{digest}' if digest else ''}"
    assert ImageName.parse(text) == name
    assert ImageName.parse(str(name)) == (name if tag or digest else replace(name, tag="latest"))


@pytest.mark.parametrize(
    "text", ["", "UPPER/case:1", "a b", "host.example/", "x:tag:tag", "x@sha256:12", "-x"]
)
def test_what_is_no_name_is_refused(text: str) -> None:
    """With the form that a name has."""
    with pytest.raises(ImageError, match="write it as HOST/REPOSITORY:TAG"):
        ImageName.parse(text)
