"""What changing each setting of a running stack does: docs/changes.md, rendered from docs/changes.json.

Owns the page's words. Doesn't own the facts: the walk records them (`tests/walk`), and a nightly run
compares them with what it sees.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from settings import Settings
from tools.setting_paths import settings_of

ROOT: Final = Path(__file__).parent.parent
RECORDED: Final = ROOT / "docs/changes.json"
NOTICE: Final = (
    "<!-- Written by `make docs` from changes.json, which the walk records; see CONTRIBUTING.md. -->"
)

Entry = Mapping[str, Any]


def read() -> dict[str, dict[str, list[dict[str, Any]]]]:
    """What the walk has recorded: by the stack that it started from, then by the run's name."""
    recorded: dict[str, dict[str, list[dict[str, Any]]]] = (
        json.loads(RECORDED.read_text(encoding="utf-8")) if RECORDED.exists() else {}
    )
    return recorded


def page() -> str:
    """The page of all recorded changes."""
    recorded = read()
    parts = [
        "# Changes of a running stack\n",
        NOTICE,
        "\nWhat `pulumi up` does when a setting of a running stack changes. Every row has been walked there "
        "and back, on the emulated AWS, while a watcher looked on: at no time did a scheduler have two tasks "
        "PENDING or RUNNING, and the web API answered throughout, unless the row says otherwise. After it "
        "an unchanged run changes nothing.\n",
        "- **in place**: AWS changes what is there; no task restarts.",
        "- **stops, then starts**: a scheduler's task is told to stop, then its successor starts. ECS counts "
        "a task that is stopping as gone, so the two may overlap until the stop timeout; see "
        "[singleton.md](singleton.md).",
        "- **starts, then stops**: a new task of the web API answers before an old one is drained and "
        "stopped.",
        "- **refused**: the preview says why, in one line, and nothing has changed.\n",
    ]
    shown: list[Entry] = []
    for base, runs in recorded.items():
        entries: list[Entry] = [each for run in runs.values() for each in run]
        # A stack that differs from the first one says only what it does differently.
        entries = [each for each in entries if each not in shown]
        shown = shown or entries
        parts += [f"## From {base}\n", "| setting | change | what happens | replaced |", "|---|---|---|---|"]
        parts += [_row(each) for each in entries]
        parts.append("")
    missing = not_recorded(recorded)
    if missing:
        parts.append("## Not walked yet\n")
        parts.append("No run of the walk has gone to these and back: " + ", ".join(missing) + ".\n")
    return "\n".join(parts)


def not_recorded(recorded: Mapping[str, Mapping[str, Sequence[Entry]]]) -> list[str]:
    """The settings that no recorded change names."""
    named = {
        path for runs in recorded.values() for run in runs.values() for each in run for path in each["change"]
    }
    return [f"`{each.path}`" for each in settings_of(Settings) if each.path not in named]


def _row(entry: Entry) -> str:
    settings = "<br>".join(f"`{path}`" for path in entry["change"])
    changes = "<br>".join(entry["change"].values())
    return f"| {settings} | {changes} | {'<br>'.join(_effects(entry))} | {_listed(entry, 'replaced')} |"


def _effects(entry: Entry) -> Iterator[str]:
    if "refused" in entry:
        yield f"**refused**: {entry['refused']}".replace("\n", "<br>").replace("|", "\\|")
        return
    if entry.get("failed"):
        yield "**fails**, and the former version goes on; the next run with the former file repairs it"
    if "interrupts" in entry:
        yield f"**interrupts the web API**: {entry['interrupts']}"
    restarted = entry.get("restarted", [])
    if "scheduler" in restarted:
        yield "scheduler **stops, then starts**"
    if "web API" in restarted:
        yield "web API **starts, then stops**"
    for kind in ("created", "deleted"):
        if kind in entry:
            yield f"{kind}: {_listed(entry, kind)}"
    if not restarted and "updated" in entry:
        yield f"**in place**: {_listed(entry, 'updated')}"
    if not any(key in entry for key in ("created", "deleted", "updated", "replaced", "restarted", "failed")):
        yield "nothing in AWS"


def _listed(entry: Entry, kind: str) -> str:
    return ", ".join(entry.get(kind, []))
