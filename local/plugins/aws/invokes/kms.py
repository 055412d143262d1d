"""KMS functions: keys that exist already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..resource import Call, Inputs, function
from ..resources.calls import moment, unless_absent


@function("aws:kms/getKey:getKey", required="keyId")
def _get_key(call: Call, args: Inputs) -> Mapping[str, Any]:
    kms = call.client("kms")
    key = unless_absent(lambda: kms.describe_key(KeyId=args["keyId"])["KeyMetadata"], "NotFoundException")
    if key is None:
        raise LookupError(f"there is no KMS key {args['keyId']}")
    return {
        "arn": key["Arn"],
        "awsAccountId": key.get("AWSAccountId", call.aws.account_id),
        "creationDate": moment(key.get("CreationDate")),
        "customKeyStoreId": key.get("CustomKeyStoreId", ""),
        "customerMasterKeySpec": key.get("CustomerMasterKeySpec", ""),
        "deletionDate": moment(key.get("DeletionDate")),
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
