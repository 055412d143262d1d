"""The repository: versions never move, and a running version is never tidied away."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from components.image_repository import ImageRepository, ImageRepositoryArgs
from components.validation import InvalidArgumentError
from tests.unit import type_tokens as t
from tests.unit.builders import REPOSITORY_URL, TAGS
from tests.unit.recorder import Recording, record

REPOSITORY = "fileflow:ecr:ImageRepository"
PREFIXES = ("web-api-", "download-scheduler-", "pipeline-scheduler-")


def record_repository(*, preview: bool = False, **changes: Any) -> Recording:
    """A run with one repository."""
    args = ImageRepositoryArgs(
        **{"repository_name": "fileflow", "tag_prefixes": PREFIXES, "tags": TAGS, **changes}
    )
    return record(lambda: ImageRepository("fileflow", args), preview=preview)


def test_a_repository_scans_on_push_and_lets_only_latest_tags_move() -> None:
    recording = record_repository()

    assert recording.counts() == Counter({REPOSITORY: 1, t.ECR_REPOSITORY: 1})
    inputs = recording.only(t.ECR_REPOSITORY).inputs
    assert {key: value for key, value in inputs.items() if key != "lifecyclePolicy"} == {
        "forceDelete": False,
        "imageScanningConfiguration": {"scanOnPush": True},
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": [{"filter": "*latest", "filterType": "WILDCARD"}],
        "name": "fileflow",
        "tags": TAGS,
    }


def test_the_last_versions_of_each_service_stay_whatever_the_others_push() -> None:
    recording = record_repository(kept_versions=7)

    assert recording.only(t.ECR_REPOSITORY).inputs["lifecyclePolicy"]["rules"] == [
        {
            "description": f"Keep the last 7 of {prefix}",
            "maximumNumberOfImages": 7,
            "tagPrefixList": [prefix],
            "tagStatus": "tagged",
        }
        for prefix in PREFIXES
    ]


def test_no_rule_expires_by_age_since_a_running_version_may_be_old() -> None:
    rules = record_repository().only(t.ECR_REPOSITORY).inputs["lifecyclePolicy"]["rules"]

    assert [rule for rule in rules if "maximumAgeLimit" in rule] == []


def test_the_address_is_known_at_preview_before_the_repository_exists() -> None:
    recording = record_repository(preview=True)

    assert recording.registered_outputs[recording.only(REPOSITORY).urn] == {
        "registry": REPOSITORY_URL.split("/", maxsplit=1)[0],
        "repository_name": "fileflow",
        "url": REPOSITORY_URL,
    }


def test_images_go_with_the_repository_only_when_asked_to() -> None:
    assert record_repository(force_delete=True).only(t.ECR_REPOSITORY).inputs["forceDelete"] is True


@pytest.mark.parametrize(("kept", "allowed"), [(1, False), (2, True), (1000, True), (1001, False)])
def test_at_least_one_version_to_roll_back_to_is_kept(kept: int, allowed: bool) -> None:
    if allowed:
        ImageRepositoryArgs(repository_name="fileflow", tag_prefixes=PREFIXES, kept_versions=kept)
        return
    with pytest.raises(InvalidArgumentError) as caught:
        ImageRepositoryArgs(repository_name="fileflow", tag_prefixes=PREFIXES, kept_versions=kept)

    assert (caught.value.field, caught.value.value) == ("kept_versions", kept)


@pytest.mark.parametrize(
    "prefixes",
    [
        ("web-api-", "web-api-"),
        ("web-api-", "web-api-scheduler-"),
        ("a-scheduler-", "a-scheduler-b-scheduler-"),
    ],
)
def test_a_prefix_that_begins_another_is_refused_since_it_would_count_the_others_versions(
    prefixes: tuple[str, ...],
) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        ImageRepositoryArgs(repository_name="fileflow", tag_prefixes=prefixes)

    assert caught.value.field == "tag_prefixes"
