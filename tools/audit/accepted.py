"""The findings that were accepted, each by name: why, what is done instead, and who decides.

Owns reading the file and what must stand in it. Doesn't own whether one still applies (`judgement`).
"""

from __future__ import annotations

import fnmatch
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from local.errors import LocalError

ACCEPTED: Final = Path(__file__).with_name("accepted.yaml")


class Acceptance(BaseModel):
    """One accepted check, on the resources of one kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    check: str = Field(min_length=1)
    resource: str = Field(pattern=r"^aws:\w+/\w+:\w+$")
    """Pulumi's type token."""
    name: str = "*"
    """A pattern of logical names."""
    stacks: list[str] = Field(min_length=1)
    """The stacks that it is accepted on, by their names' patterns."""
    reason: str = Field(min_length=20)
    instead: str = Field(min_length=20)
    decides: str = Field(min_length=3)

    def concerns(self, stack: str) -> bool:
        """Whether it is about this stack at all."""
        return any(fnmatch.fnmatchcase(stack, pattern) for pattern in self.stacks)

    def covers(self, check: str, kind: str, name: str) -> bool:
        """Whether a finding of this check on this resource is what it is about."""
        return (self.check, self.resource) == (check, kind) and fnmatch.fnmatchcase(name, self.name)


def read(path: Path = ACCEPTED) -> list[Acceptance]:
    """The file's acceptances. Raises LocalError that names each mistake."""
    entries: Any = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    if not isinstance(entries, list):
        raise LocalError(f"{path.name} isn't a list.", "write one entry for each accepted check.")
    found, mistakes = [], []
    for number, entry in enumerate(entries, start=1):
        try:
            found.append(Acceptance.model_validate(entry))
        except ValidationError as error:
            mistakes += [
                f"entry {number}: {'.'.join(map(str, each['loc'])) or 'entry'}: {each['msg']}"
                for each in error.errors()
            ]
    if mistakes:
        raise LocalError(f"{path.name}: {'; '.join(mistakes)}.", "correct the file.")
    return found
