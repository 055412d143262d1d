"""The recordings lie as they are written: recording one anew changes only what differs."""

from __future__ import annotations

import pytest

from tests.golden.recordings import FOLDER, as_text, recorded


@pytest.mark.parametrize("name", ["aws-resources", "deployer-actions", "life"])
def test_a_recording_lies_as_it_is_written(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text(encoding="utf-8") == f"{as_text(recorded(name))}\n"
