"""DynamoDB: tables with a key of their own, on demand or with provisioned capacity.

Doesn't own indexes, streams, replicas, imports and restores: a table that asks for one is refused.
Source of what replaces and of the defaults: `ForceNew` and `Default` in
https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/dynamodb/table.go
"""

from __future__ import annotations

from ..modelled import Ask, Modelled, one_each
from ..naming import AutoName
from ..resource import facts, names, pairs


class Table(Modelled):
    token = "aws:dynamodb/table:Table"
    made_by = Ask("CreateTable")
    read_by = (Ask("DescribeTable", "Table"), Ask("DescribeContinuousBackups"))
    # One kind of change a call: DynamoDB refuses some of them together.
    changed_by = (
        Ask("UpdateTable", only=("billingMode", "readCapacity", "writeCapacity"), whole=True),
        *one_each("UpdateTable", "tableClass", "deletionProtectionEnabled", "serverSideEncryption"),
        Ask("UpdateContinuousBackups"),
    )
    deleted_by = Ask("DeleteTable")
    ready = ("TableStatus", "ACTIVE")
    passing = names("ContinuousBackupsUnavailableException")
    noun = "Table Latest"
    within = "BillingModeSummary ContinuousBackupsDescription ProvisionedThroughput TableClassSummary"
    named = pairs("""attributes=AttributeDefinitions hashKey=KeySchema.HASH rangeKey=KeySchema.RANGE
        pointInTimeRecovery=PointInTimeRecoverySpecification|PointInTimeRecoveryDescription
        readCapacity=ReadCapacityUnits serverSideEncryption.kmsKeyArn=KMSMasterKeyId|KMSMasterKeyArn
        writeCapacity=WriteCapacityUnits serverSideEncryption=SSESpecification|SSEDescription""")
    replacing = names("hashKey name rangeKey")
    lacking = names("global* importTable *Indexes *Throughput replicas restore* stream* ttl")
    auto_name = AutoName(max_length=255)
    defaults = facts(billingMode="PROVISIONED", tableClass="STANDARD")
    when_absent = facts({"pointInTimeRecovery.recoveryPeriodInDays": 35})
    sets = names("attributes")
