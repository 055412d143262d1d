"""Each heading of the deployment guide has a verb or a page that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from operate.app import app
from tools.runbook import GUIDE

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("heading", GUIDE)
def test_a_heading_of_the_guide_leads_to_a_verb_or_a_page(heading: str) -> None:
    for entry in GUIDE[heading]:
        page, _, anchor = entry.partition("#")
        if entry in app.commands:
            continue
        text = (ROOT / page).read_text(encoding="utf-8")
        titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        anchors = {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles}
        assert not anchor or anchor in anchors


def test_every_verb_says_what_it_does_in_one_line() -> None:
    for name, command in app.commands.items():
        first = (command.help or "").partition("\n")[0]
        assert first.endswith("."), name


def test_what_a_failed_make_up_says_to_type_next_needs_no_more_words() -> None:
    said = (ROOT / "local" / "cli.py").read_text(encoding="utf-8")
    (name,) = re.findall(r"^  python -m operate ([a-z-]+)$", said, re.MULTILINE)
    assert not any(each.required for each in app.commands[name].params)
