"""A change of a stack's file, as data: which settings get which values, and how that is put into a file.

Owns neither which changes are walked (`runs`) nor what they must not do (`rules`).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final


class _Left:
    """Stands for a key that isn't in the file."""

    def __repr__(self) -> str:
        return "left out"


LEFT_OUT: Final = _Left()


PLAIN: Final = "plain HTTP, own VPC"
HTTPS: Final = "HTTPS, existing VPC"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One or more settings that change together, because the one needs the other.

    `values` are by the settings' paths; below a list the first element is meant. A text `$name` is a fact
    of the deployment (`facts`). `touches` finds the resources that belong to this change, by the type and
    the name, where others go in with it. `interrupts` says why the API is away meanwhile; the preview has
    to say so too.
    """

    values: Mapping[str, Any]
    touches: str = ""
    interrupts: str = ""

    @property
    def resources(self) -> str:
        """What finds its resources: by default those of its service, where it is one service's."""
        if self.touches:
            return self.touches
        owners = {path.partition(".")[0] for path in self.values}
        return {"web_api": " fileflow-web-api", "schedulers": " fileflow-scheduler-download"}.get(
            owners.pop() if len(owners) == 1 else "", ""
        )


@dataclass(frozen=True, kw_only=True)
class Run:
    """What goes in by one `pulumi up`, and out again by another.

    Changes of one run touch different resources, so that each is seen by itself. `renames` maps the new
    names of schedulers to the old ones. `fails` ones fail halfway on purpose. `previewed` ones have their
    preview first, as a person's have, because that refuses them. After one that `deletes_keys` KMS is about
    to delete a key; after any other, what was encrypted can be read. `bases` are the stacks that it is
    walked from.
    """

    name: str
    changes: Sequence[Change]
    renames: Mapping[str, str] | None = None
    fails: bool = False
    previewed: bool = False
    deletes_keys: bool = False
    bases: Sequence[str] = (PLAIN,)


def one(name: str, values: Mapping[str, Any], **how: Any) -> Run:
    """A run of one change."""
    interrupts = how.pop("interrupts", "")
    return Run(name=name, changes=[Change(values=values, interrupts=interrupts)], **how)


def of_each_service(name: str, values: Mapping[str, Any], **how: Any) -> Run:
    """What the web API and the schedulers have alike, changed for the one and for one of the others."""
    changes = [
        Change(values={f"{owner}.{path}": value for path, value in values.items()})
        for owner in ("web_api", "schedulers")
    ]
    return Run(name=name, changes=changes, **how)


def changed(values: Mapping[str, Any], changes: Sequence[Change]) -> dict[str, Any]:
    """The file's values with these changes; the given ones stay as they are."""
    result: dict[str, Any] = copy.deepcopy(dict(values))
    for change in changes:
        for path, value in change.values.items():
            *parents, last = path.split(".")
            section: Any = result
            for part in parents:
                section = section.setdefault(part, {})
                if isinstance(section, list):
                    if not section:
                        section.append({})
                    section = section[0]
            if value is LEFT_OUT:
                section.pop(last, None)
            else:
                section[last] = copy.deepcopy(value)
    return result


def with_facts(value: Any, facts: Mapping[str, str]) -> Any:
    """The value with each `$name` replaced by what it is called in this deployment."""
    if isinstance(value, str):
        return re.sub(r"\$([a-z_]+)", lambda found: facts[found[1]], value)
    if isinstance(value, Mapping):
        return {key: with_facts(each, facts) for key, each in value.items()}
    if isinstance(value, list):
        return [with_facts(each, facts) for each in value]
    return value
