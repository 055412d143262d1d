"""What the audit says: a table for the terminal, CSV for a spreadsheet, HTML for an auditor.

Pure, but for writing the two files. Doesn't own what is in them (`judgement`).
"""

from __future__ import annotations

import csv
import html
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tools.audit.judgement import PASSES, STATES, Row

COLUMNS: Final = ("requirement", "check", "severity", "resource", "state", "finding", "reason")


def cells(row: Row) -> tuple[str, ...]:
    """A row's texts, in the order of the columns."""
    return (
        ", ".join(row.requirements),
        row.check,
        row.severity,
        row.resource,
        row.state,
        row.said,
        row.reason,
    )


def table(rows: Sequence[Row]) -> str:
    """The rows that don't pass, and how many of each state there are."""
    shown = [row for row in rows if row.state != PASSES]
    texts = [
        (row.state, _shortened(", ".join(row.requirements), 34), row.check, row.resource) for row in shown
    ]
    headings = ("state", "requirement", "check", "resource")
    widths = [max(len(each[column]) for each in (headings, *texts)) for column in range(len(headings))]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(each, widths, strict=True)).rstrip()
        for each in (headings, *texts)
    ]
    counted = Counter(row.state for row in rows)
    checks = len({row.check for row in rows})
    summary = ", ".join(f"{counted[state]} {state}" for state in STATES if counted[state])
    return "\n".join(
        [*lines, "", f"{summary or 'nothing found'}; {checks} checks on the stack's own resources."]
    )


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def write(rows: Sequence[Row], stack: str, folder: Path) -> tuple[Path, Path]:
    """Writes the CSV and the HTML, with every row, and returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    text, page = folder / f"audit-{stack}.csv", folder / f"audit-{stack}.html"
    with text.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(cells(row) for row in rows)
    page.write_text(_page(rows, stack), encoding="utf-8")
    return text, page


def _page(rows: Sequence[Row], stack: str) -> str:
    head = "".join(f"<th>{column}</th>" for column in COLUMNS)
    body = "\n".join(
        f'<tr class="{row.state.replace(" ", "-")}">'
        + "".join(f"<td>{html.escape(text)}</td>" for text in cells(row))
        + "</tr>"
        for row in rows
    )
    style = (
        "body{font-family:sans-serif}table{border-collapse:collapse}td,th{border:1px solid #999;padding:4px;"
        "text-align:left;vertical-align:top}.open,.stale{background:#fdd}.accepted{background:#ffd}"
    )
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Audit of {html.escape(stack)}</title>'
        f"<style>{style}</style>\n<h1>Audit of {html.escape(stack)}</h1>\n"
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></html>\n"
    )
