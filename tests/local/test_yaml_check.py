"""A malformed file is named with the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.yaml_check import fault, main

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("config:\n  a: [1, 2\n", "Pulumi.x.yaml:3:1"),
        ("config:\n\ta: 1\n", "Pulumi.x.yaml:2:1"),
        ("config:\n  a: 1\n  a: 2\n", "Pulumi.x.yaml:3:3: the key 'a' is given twice"),
        ("- a\n- b\n", "Pulumi.x.yaml:1:1: the file holds a list, not a mapping"),
        ("just words\n", "Pulumi.x.yaml:1:1: the file holds a str, not a mapping"),
        ("a: 'open\n", "Pulumi.x.yaml:"),
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(text)
    found = fault(file)
    assert found is not None
    assert found.startswith(expected)
    assert "\n" not in found


@pytest.mark.parametrize("text", ["", "config: {}\n", "config:\n  a: 1\n  b: {a: 1}\n"])
def test_a_well_formed_file_has_no_fault(tmp_path: Path, text: str) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(text)
    assert fault(file) is None


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_bytes(b"a: \xff\xfe\n")
    assert (fault(file) or "").startswith("Pulumi.x.yaml: ")


def test_the_first_fault_ends_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("a: 1\n")
    bad.write_text("a: [\n")
    assert main([str(good)]) == 0
    assert main([str(good), str(bad), str(bad)]) == 1
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_the_projects_own_files_are_well_formed() -> None:
    files = [str(file) for file in CHECKOUT.glob("Pulumi*.yaml")]
    assert len(files) > 1
    assert main(files) == 0
