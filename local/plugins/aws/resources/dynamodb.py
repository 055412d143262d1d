"""DynamoDB: tables with a key of their own, on demand or with provisioned capacity.

Doesn't own indexes, streams, replicas, imports and restores: a table that asks for one is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from ..naming import AutoName
from ..resource import Call, Inputs, Resource, State, tag_changes, tag_list, tag_map, without_none
from .calls import retried, touched, unless_absent

_NO_TABLE: Final = "ResourceNotFoundException"
_NOT_HERE: Final = (
    *("globalSecondaryIndexes", "localSecondaryIndexes", "globalTableWitness", "replicas", "streamEnabled"),
    *("importTable", "restoreSourceName", "restoreSourceTableArn", "restoreBackupArn", "onDemandThroughput"),
    *("warmThroughput", "ttl"),
)
_DAYS_OF_RECOVERY: Final = 35


class Table(Resource):
    token = "aws:dynamodb/table:Table"
    auto_name = AutoName(max_length=255)
    # Source: https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/dynamodb/table.go
    defaults = MappingProxyType({"billingMode": "PROVISIONED", "tableClass": "STANDARD"})
    sets = frozenset({"attributes"})
    when_absent = MappingProxyType({"pointInTimeRecovery.recoveryPeriodInDays": _DAYS_OF_RECOVERY})
    missing = frozenset({_NO_TABLE})

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        for name in _NOT_HERE:
            if inputs.get(name) not in (None, [], False, ""):
                yield name, "the aws stand-in makes tables without it; use the real aws plugin (7.x)"

    def create(self, call: Call, inputs: Inputs) -> str:
        dynamodb = call.client("dynamodb")
        name = str(inputs["name"])
        dynamodb.create_table(
            TableName=name,
            AttributeDefinitions=[
                {"AttributeName": each["name"], "AttributeType": each["type"]}
                for each in inputs.get("attributes") or []
            ],
            KeySchema=[
                {"AttributeName": inputs[argument], "KeyType": kind}
                for argument, kind in (("hashKey", "HASH"), ("rangeKey", "RANGE"))
                if inputs.get(argument)
            ],
            TableClass=inputs["tableClass"],
            DeletionProtectionEnabled=bool(inputs.get("deletionProtectionEnabled")),
            Tags=tag_list(inputs.get("tags")),
            **_billing(inputs),
            **without_none(SSESpecification=_encryption(inputs)),
        )
        call.created(name)
        _await_active(call, name)
        if (inputs.get("pointInTimeRecovery") or {}).get("enabled"):
            _set_recovery(call, name, inputs)
        return name

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        dynamodb = call.client("dynamodb")
        table = dynamodb.describe_table(TableName=resource_id)["Table"]
        keys = {each["KeyType"]: each["AttributeName"] for each in table["KeySchema"]}
        capacity = table.get("ProvisionedThroughput") or {}
        encryption = table.get("SSEDescription") or {}
        recovery = dynamodb.describe_continuous_backups(TableName=resource_id)
        recovery = recovery["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription") or {}
        recovers = recovery.get("PointInTimeRecoveryStatus") == "ENABLED"
        tags = dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"]).get("Tags")
        return {
            "arn": table["TableArn"],
            "name": table["TableName"],
            "attributes": [
                {"name": each["AttributeName"], "type": each["AttributeType"]}
                for each in table["AttributeDefinitions"]
            ],
            "billingMode": (table.get("BillingModeSummary") or {}).get("BillingMode", "PROVISIONED"),
            "deletionProtectionEnabled": bool(table.get("DeletionProtectionEnabled")),
            "hashKey": keys.get("HASH"),
            "rangeKey": keys.get("RANGE"),
            "pointInTimeRecovery": {
                "enabled": recovers,
                "recoveryPeriodInDays": (
                    recovery.get("RecoveryPeriodInDays", _DAYS_OF_RECOVERY) if recovers else None
                ),
            },
            "readCapacity": capacity.get("ReadCapacityUnits", 0),
            "writeCapacity": capacity.get("WriteCapacityUnits", 0),
            "serverSideEncryption": (
                {"enabled": True, "kmsKeyArn": encryption.get("KMSMasterKeyArn", "")}
                if encryption.get("Status") in ("ENABLED", "ENABLING")
                else None
            ),
            "streamArn": table.get("LatestStreamArn", ""),
            "streamLabel": table.get("LatestStreamLabel", ""),
            "streamViewType": (table.get("StreamSpecification") or {}).get("StreamViewType", ""),
            "tableClass": (table.get("TableClassSummary") or {}).get("TableClass", "STANDARD"),
            "tagsAll": tag_map(tags),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        dynamodb = call.client("dynamodb")
        # One kind of change a call: DynamoDB refuses some of them together.
        for names, wanted in (
            (("billingMode", "readCapacity", "writeCapacity"), _billing(new)),
            (("tableClass",), {"TableClass": new.get("tableClass") or "STANDARD"}),
            (
                ("deletionProtectionEnabled",),
                {"DeletionProtectionEnabled": bool(new.get("deletionProtectionEnabled"))},
            ),
            (("serverSideEncryption",), {"SSESpecification": _encryption(new) or {"Enabled": False}}),
        ):
            if not changed.isdisjoint(names):
                dynamodb.update_table(TableName=resource_id, **wanted)
                _await_active(call, resource_id)
        if touched(changed, "pointInTimeRecovery"):
            _set_recovery(call, resource_id, new)
        tags, surplus = tag_changes(old, new)
        if surplus:
            dynamodb.untag_resource(ResourceArn=old["arn"], TagKeys=surplus)
        if tags:
            dynamodb.tag_resource(ResourceArn=old["arn"], Tags=tag_list(tags))
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        dynamodb = call.client("dynamodb")
        dynamodb.delete_table(TableName=resource_id)
        call.wait_until(
            f"the end of table {resource_id}",
            lambda: unless_absent(lambda: dynamodb.describe_table(TableName=resource_id), _NO_TABLE) is None,
            600,
        )


def _billing(inputs: Inputs) -> dict[str, Any]:
    if inputs.get("billingMode") == "PAY_PER_REQUEST":
        return {"BillingMode": "PAY_PER_REQUEST"}
    return {
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": {
            "ReadCapacityUnits": int(inputs.get("readCapacity") or 1),
            "WriteCapacityUnits": int(inputs.get("writeCapacity") or 1),
        },
    }


def _encryption(inputs: Inputs) -> dict[str, Any] | None:
    wanted = inputs.get("serverSideEncryption")
    if not wanted or not wanted.get("enabled"):
        return None
    return {
        "Enabled": True,
        "SSEType": "KMS",
        **without_none(KMSMasterKeyId=wanted.get("kmsKeyArn") or None),
    }


def _await_active(call: Call, name: str) -> None:
    dynamodb = call.client("dynamodb")
    call.wait_until(
        f"table {name} becoming active",
        lambda: dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE",
        1800,
    )


def _set_recovery(call: Call, name: str, inputs: Inputs) -> None:
    wanted = inputs.get("pointInTimeRecovery") or {}
    enabled = bool(wanted.get("enabled"))
    days = wanted.get("recoveryPeriodInDays") if enabled else None
    dynamodb = call.client("dynamodb")
    retried(
        call,
        f"point-in-time recovery of table {name}",
        lambda: dynamodb.update_continuous_backups(
            TableName=name,
            PointInTimeRecoverySpecification={
                "PointInTimeRecoveryEnabled": enabled,
                **without_none(RecoveryPeriodInDays=days or None),
            },
        ),
        "ContinuousBackupsUnavailableException",
    )


RESOURCES = (Table(),)
