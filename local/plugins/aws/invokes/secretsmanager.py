"""Secrets Manager functions: secrets that exist already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..resource import Call, Inputs, function, tag_map
from ..resources.calls import moment, unless_absent


@function("aws:secretsmanager/getSecret:getSecret")
def _get_secret(call: Call, args: Inputs) -> Mapping[str, Any]:
    client = call.client("secretsmanager")
    asked = args.get("arn") or args.get("name")
    if not asked:
        raise ValueError("getSecret wants `arn` or `name`")
    secret = unless_absent(lambda: client.describe_secret(SecretId=asked), "ResourceNotFoundException")
    if secret is None or secret.get("DeletedDate"):
        raise LookupError(f"there is no secret {asked}")
    return {
        "arn": secret["ARN"],
        "createdDate": moment(secret.get("CreatedDate")),
        "description": secret.get("Description", ""),
        "id": secret["ARN"],
        "kmsKeyId": secret.get("KmsKeyId", ""),
        "lastChangedDate": moment(secret.get("LastChangedDate")),
        "name": secret["Name"],
        "policy": client.get_resource_policy(SecretId=asked).get("ResourcePolicy") or "",
        "tags": tag_map(secret.get("Tags")),
    }
