"""One resource from creation to deletion through the aws stand-in, held to what must be true all along."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from local.plugins.aws import schema
from tests.golden.recordings import recorded
from tests.local.plugins.aws.plugin import Plugin

RECORDED: Mapping[str, Any] = recorded("aws-resources")
KINDS: Mapping[str, set[type]] = {
    "boolean": {bool},
    "integer": {int},
    "number": {int, float},
    "string": {str},
    "list": {list},
    "map": {dict},
    "object": {dict},
}

ONLY_FOR_SOME = {"cidrBlocks", "tagsAll"}
"""Outputs that are filled where there are tags, and of endpoints for gateways alone."""


class Life:
    """A resource that exists.

    Creating it asserts that its own arguments then show no difference, that its outputs have the names and
    kinds of the SDK, and that what the real provider was recorded to fill is filled.
    """

    def __init__(self, plugin: Plugin, token: str, name: str = "thing", /, **arguments: Any) -> None:
        self._plugin, self.token, self.arguments = plugin, f"aws:{token}", arguments
        self._name = name
        self.inputs = self._checked({}, arguments)
        self.outputs = plugin.create(self.token, self.inputs)
        self._assert_settled()
        self._assert_told()

    @property
    def id(self) -> str:
        return str(self.outputs["id"])

    def change(self, *, unchanged: Iterable[str] = (), **arguments: Any) -> dict[str, Any]:
        """Updates some arguments (None leaves one out) in place and returns the outputs.

        Asserts that exactly these but the `unchanged` ones change and nothing is replaced, that the resource
        settles, and that a refresh then finds what the update left behind.
        """
        wanted = self._with(arguments)
        inputs = self._checked(self.inputs, wanted)
        found = self._plugin.diff(self.token, self.outputs, self.inputs, inputs)
        expected = {name for name in arguments if name not in unchanged}
        assert {path.split(".")[0].split("[")[0] for path in found.changes} == expected
        assert found.replaces == []
        self.outputs = self._plugin.update(self.token, self.outputs, self.inputs, inputs)
        self.arguments, self.inputs = wanted, inputs
        self._assert_settled()
        refreshed = self.refreshed()
        assert refreshed == (self.outputs, self.inputs)
        return self.outputs

    def replaced_by(self, **arguments: Any) -> list[str]:
        """Which of the changed arguments would replace the resource."""
        inputs = self._checked(self.inputs, self._with(arguments))
        return self._plugin.diff(self.token, self.outputs, self.inputs, inputs).replaces

    def replace(self, **arguments: Any) -> dict[str, Any]:
        """Replaces it by one with other arguments, in the order that Diff asks for; returns the outputs.

        Asserts that the replacement is there afterwards, as the state has it.
        """
        self.arguments = {**self.arguments, **arguments}
        old, inputs = self.outputs, self._checked(self.inputs, self.arguments)
        found = self._plugin.diff(self.token, old, self.inputs, inputs)
        assert found.replaces
        if found.delete_before_replace:
            self._plugin.delete(self.token, old)
        self.inputs, self.outputs = inputs, self._plugin.create(self.token, inputs)
        if not found.delete_before_replace:
            self._plugin.delete(self.token, old)
        assert self.refreshed()[0] == self.outputs
        return self.outputs

    def refreshed(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a refresh makes of outputs and inputs."""
        found = self._plugin.read(self.token, self.id, self.outputs, self.inputs)
        assert found is not None
        return found

    def put_back(self) -> list[str]:
        """What a refresh and the next update change after somebody changed it; then nothing is left to do."""
        self.outputs, drifted = self.refreshed()
        inputs = self._checked(drifted, self.arguments)
        found = self._plugin.diff(self.token, self.outputs, drifted, inputs)
        assert found.replaces == []
        self.outputs = self._plugin.update(self.token, self.outputs, drifted, inputs)
        self.inputs = inputs
        self._assert_settled()
        return sorted({path.split(".")[0].split("[")[0] for path in found.changes})

    def imported(self, resource_id: str | None = None, *, unknowable: Iterable[str] = ()) -> dict[str, Any]:
        """Imports it by its id alone and returns the outputs.

        Asserts that they are the known ones but for what AWS can't tell (`unknowable`), and that the imported
        arguments are accepted and show no difference.
        """
        found = self._plugin.read(self.token, resource_id or self.id)
        assert found is not None
        outputs, inputs = found
        assert _without(outputs, unknowable) == _without(self.outputs, unknowable)
        arguments = {name: value for name, value in inputs.items() if name != "__defaults"}
        accepted = self._checked(inputs, arguments)
        assert self._plugin.diff(self.token, outputs, inputs, accepted).changes == {}
        return outputs

    def delete(self) -> None:
        """Deletes it twice, and asserts that it is gone: an interrupted deletion is repeated."""
        self._plugin.delete(self.token, self.outputs)
        self._plugin.delete(self.token, self.outputs)
        assert self._plugin.read(self.token, self.id, self.outputs, self.inputs) is None

    def _with(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Its arguments with others; None leaves one out."""
        return {n: v for n, v in {**self.arguments, **arguments}.items() if v is not None}

    def _checked(self, old: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
        checked = self._plugin.check(self.token, arguments, old=old, name=self._name)
        assert checked.failures == {}
        return checked.inputs

    def _assert_settled(self) -> None:
        inputs = self._checked(self.inputs, self.arguments)
        assert self._plugin.diff(self.token, self.outputs, self.inputs, inputs).changes == {}

    def _assert_told(self) -> None:
        described = schema.of_resource(self.token).outputs
        assert self.outputs.keys() - {"id"} == described.keys() - {"id"}
        assert [name for name in described if not _fits(self.outputs[name], described[name].type)] == []
        examples = RECORDED[self.token]["examples"] if self.token in RECORDED else ()
        missing = [
            {name for name, value in each["outputs"].items() if not _filled(self.outputs[name], value)}
            for each in examples
        ]
        assert not missing or min(missing, key=len) <= ONLY_FOR_SOME


def _fits(value: Any, described: schema.Type) -> bool:
    """Whether a value has the kind that the SDK says, at any depth."""
    if value is None:
        return True
    if type(value) not in KINDS.get(described.kind, {type(value)}):
        return False
    if described.kind == "object":
        members = described.properties or {}
        return value.keys() <= members.keys() and all(_fits(value[n], members[n].type) for n in value)
    parts = value.values() if described.kind == "map" else value if described.kind == "list" else ()
    return all(described.element is None or _fits(part, described.element) for part in parts)


def _filled(value: Any, recorded: Any) -> bool:
    """Whether a value has at least the parts of the recorded one."""
    if isinstance(recorded, dict) and isinstance(value, dict):
        return all(_filled(value.get(name), member) for name, member in recorded.items())
    if isinstance(recorded, list) and isinstance(value, list):
        return bool(value) and all(_filled(*pair) for pair in zip(value, recorded, strict=False))
    return value is not None


def _without(properties: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name not in {*names, "tags"}}
