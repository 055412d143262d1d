"""Which Pulumi CLI fits."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.engine.version import Version, fits, pinned
from local.errors import LocalError

numbers = st.integers(min_value=0, max_value=999)
versions = st.builds(Version, numbers, numbers, numbers)


@given(versions)
def test_a_version_is_read_as_it_is_written(version: Version) -> None:
    assert Version.parse(f"v{version}\n") == version
    assert Version.parse(str(version)) == version
    assert Version.parse(f"v{version}-alpha.1+dirty") == version


@pytest.mark.parametrize("text", ["", "pulumi", "3", "3.250", "three.two.one"])
def test_what_is_no_version_is_not_read(text: str) -> None:
    assert Version.parse(text) is None


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("3.250.0", True),
        ("3.250.7", True),
        ("3.251.0", True),
        ("3.249.9", False),
        ("2.300.0", False),
        ("4.0.0", False),
    ],
)
def test_an_engine_fits_an_sdk_of_its_own_or_an_older_minor_version(found: str, expected: bool) -> None:
    version = Version.parse(found)
    assert version is not None
    assert fits(version, Version(3, 250, 0)) is expected


def test_the_sdk_in_the_requirements_is_the_pin(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("pulumi-aws==7.1.0\npulumi==3.12.4   # the SDK\n")
    assert pinned(tmp_path) == Version(3, 12, 4)


def test_requirements_without_a_pin_are_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("pulumi>=3\n")
    with pytest.raises(LocalError, match=r"no line `pulumi==") as error:
        pinned(tmp_path)
    assert "pin the Pulumi SDK" in error.value.fix
