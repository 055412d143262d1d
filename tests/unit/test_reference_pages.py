"""The generated pages say what the code says."""

from __future__ import annotations

from tools.reference import outdated


def test_no_reference_page_is_outdated() -> None:
    assert outdated() == []
