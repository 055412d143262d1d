"""A malformed file is named with the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.paths import ROOT
from local.yaml_check import main


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"config:\n  a: [1, 2\n", "Pulumi.x.yaml:3:1"),
        (b"config:\n\ta: 1\n", "Pulumi.x.yaml:2:1"),
        (b"config:\n  a: 1\n  a: 2\n", "Pulumi.x.yaml:3:3: the key 'a' is given twice"),
        (b"- a\n- b\n", "Pulumi.x.yaml:1:1: the file holds a list, not a mapping"),
        (b"just words\n", "Pulumi.x.yaml:1:1: the file holds a str, not a mapping"),
        (b"a: 'open\n", "Pulumi.x.yaml:"),
        (b"a: \xff\xfe\n", "Pulumi.x.yaml: "),
        (b"", ""),
        (b"config: {}\n", ""),
        (b"config:\n  a: 1\n  b: {a: 1}\n", ""),
    ],
)
def test_the_first_fault_is_told_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, expected: str
) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_bytes(content)

    assert main([str(file), str(file)]) == bool(expected)

    told = capsys.readouterr().out
    assert told.startswith(expected)
    assert len(told.splitlines()) == bool(expected)


def test_the_projects_own_files_are_well_formed() -> None:
    files = [str(file) for file in ROOT.glob("Pulumi*.yaml")]
    assert len(files) > 1
    assert main(files) == 0
