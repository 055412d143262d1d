"""DynamoDB: tables with a key of their own, on demand or with provisioned capacity.

Doesn't own indexes, streams, replicas, imports and restores: a table that asks for one is refused.
Source of what replaces and of the defaults: `ForceNew` and `Default` in
https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/dynamodb/table.go
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..modelled import Ask, Modelled, Tags
from ..naming import AutoName
from ..places import Places
from ..resource import Inputs, Resource, State, facts, names

_CAPACITY: Final = ("readCapacity", "writeCapacity")
_DAYS_OF_RECOVERY: Final = 35
_ENCRYPTION: Final = "serverSideEncryption"
_RECOVERY: Final = "pointInTimeRecovery"
_RESTORES: Final = (
    *("importTable", "restoreBackupArn", "restoreDateTime", "restoreSourceName", "restoreSourceTableArn"),
    "restoreToLatestTime",
)


class Table(Modelled):
    token = "aws:dynamodb/table:Table"
    made_by = Ask("CreateTable")
    read_by = (
        Ask("DescribeTable", "Table"),
        Ask("DescribeContinuousBackups", "ContinuousBackupsDescription"),
    )
    # One kind of change a call: DynamoDB refuses some of them together.
    changed_by = (
        Ask("UpdateTable", only=("billingMode", *_CAPACITY), whole=True),
        *(
            Ask("UpdateTable", only=(name,))
            for name in ("tableClass", "deletionProtectionEnabled", _ENCRYPTION)
        ),
        Ask("UpdateContinuousBackups"),
    )
    deleted_by = Ask("DeleteTable")
    tags = Tags("ListTagsOfResource")
    ready = ("TableStatus", "ACTIVE")
    passing = names("ContinuousBackupsUnavailableException")
    places = Places(
        noun="Table",
        named={
            "attributes": "AttributeDefinitions",
            "attributes.name": "AttributeName",
            "attributes.type": "AttributeType",
            "billingMode": "BillingMode|BillingModeSummary.BillingMode",
            "readCapacity": "ProvisionedThroughput.ReadCapacityUnits",
            "writeCapacity": "ProvisionedThroughput.WriteCapacityUnits",
            _ENCRYPTION: "SSESpecification|SSEDescription",
            f"{_ENCRYPTION}.enabled": "Enabled|Status",
            f"{_ENCRYPTION}.kmsKeyArn": "KMSMasterKeyId|KMSMasterKeyArn",
            _RECOVERY: "PointInTimeRecoverySpecification|PointInTimeRecoveryDescription",
            f"{_RECOVERY}.enabled": "PointInTimeRecoveryEnabled|PointInTimeRecoveryStatus",
            "streamArn": "LatestStreamArn",
            "streamLabel": "LatestStreamLabel",
            "streamViewType": "StreamSpecification.StreamViewType",
            "tableClass": "TableClass|TableClassSummary.TableClass",
        },
    )
    replacing = frozenset({"hashKey", "localSecondaryIndexes", "name", "rangeKey", *_RESTORES})
    lacking = frozenset(
        {
            *("globalSecondaryIndexes", "localSecondaryIndexes", "globalTableWitness", "replicas"),
            *("onDemandThroughput", "streamEnabled", "ttl", "warmThroughput", *_RESTORES),
        }
    )
    by_hand = names("hashKey rangeKey")
    auto_name = AutoName(max_length=255)
    defaults = facts(billingMode="PROVISIONED", tableClass="STANDARD")
    sets = names("attributes")
    when_absent = facts({f"{_RECOVERY}.recoveryPeriodInDays": _DAYS_OF_RECOVERY})

    def shaped(self, inputs: Inputs) -> Mapping[str, Any]:
        keys = {"HASH": inputs.get("hashKey"), "RANGE": inputs.get("rangeKey")}
        provisioned = inputs.get("billingMode") != "PAY_PER_REQUEST"
        given = {
            **inputs,
            **{name: inputs.get(name) or 1 if provisioned else None for name in _CAPACITY},
            "keySchema": [{"attributeName": name, "keyType": kind} for kind, name in keys.items() if name],
        }
        if _ENCRYPTION in inputs:
            wanted = inputs[_ENCRYPTION] or {}
            given[_ENCRYPTION] = {**wanted, "sseType": "KMS"} if wanted.get("enabled") else {"enabled": False}
        if _RECOVERY in inputs:
            wanted = inputs[_RECOVERY] or {}
            given[_RECOVERY] = wanted if wanted.get("enabled") else {"enabled": False}
        return given

    def told(self, outputs: Mapping[str, Any], found: Mapping[str, Any], state: State) -> Mapping[str, Any]:
        keys = {each["KeyType"]: each["AttributeName"] for each in found["KeySchema"]}
        encryption, recovery = outputs[_ENCRYPTION] or {}, outputs[_RECOVERY] or {}
        days = (
            (recovery.get("recoveryPeriodInDays") or _DAYS_OF_RECOVERY) if recovery.get("enabled") else None
        )
        return {
            **outputs,
            "billingMode": outputs["billingMode"] or "PROVISIONED",
            "hashKey": keys.get("HASH"),
            "rangeKey": keys.get("RANGE"),
            _RECOVERY: {"enabled": bool(recovery.get("enabled")), "recoveryPeriodInDays": days},
            _ENCRYPTION: encryption if encryption.get("enabled") else None,
            "tableClass": outputs["tableClass"] or "STANDARD",
        }


RESOURCES: tuple[Resource, ...] = (Table(),)
