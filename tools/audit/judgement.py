"""Holds what was found on a stack's own resources against what was accepted.

Pure. A finding is passed, accepted or open; an acceptance that nothing is found for any more is stale, and as
bad as an open finding: a reason that no longer applies hides the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tools.audit.accepted import Acceptance
from tools.audit.prowler import Found, Requirement
from tools.audit.resources import OwnResources

PASSES: Final = "passes"
ACCEPTED: Final = "accepted"
OPEN: Final = "open"
STALE: Final = "stale"
BY_HAND: Final = "by hand"
STATES: Final = (OPEN, STALE, ACCEPTED, BY_HAND, PASSES)
"""In the order in which a reader wants them."""


@dataclass(frozen=True)
class Row:
    """One line of the report."""

    requirements: tuple[str, ...]
    check: str
    severity: str
    resource: str
    """The kind and the logical name."""
    state: str
    said: str
    reason: str = ""

    @property
    def fails(self) -> bool:
        """Whether the audit fails by it."""
        return self.state in (OPEN, STALE)


def judge(
    stack: str,
    own: OwnResources,
    found: Iterable[Found],
    accepted: Sequence[Acceptance],
    requirements: Mapping[str, Sequence[Requirement]],
) -> list[Row]:
    """The rows of a stack's report, what fails first."""
    concerned = [each for each in accepted if each.concerns(stack)]
    used: set[tuple[str, str, str]] = set()
    rows = []
    for each in found:
        resource = own.find(each.uid)
        if resource is None:
            continue
        match = next((a for a in concerned if a.covers(each.check, resource.type, resource.name)), None)
        state, reason = {"PASS": PASSES, "MANUAL": BY_HAND}.get(each.status, OPEN), ""
        if state == OPEN and match is not None:
            state, reason = ACCEPTED, match.reason
            used.add(_key(match))
        rows.append(
            Row(
                requirements=named(requirements.get(each.check, ())),
                check=each.check,
                severity=each.severity,
                resource=shown(resource.type, resource.name),
                state=state,
                said=each.said,
                reason=reason,
            )
        )
    rows += [
        Row(
            requirements=named(requirements.get(each.check, ())),
            check=each.check,
            severity="",
            resource=shown(each.resource, each.name),
            state=STALE,
            said="nothing is found that it accepts: the resource is gone, or the check passes",
            reason=each.reason,
        )
        for each in concerned
        if _key(each) not in used
    ]
    return sorted(rows, key=lambda row: (STATES.index(row.state), row.requirements, row.check, row.resource))


def _key(acceptance: Acceptance) -> tuple[str, str, str]:
    return acceptance.check, acceptance.resource, acceptance.name


def shown(kind: str, name: str) -> str:
    """A resource as a reader knows it: the last word of its type token, and its name."""
    return f"{kind.rpartition(':')[2]} {name}"


def named(requirements: Sequence[Requirement]) -> tuple[str, ...]:
    """Requirements as a reader quotes them, each once."""
    return tuple(dict.fromkeys(f"{each.framework} {each.id}" for each in requirements))
