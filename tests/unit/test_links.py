"""Links between the project's pages lead somewhere; those to other sites aren't asked for."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def pages() -> list[str]:
    """The pages that are part of the repository."""
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, text=True, capture_output=True, check=True)
    return listed.stdout.split()


def anchors(page: Path) -> set[str]:
    """What its headings are called in a link, as GitHub makes it."""
    headings = HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", each.strip().lower()).replace(" ", "-") for each in headings}


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """The files that it links to, with the heading in them."""
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" not in link:
            path, _, anchor = link.partition("#")
            yield (page.parent / path if path else page), anchor


@pytest.mark.parametrize("page", pages())
def test_each_link_of_a_page_leads_to_a_file_and_to_a_heading_of_it(page: str) -> None:
    found = list(links(ROOT / page))
    assert [str(target) for target, _ in found if not target.exists()] == []
    assert [
        (str(target), anchor)
        for target, anchor in found
        if anchor and target.suffix == ".md" and anchor not in anchors(target)
    ] == []
