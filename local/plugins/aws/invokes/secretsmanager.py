"""Secrets Manager functions: secrets that exist already."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from ..resource import Call, Function, Inputs, tag_map
from ..resources.calls import unless_absent
from ..resources.secretsmanager import find_secret

_ABSENT = "ResourceNotFoundException"


def _text(moment: Any) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _get_secret(call: Call, args: Inputs) -> Mapping[str, Any]:
    client = call.client("secretsmanager")
    asked = args.get("arn") or args.get("name")
    if not asked:
        raise ValueError("getSecret wants `arn` or `name`")
    secret = find_secret(client, asked)
    if secret is None:
        raise LookupError(f"there is no secret {asked}")
    return {
        "arn": secret["ARN"],
        "createdDate": _text(secret.get("CreatedDate")),
        "description": secret.get("Description", ""),
        "id": secret["ARN"],
        "kmsKeyId": secret.get("KmsKeyId", ""),
        "lastChangedDate": _text(secret.get("LastChangedDate")),
        "name": secret["Name"],
        "policy": client.get_resource_policy(SecretId=asked).get("ResourcePolicy") or "",
        "tags": tag_map(secret.get("Tags")),
    }


def _get_secret_version(call: Call, args: Inputs) -> Mapping[str, Any]:
    client = call.client("secretsmanager")
    stage = args.get("versionStage") or "AWSCURRENT"
    which = {"VersionId": args["versionId"]} if args.get("versionId") else {"VersionStage": stage}
    found = unless_absent(lambda: client.get_secret_value(SecretId=args["secretId"], **which), _ABSENT)
    if found is None:
        raise LookupError(f"secret {args['secretId']} has no version {next(iter(which.values()))}")
    binary = found.get("SecretBinary")
    return {
        "arn": found["ARN"],
        "createdDate": _text(found.get("CreatedDate")),
        "id": f"{args['secretId']}|{next(iter(which.values()))}",
        "secretArn": found["ARN"],
        "secretBinary": base64.b64encode(binary).decode() if binary else "",
        "secretId": args["secretId"],
        "secretString": found.get("SecretString", ""),
        "versionId": found["VersionId"],
        "versionStage": args.get("versionStage") or "AWSCURRENT",
        "versionStages": sorted(found.get("VersionStages", [])),
    }


FUNCTIONS: tuple[Function, ...] = (
    Function("aws:secretsmanager/getSecret:getSecret", _get_secret),
    Function(
        "aws:secretsmanager/getSecretVersion:getSecretVersion",
        _get_secret_version,
        required=("secretId",),
        secrets=("secretBinary", "secretString"),
    ),
)
