"""What a preview would create, and the import file that Pulumi writes beside it.

Pure. Owns the form of both, and how an import file is filled in. Doesn't own where ids come from.
Source: https://www.pulumi.com/docs/iac/guides/migration/import/ (section "Bulk import operations")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine prints for a value that only an update will know.

Source: https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/plugin/rpc.go
"""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One resource that a preview would create."""

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Any]
    dependencies: Mapping[str, Sequence[str]]
    """By each argument, the URNs of the resources that its value comes from."""

    def known(self, argument: str) -> str:
        """The argument as text; empty where it isn't given, or not known before an update."""
        value = self.inputs.get(argument)
        return "" if value in (None, UNKNOWN) else str(value)

    def source(self, argument: str, type_: str) -> str | None:
        """The URN of the resource of that type whose output the argument is."""
        return next((urn for urn in self.dependencies.get(argument, ()) if type_of(urn) == type_), None)


def type_of(urn: str) -> str:
    """The type of the resource itself, without its parents'."""
    return urn.split("::")[2].rpartition("$")[2]


def planned(preview: Mapping[str, Any]) -> dict[str, Planned]:
    """What `pulumi preview --json` would create, by URN."""
    found = {}
    for step in preview.get("steps", ()):
        if step["op"] != "create":
            continue
        state = step["newState"]
        found[step["urn"]] = Planned(
            urn=step["urn"],
            type=state["type"],
            name=step["urn"].split("::", 3)[3],
            inputs=state.get("inputs", {}),
            dependencies=state.get("propertyDependencies", {}),
        )
    return found


def filled_in(import_file: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    """The import file with these ids, by URN, and with nothing that has none.

    A parent stays where something below it stays: the engine finds it by the file alone.
    """
    resources = {each["name"]: each for each in import_file["resources"]}
    by_tail = {urn.split("::", 2)[2]: resource_id for urn, resource_id in ids.items()}
    kept: dict[str, dict[str, Any]] = {}
    for name, resource in resources.items():
        line = _line(resource, resources)
        if line is None or _tail(line) not in by_tail:
            continue
        for each in line[:-1]:
            kept.setdefault(each["name"], dict(each))
        kept[name] = {**resource, "id": by_tail[_tail(line)]}
    # In the file's own order parents come before their children.
    return {**import_file, "resources": [kept[name] for name in resources if name in kept]}


def _line(
    resource: Mapping[str, Any], resources: Mapping[str, Mapping[str, Any]]
) -> list[Mapping[str, Any]] | None:
    """A resource with its parents, the outermost first; None where one of them isn't in the file."""
    line = [resource]
    while "parent" in line[0]:
        parent = resources.get(line[0]["parent"])
        if parent is None:
            return None
        line.insert(0, parent)
    return line


def _tail(line: Sequence[Mapping[str, Any]]) -> str:
    """The end of the URN: the types from the outermost parent inwards, and the resource's own name."""
    return f"{'$'.join(each['type'] for each in line)}::{line[-1].get('logicalName', line[-1]['name'])}"
