"""SSM: parameters."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from ..naming import AutoName
from ..resource import Call, Inputs, Resource, State, tag_changes, tag_list, tag_map
from .calls import given, one, unless_absent
from .defaulting import if_given

_ABSENT: Final = "ParameterNotFound"
_SECURE: Final = "SecureString"
_VALUES: Final = ("insecureValue", "value", "valueWo")


def _same_tier(there: Any, argument: Any) -> bool:
    """Intelligent tiering is a choice that AWS makes once."""
    return argument == "Intelligent-Tiering" or if_given(there, argument)


class Parameter(Resource):
    token = "aws:ssm/parameter:Parameter"
    auto_name = AutoName(max_length=2048)
    exclusive = (_VALUES,)
    same = MappingProxyType({"tier": _same_tier})
    kept = frozenset({"overwrite", "valueWo", "valueWoVersion"})
    missing = frozenset({_ABSENT})

    def check(self, inputs: Inputs) -> list[tuple[str, str]]:
        if not any(name in inputs for name in _VALUES):
            return [("value", f"one of {', '.join(f'`{name}`' for name in _VALUES)} must be given")]
        if inputs.get("type") == _SECURE and "insecureValue" in inputs:
            return [("insecureValue", "a SecureString takes `value`, not `insecureValue`")]
        return []

    def create(self, call: Call, inputs: Inputs) -> str:
        name = str(inputs["name"])
        overwrite = bool(inputs.get("overwrite"))
        tags = tag_list(inputs.get("tags"))
        # SSM takes tags with a new parameter only.
        self._put(call, name, inputs, overwrite, {"Tags": tags} if tags and not overwrite else {})
        if tags and overwrite:
            call.client("ssm").add_tags_to_resource(ResourceType="Parameter", ResourceId=name, Tags=tags)
        return name

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        ssm = call.client("ssm")
        found = unless_absent(
            lambda: ssm.get_parameter(Name=resource_id, WithDecryption=True)["Parameter"], _ABSENT
        )
        if found is None:
            return None
        filters = [{"Key": "Name", "Option": "Equals", "Values": [resource_id]}]
        details = one(ssm.describe_parameters(ParameterFilters=filters)["Parameters"]) or {}
        tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=resource_id)
        write_only = state.get("valueWo") is not None or bool(state.get("hasValueWo"))
        plain = state.get("insecureValue") is not None and found["Type"] != _SECURE
        return {
            "allowedPattern": details.get("AllowedPattern", ""),
            "arn": found["ARN"],
            "dataType": details.get("DataType") or found.get("DataType", "text"),
            "description": details.get("Description", ""),
            "hasValueWo": write_only or None,
            "insecureValue": found["Value"] if plain else None,
            "keyId": details.get("KeyId", "") if found["Type"] == _SECURE else "",
            "name": found["Name"],
            "tagsAll": tag_map(tags.get("TagList")),
            "tier": details.get("Tier", "Standard"),
            "type": found["Type"],
            "value": None if write_only or plain else found["Value"],
            "version": found["Version"],
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        ssm = call.client("ssm")
        if not changed or changed - {"tags", "overwrite"}:
            self._put(call, resource_id, new, overwrite=True)
        wanted, gone = tag_changes(old, new)
        target = {"ResourceType": "Parameter", "ResourceId": resource_id}
        if gone:
            ssm.remove_tags_from_resource(**target, TagKeys=gone)
        if wanted:
            ssm.add_tags_to_resource(**target, Tags=tag_list(wanted))
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        del state
        unless_absent(lambda: call.client("ssm").delete_parameter(Name=resource_id), _ABSENT)

    @staticmethod
    def _put(
        call: Call, name: str, inputs: Inputs, overwrite: bool, tags: Mapping[str, Any] | None = None
    ) -> None:
        value = next((inputs[key] for key in _VALUES if inputs.get(key) is not None), "")
        secure = given(inputs, KeyId="keyId") if inputs["type"] == _SECURE else {}
        call.client("ssm").put_parameter(
            AllowedPattern=inputs.get("allowedPattern") or "",
            Description=inputs.get("description") or "",
            Name=name,
            Overwrite=overwrite,
            Type=inputs["type"],
            Value=value,
            **given(inputs, DataType="dataType", Tier="tier"),
            **secure,
            **(tags or {}),
        )


RESOURCES: tuple[Resource, ...] = (Parameter(),)
