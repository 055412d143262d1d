"""KMS: keys and their aliases."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from ..naming import from_prefix
from ..resource import Call, Inputs, Resource, State, tag_changes, tag_list, tag_map
from .calls import given, retried, touched, unless_absent

_ABSENT: Final = "NotFoundException"
_GOING: Final = "PendingDeletion"
# A principal that was made a moment ago isn't known everywhere yet.
_PASSING: Final = "MalformedPolicyDocumentException"
_POLICY: Final = "default"
_LONGEST_WAIT_DAYS: Final = 30
_ROTATION_DAYS: Final = 365


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return tag_list(tags, "TagKey", "TagValue")


def find_key(kms: Any, key_id: str) -> dict[str, Any] | None:
    """The key's metadata; None for one that is going to be deleted."""
    found = unless_absent(lambda: kms.describe_key(KeyId=key_id)["KeyMetadata"], _ABSENT)
    if found is None or str(found.get("KeyState")).startswith(_GOING):
        return None
    return dict(found)


def _put_policy(call: Call, key_id: str, inputs: Inputs) -> None:
    retried(
        call,
        f"the principals in the policy of key {key_id} are known",
        lambda: call.client("kms").put_key_policy(
            KeyId=key_id,
            PolicyName=_POLICY,
            Policy=inputs["policy"],
            BypassPolicyLockoutSafetyCheck=bool(inputs.get("bypassPolicyLockoutSafetyCheck")),
        ),
        _PASSING,
        default_timeout_seconds=120,
    )


class Key(Resource):
    """KMS never deletes a key at once: it waits `deletionWindowInDays`, and so long it can be taken back."""

    token = "aws:kms/key:Key"
    defaults = MappingProxyType(
        {
            "bypassPolicyLockoutSafetyCheck": False,
            "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "isEnabled": True,
            "keyUsage": "ENCRYPT_DECRYPT",
        }
    )
    policies = frozenset({"policy"})
    kept = frozenset({"bypassPolicyLockoutSafetyCheck", "deletionWindowInDays"})
    missing = frozenset({_ABSENT})

    def create(self, call: Call, inputs: Inputs) -> str:
        kms = call.client("kms")
        parameters = {
            "BypassPolicyLockoutSafetyCheck": bool(inputs.get("bypassPolicyLockoutSafetyCheck")),
            "KeySpec": inputs["customerMasterKeySpec"],
            "KeyUsage": inputs["keyUsage"],
            **given(
                inputs,
                CustomKeyStoreId="customKeyStoreId",
                Description="description",
                MultiRegion="multiRegion",
                Policy="policy",
                XksKeyId="xksKeyId",
            ),
            **self._origin(inputs),
            **({"Tags": _tags(inputs["tags"])} if inputs.get("tags") else {}),
        }
        made = retried(
            call,
            "the principals in the key's policy are known",
            lambda: kms.create_key(**parameters),
            _PASSING,
            default_timeout_seconds=120,
        )
        key_id = str(made["KeyMetadata"]["KeyId"])
        if inputs.get("enableKeyRotation"):
            self._rotate(kms, key_id, inputs)
        if not inputs["isEnabled"]:
            kms.disable_key(KeyId=key_id)
        return key_id

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        kms = call.client("kms")
        key = find_key(kms, resource_id)
        if key is None:
            return None
        rotates, period = self._rotation(kms, key)
        return {
            "arn": key["Arn"],
            "customKeyStoreId": key.get("CustomKeyStoreId", ""),
            "customerMasterKeySpec": key.get("KeySpec") or key.get("CustomerMasterKeySpec"),
            "description": key.get("Description", ""),
            "enableKeyRotation": rotates,
            "isEnabled": bool(key.get("Enabled")),
            "keyId": key["KeyId"],
            "keyUsage": key["KeyUsage"],
            "multiRegion": bool(key.get("MultiRegion")),
            "policy": kms.get_key_policy(KeyId=resource_id, PolicyName=_POLICY)["Policy"],
            "rotationPeriodInDays": period,
            "tagsAll": tag_map(self._all_tags(kms, resource_id), "TagKey", "TagValue"),
            "xksKeyId": key.get("XksKeyConfiguration", {}).get("Id", ""),
            "id": key["KeyId"],
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        kms = call.client("kms")
        # A disabled key takes no other change: enable first, disable last.
        if new["isEnabled"] and touched(changed, "isEnabled"):
            kms.enable_key(KeyId=resource_id)
        if touched(changed, "enableKeyRotation", "rotationPeriodInDays"):
            if new.get("enableKeyRotation"):
                self._rotate(kms, resource_id, new)
            elif old.get("enableKeyRotation"):
                kms.disable_key_rotation(KeyId=resource_id)
        if touched(changed, "description"):
            kms.update_key_description(KeyId=resource_id, Description=new.get("description") or "")
        if new.get("policy") and touched(changed, "policy"):
            _put_policy(call, resource_id, new)
        if not new["isEnabled"] and touched(changed, "isEnabled"):
            kms.disable_key(KeyId=resource_id)
        wanted, gone = tag_changes(old, new)
        if gone:
            kms.untag_resource(KeyId=resource_id, TagKeys=gone)
        if wanted:
            kms.tag_resource(KeyId=resource_id, Tags=_tags(wanted))
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        kms = call.client("kms")
        if find_key(kms, resource_id) is not None:
            days = state.get("deletionWindowInDays") or _LONGEST_WAIT_DAYS
            kms.schedule_key_deletion(KeyId=resource_id, PendingWindowInDays=days)

    @staticmethod
    def _origin(inputs: Inputs) -> dict[str, str]:
        if inputs.get("xksKeyId"):
            return {"Origin": "EXTERNAL_KEY_STORE"}
        return {"Origin": "AWS_CLOUDHSM"} if inputs.get("customKeyStoreId") else {}

    @staticmethod
    def _rotate(kms: Any, key_id: str, inputs: Inputs) -> None:
        kms.enable_key_rotation(KeyId=key_id, **given(inputs, RotationPeriodInDays="rotationPeriodInDays"))

    @staticmethod
    def _rotation(kms: Any, key: Mapping[str, Any]) -> tuple[bool, int | None]:
        """Whether and how often the key rotates; asymmetric keys and those of a key store never do."""
        if key.get("Origin", "AWS_KMS") != "AWS_KMS" or key.get("KeySpec") != "SYMMETRIC_DEFAULT":
            return False, None
        status = kms.get_key_rotation_status(KeyId=key["KeyId"])
        return bool(status.get("KeyRotationEnabled")), status.get("RotationPeriodInDays", _ROTATION_DAYS)

    @staticmethod
    def _all_tags(kms: Any, key_id: str) -> list[dict[str, str]]:
        pages = kms.get_paginator("list_resource_tags").paginate(KeyId=key_id)
        return [tag for page in pages for tag in page.get("Tags", [])]


class Alias(Resource):
    token = "aws:kms/alias:Alias"
    exclusive = (("name", "namePrefix"),)
    missing = frozenset({_ABSENT})

    def check(self, inputs: Inputs) -> list[tuple[str, str]]:
        name = inputs.get("name")
        if isinstance(name, str) and not name.startswith("alias/"):
            return [("name", f"`name` must begin with alias/, not {name!r}")]
        return []

    def create(self, call: Call, inputs: Inputs) -> str:
        name = str(inputs.get("name") or from_prefix(inputs.get("namePrefix") or "alias/"))
        retried(
            call,
            f"key {inputs['targetKeyId']} is there",
            lambda: call.client("kms").create_alias(AliasName=name, TargetKeyId=inputs["targetKeyId"]),
            _ABSENT,
            default_timeout_seconds=60,
        )
        return name

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        alias = self._find(call.client("kms"), resource_id)
        if alias is None:
            return None
        key_id = alias.get("TargetKeyId", "")
        key_arn = call.arn("kms", f"key/{key_id}")
        known = str(state.get("targetKeyId") or "")
        return {
            "arn": alias["AliasArn"],
            "name": alias["AliasName"],
            "namePrefix": state.get("namePrefix") or "",
            "targetKeyArn": key_arn,
            # The program may name the key by its ARN; AWS says its id.
            "targetKeyId": known if known == key_arn else key_id,
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        if touched(changed, "targetKeyId"):
            call.client("kms").update_alias(AliasName=resource_id, TargetKeyId=new["targetKeyId"])
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        unless_absent(lambda: call.client("kms").delete_alias(AliasName=resource_id), _ABSENT)

    @staticmethod
    def _find(kms: Any, name: str) -> dict[str, Any] | None:
        for page in kms.get_paginator("list_aliases").paginate():
            for alias in page["Aliases"]:
                if alias["AliasName"] == name:
                    return dict(alias)
        return None


RESOURCES: tuple[Resource, ...] = (Alias(), Key())
