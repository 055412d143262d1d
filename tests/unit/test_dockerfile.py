"""What an image starts, by its Dockerfile, is what a lease's guard starts in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local.paths import ROOT
from settings import SettingsError
from settings.dockerfile import started_by
from tests.unit.stacks import parse, stack_values


@pytest.mark.parametrize(
    ("dockerfile", "target", "words"),
    [
        ('FROM a\nENTRYPOINT ["/app"]', None, ["/app"]),
        ('FROM a\nENTRYPOINT ["java"]\nCMD ["-jar", "a.jar"]', None, ["java", "-jar", "a.jar"]),
        ('FROM a\nCMD ["serve"]', None, ["serve"]),
        ("FROM a\nCMD java -jar a.jar", None, ["/bin/sh", "-c", "java -jar a.jar"]),
        ('FROM a\nentrypoint [ \\\n  "java", \\\n  # why\n  "-jar" ]', None, ["java", "-jar"]),
        ('FROM a\nHEALTHCHECK --interval=5s \\\n  CMD ["check"]\nENTRYPOINT ["/app"]', None, ["/app"]),
        ('FROM a AS b\nENTRYPOINT ["/b"]\nCMD ["x"]\nFROM b', None, ["/b", "x"]),
        ('FROM a AS b\nENTRYPOINT ["/b"]\nCMD ["x"]\nFROM b\nENTRYPOINT ["/c"]', None, ["/c"]),
        ('FROM a AS b\nENTRYPOINT ["/b"]\nFROM c\nCOPY --from=b / /', None, []),
        ('FROM a AS slim\nENTRYPOINT ["/slim"]\nFROM slim AS full\nENTRYPOINT ["/full"]', "slim", ["/slim"]),
        ('FROM --platform=$BUILDPLATFORM a AS b\nCMD ["b"]\nFROM b AS c', "c", ["b"]),
        ("FROM a\nRUN make", None, []),
        ("", None, []),
    ],
)
def test_the_last_stage_or_the_target_says_what_is_started(
    dockerfile: str, target: str | None, words: list[str]
) -> None:
    assert started_by(dockerfile, target) == words


def test_the_projects_own_dockerfiles_are_read() -> None:
    assert started_by((ROOT / "images/spring-boot.Dockerfile").read_text()) == [
        "java",
        "-jar",
        "application.jar",
    ]
    assert started_by((ROOT / "local/sample/Dockerfile").read_text()) == ["/fileflow"]


def built(folder: Path, dockerfile: str, lease: dict[str, Any]) -> dict[str, Any]:
    (folder / "Dockerfile").write_text(dockerfile)
    values = stack_values("local")
    values["images"] = {"source": "build", "context": ".", "dockerfile": str(folder / "Dockerfile")}
    values["schedulers"][0]["lease"] = lease
    return values


def test_a_built_image_whose_start_is_not_known_asks_for_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"lease\.entry_point is null, but .* has no ENTRYPOINT or CMD"):
        parse("local", built(tmp_path, "FROM a", {}))

    settings = parse("local", built(tmp_path, "FROM a", {"entry_point": ["/app"]}))
    lease = settings.schedulers[0].lease
    assert lease is not None
    assert settings.lease_entry_point_of(lease) == ["/app"]


def test_a_built_image_is_started_as_its_dockerfile_says(tmp_path: Path) -> None:
    settings = parse("local", built(tmp_path, 'FROM a\nENTRYPOINT ["java"]\nCMD ["-jar", "a.jar"]', {}))
    lease = settings.schedulers[0].lease
    assert lease is not None
    assert settings.lease_entry_point_of(lease) == ["java", "-jar", "a.jar"]


def from_elsewhere(images: dict[str, Any]) -> dict[str, Any]:
    values = stack_values("local")
    values["images"] = {"source": "registry", **images}
    values["leases"] = {"deletion_protection": False}
    values["schedulers"][0]["lease"] = {}
    return values


@pytest.mark.parametrize("kind", ["dockerfile", "other"])
def test_an_image_from_elsewhere_that_no_buildpack_made_asks_for_its_start(kind: str) -> None:
    with pytest.raises(SettingsError, match=f"nothing says what an image of images.kind {kind} starts"):
        parse("local", from_elsewhere({"kind": kind}))


def test_an_image_from_elsewhere_that_a_buildpack_made_is_started_by_its_launcher() -> None:
    settings = parse("local", from_elsewhere({}))
    lease = settings.schedulers[0].lease
    assert lease is not None
    assert list(settings.lease_entry_point_of(lease)) == ["/cnb/process/web"]
