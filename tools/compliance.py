"""The pages for an auditor: docs/compliance.md and its Korean equal.

Owns their words that aren't facts. Doesn't own the facts: `tools/audit` says what each check belongs to and
what holds it, what each requirement is fulfilled by, and what was accepted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import yaml

from tools.audit import accepted

FOLDER: Final = Path(__file__).parent / "audit"
NOTICE: Final = "<!-- Written by `make docs` from tools/audit/*.yaml; change those. -->"
Language = Literal["en", "ko"]


def words_of(language: Language) -> Mapping[str, Any]:
    """The page's words in a language."""
    read: dict[str, Mapping[str, Any]] = yaml.safe_load((FOLDER / "page.yaml").read_text(encoding="utf-8"))
    return read[language]


def checks() -> dict[str, dict[str, Any]]:
    """Each check that applies, with what holds it."""
    read: dict[str, dict[str, Any]] = yaml.safe_load((FOLDER / "checks.yaml").read_text(encoding="utf-8"))
    return read


def requirements() -> list[dict[str, Any]]:
    """Each requirement that concerns the system."""
    read: list[dict[str, Any]] = yaml.safe_load((FOLDER / "requirements.yaml").read_text(encoding="utf-8"))
    return read


def page(language: Language) -> str:
    """The whole page."""
    words = words_of(language)
    entries, applying = accepted.read(), checks()
    lines = [f"# {words['title']}", "", NOTICE, "", words["other"], "", words["intro"]]
    lines += [f"## {words['requirements']}", "", *_head(words["columns"])]
    for each in requirements():
        number = sum(each["id"] in check.get("isms_p", ()) for check in applying.values())
        lines.append(
            _row(
                f"{each['id']} {each['name'][language]}",
                each["fulfilled"][language],
                str(number or ""),
                f"`{each['evidence']}`".replace("|", "\\|"),
                each["organisation"][language],
            )
        )
    lines += ["", f"## {words['checks']}", "", *_head(words["check_columns"])]
    names = {each.check for each in entries}
    for name, check in applying.items():
        lines.append(
            _row(
                f"`{name}`",
                check["severity"],
                ", ".join(check.get("isms_p", ())),
                ", ".join(check.get("cis", ())),
                held_by(check, name in names, words),
            )
        )
    lines += ["", f"## {words['accepted']}", "", *_head(words["accepted_columns"])]
    lines += [
        _row(f"`{each.check}`", ", ".join(each.stacks), each.reason, each.instead, each.decides)
        for each in entries
    ]
    return "\n".join([*lines, ""])


def held_by(check: Mapping[str, Any], is_accepted: bool, words: Mapping[str, Any]) -> str:
    """What keeps a check from failing; an acceptance stands beside a rule where a stack leaves that out."""
    held = []
    if "rule" in check:
        rule = check["rule"]
        held.append(words["rule"].format(f"[{rule}](policies.md#{rule})"))
    if "component" in check:
        link = f"[{Path(check['component']).stem}](../{check['component']})"
        held.append(words["component"].format(link, check["because"]))
    if "setting" in check:
        held.append(words["setting"].format(check["setting"]))
    if is_accepted:
        held.append(words["accepted_as"])
    return "; ".join(held)


def _head(columns: Sequence[str]) -> list[str]:
    return [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]


def _row(*texts: str) -> str:
    return f"| {' | '.join(' '.join(text.split()) for text in texts)} |"
