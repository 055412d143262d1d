"""KMS functions: keys that exist already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..resource import Call, Function, Inputs
from ..resources.calls import unless_absent


def _text(moment: Any) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _get_key(call: Call, args: Inputs) -> Mapping[str, Any]:
    kms = call.client("kms")
    key = unless_absent(lambda: kms.describe_key(KeyId=args["keyId"])["KeyMetadata"], "NotFoundException")
    if key is None:
        raise LookupError(f"there is no KMS key {args['keyId']}")
    return {
        "arn": key["Arn"],
        "awsAccountId": key.get("AWSAccountId", call.aws.account_id),
        "creationDate": _text(key.get("CreationDate")),
        "customKeyStoreId": key.get("CustomKeyStoreId", ""),
        "customerMasterKeySpec": key.get("CustomerMasterKeySpec", ""),
        "deletionDate": _text(key.get("DeletionDate")),
        "description": key.get("Description", ""),
        "enabled": bool(key.get("Enabled")),
        "id": key["KeyId"],
        "keyManager": key.get("KeyManager", ""),
        "keySpec": key.get("KeySpec", ""),
        "keyState": key.get("KeyState", ""),
        "keyUsage": key.get("KeyUsage", ""),
        "multiRegion": bool(key.get("MultiRegion")),
        "origin": key.get("Origin", ""),
    }


FUNCTIONS: tuple[Function, ...] = (Function("aws:kms/getKey:getKey", _get_key, required=("keyId",)),)
