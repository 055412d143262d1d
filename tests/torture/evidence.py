"""What came of one kind of torture, and the table of all of them.

Owns the columns and the words. Doesn't own how anything is counted: each kind counts for itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

COLUMNS = (
    "scenes",
    "faults injected",
    "kills",
    "configurations",
    "overlaps of work with the lease",
    "without it",
    "longest time without a scheduler",
    "runs that didn't converge",
    "secrets found",
)


@dataclass
class Evidence:
    """What came of one kind. What it doesn't count is left out of `counts`, and a dash in the table.

    `failures` name what was wrong, each in a line that says how to see it again; `notes` what a reader has to
    know beside the counts, above all what this machine couldn't do.
    """

    kind: str
    counts: Mapping[str, int | str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def table(found: Sequence[Evidence]) -> str:
    """All kinds as a table, with the notes and the failures below it."""
    lines = [f"| kind | {' | '.join(COLUMNS)} |", "|---|" + "---:|" * len(COLUMNS)]
    for each in found:
        unknown = set(each.counts) - set(COLUMNS)
        if unknown:
            raise ValueError(f"{each.kind} counts {', '.join(sorted(unknown))}, for which there is no column")
        cells = [_word(each.counts.get(column, "–")) for column in COLUMNS]
        lines.append(f"| {each.kind} | {' | '.join(cells)} |")
    lines += [f"\n{each.kind}: {note}" for each in found for note in each.notes]
    lines += [f"\nFAILED: {each.kind}: {failure}" for each in found for failure in each.failures]
    return "\n".join(lines)


def _word(count: int | str) -> str:
    return f"{count:,}" if isinstance(count, int) else count
