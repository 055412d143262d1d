"""Lives of types that are tables: made, changed, put back after somebody changed them, imported, deleted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.local.plugins.aws import cases_access, cases_scaling, cases_storage, cases_watching
from tests.local.plugins.aws.case import QUEUE, Aws, Case, policy, trust
from tests.local.plugins.aws.life import Life
from tests.local.plugins.aws.plugin import Plugin, RefusedError

TARGET = {
    "arn": QUEUE,
    "roleArn": "arn:aws:iam::123456789012:role/scheduler",
    "retryPolicy": {"maximumRetryAttempts": 3},
    "ecsParameters": {
        "taskDefinitionArn": "arn:aws:ecs:ap-northeast-2:123456789012:task-definition/web:1",
        "networkConfiguration": {"subnets": ["subnet-b", "subnet-a"], "assignPublicIp": True},
    },
}
SCHEDULE = {"FlexibleTimeWindow": {"Mode": "OFF"}, "ScheduleExpression": "rate(9 days)"}


def network(aws: Aws) -> dict[str, Any]:
    return {"vpcId": aws("ec2").create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]}


def within(aws: Aws) -> dict[str, Any]:
    vpc_id = network(aws)["vpcId"]
    made = aws("ec2").create_subnet(VpcId=vpc_id, CidrBlock="10.20.0.0/24")["Subnet"]
    return {"vpcId": vpc_id, "subnetIds": [made["SubnetId"]]}


CASES = [
    *cases_access.CASES,
    *cases_scaling.CASES,
    *cases_storage.CASES,
    *cases_watching.CASES,
    Case(
        "sqs/queue:Queue",
        {"name": "work", "delaySeconds": 3, "tags": {"team": "a"}},
        {"visibilityTimeoutSeconds": 60, "policy": policy("a"), "tags": {"team": "b"}},
        lambda aws, life: aws("sqs").set_queue_attributes(QueueUrl=life.id, Attributes={"DelaySeconds": "9"}),
        ["delaySeconds"],
        {"name": "other"},
    ),
    Case(
        "sqs/queue:Queue",
        {"name": "work.fifo", "fifoQueue": True},
        {"contentBasedDeduplication": True},
        lambda aws, life: aws("sqs").tag_queue(QueueUrl=life.id, Tags={"whose": "nobody's"}),
        ["tags"],
        {"name": "other.fifo"},
    ),
    Case(
        "scheduler/schedule:Schedule",
        {
            "name": "nightly",
            "scheduleExpression": "rate(1 day)",
            "flexibleTimeWindow": {"mode": "OFF"},
            "target": TARGET,
        },
        {"scheduleExpression": "rate(2 days)", "description": "every other night", "state": "DISABLED"},
        lambda aws, _life: aws("scheduler").update_schedule(
            Name="nightly",
            Target=aws("scheduler").get_schedule(Name="nightly")["Target"],
            Description="every other night",
            State="DISABLED",
            **SCHEDULE,
        ),
        ["scheduleExpression"],
        {"name": "other"},
    ),
    Case(
        "elasticache/replicationGroup:ReplicationGroup",
        {
            "replicationGroupId": "sessions",
            "description": "sessions",
            "nodeType": "cache.t4g.micro",
            "numCacheClusters": 2,
            "automaticFailoverEnabled": True,
            "transitEncryptionEnabled": True,
            "tags": {"team": "a"},
        },
        {"snapshotRetentionLimit": 3, "description": "all sessions", "tags": {"team": "b"}},
        lambda aws, _life: aws("elasticache").modify_replication_group(
            ReplicationGroupId="sessions", SnapshotRetentionLimit=9, ApplyImmediately=True
        ),
        ["snapshotRetentionLimit"],
        {"replicationGroupId": "other"},
    ),
    Case(
        "rds/instance:Instance",
        {
            "identifier": "shop",
            "allocatedStorage": 20,
            "engine": "postgres",
            "engineVersion": "15",
            "instanceClass": "db.t4g.micro",
            "username": "shop",
            "password": "hush-hush",
            "skipFinalSnapshot": True,
            "tags": {"team": "a"},
        },
        {"allocatedStorage": 30, "backupRetentionPeriod": 7, "password": "new-hush", "tags": {"team": "b"}},
        lambda aws, _life: aws("rds").modify_db_instance(
            DBInstanceIdentifier="shop", BackupRetentionPeriod=2, ApplyImmediately=True
        ),
        ["backupRetentionPeriod"],
        {"username": "other", "storageEncrypted": True},
        imported_by=lambda life: str(life.arguments["identifier"]),
        unknowable=("engineVersion", "password", "skipFinalSnapshot"),
    ),
    Case(
        "dynamodb/table:Table",
        {
            "name": "leases",
            "attributes": [{"name": "LeaseKey", "type": "S"}, {"name": "At", "type": "N"}],
            "billingMode": "PAY_PER_REQUEST",
            "hashKey": "LeaseKey",
            "rangeKey": "At",
        },
        {
            "billingMode": "PROVISIONED",
            "readCapacity": 2,
            "writeCapacity": 1,
            "deletionProtectionEnabled": True,
            "pointInTimeRecovery": {"enabled": True},
            "tags": {"Name": "leases"},
        },
        lambda aws, _life: aws("dynamodb").update_table(TableName="leases", DeletionProtectionEnabled=False),
        ["deletionProtectionEnabled"],
        {"name": "other", "hashKey": "At", "rangeKey": "LeaseKey"},
        ends_with={"deletionProtectionEnabled": False, "pointInTimeRecovery": {"enabled": False}},
    ),
    Case(
        "ec2/vpc:Vpc",
        {"cidrBlock": "10.20.0.0/16", "tags": {"Name": "a", "team": "b"}},
        {"enableDnsHostnames": True, "tags": {"Name": "c"}},
        lambda aws, life: aws("ec2").modify_vpc_attribute(VpcId=life.id, EnableDnsSupport={"Value": False}),
        ["enableDnsSupport"],
        {"cidrBlock": "10.30.0.0/16"},
    ),
    Case(
        "ec2/subnet:Subnet",
        {"cidrBlock": "10.20.0.0/24", "mapPublicIpOnLaunch": True, "availabilityZone": "ap-northeast-2a"},
        {
            "enableResourceNameDnsARecordOnLaunch": True,
            "mapPublicIpOnLaunch": False,
            "privateDnsHostnameTypeOnLaunch": "resource-name",
        },
        lambda aws, life: aws("ec2").create_tags(Resources=[life.id], Tags=[{"Key": "a", "Value": "b"}]),
        ["tags"],
        {"availabilityZone": "ap-northeast-2c"},
        needs=network,
    ),
    Case(
        "ec2/vpcEndpoint:VpcEndpoint",
        {"serviceName": "com.amazonaws.ap-northeast-2.kms", "vpcEndpointType": "Interface"},
        {"privateDnsEnabled": True, "tags": {"Name": "kms"}},
        lambda aws, life: aws("ec2").modify_vpc_endpoint(VpcEndpointId=life.id, PrivateDnsEnabled=False),
        ["privateDnsEnabled"],
        {"serviceName": "com.amazonaws.ap-northeast-2.ssm"},
        needs=within,
    ),
    Case(
        "ec2/flowLog:FlowLog",
        {
            "trafficType": "REJECT",
            "logDestination": "arn:aws:logs:ap-northeast-2:123456789012:log-group:traffic",
            "iamRoleArn": "arn:aws:iam::123456789012:role/flow-logs",
        },
        {"tags": {"Name": "traffic"}},
        replaced_by={"trafficType": "ALL"},
        unknowable=("iamRoleArn",),
        needs=network,
    ),
]


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{case.token}-{index}") for index, case in enumerate(CASES)]
)
def test_a_life_from_creation_to_deletion(case: Case, plugin: Plugin, aws: Aws) -> None:
    life = Life(plugin, case.token, "thing", **case.arguments, **case.needs(aws))
    assert life.refreshed() == (life.outputs, life.inputs)
    life.change(**case.change)
    case.tamper(aws, life)
    assert life.put_back() == [*case.tampered]
    life.imported(case.imported_by(life), unknowable=case.unknowable)
    assert life.replaced_by(**case.replaced_by) == sorted(case.replaced_by)
    if case.ends_with:
        life.change(**case.ends_with)
    if not case.stays:
        life.delete()
        return
    plugin.delete(life.token, life.outputs)
    assert life.put_back() != []


def test_a_queues_policy_lives_on_the_queue_and_leaves_it(plugin: Plugin, aws: Aws) -> None:
    queue = Life(plugin, "sqs/queue:Queue", "work")
    life = Life(plugin, "sqs/queuePolicy:QueuePolicy", queueUrl=queue.id, policy=policy("a"))
    life.change(policy=policy("b"))
    aws("sqs").set_queue_attributes(QueueUrl=queue.id, Attributes={"Policy": policy("c")})
    assert life.put_back() == ["policy"]
    life.imported()
    assert life.replaced_by(queueUrl="other") == ["queueUrl"]
    life.delete()
    queue.delete()
    assert plugin.read(life.token, life.id, life.outputs, life.inputs) is None


def test_a_log_group_is_not_mistaken_for_one_whose_name_it_begins(plugin: Plugin) -> None:
    longer = Life(plugin, "cloudwatch/logGroup:LogGroup", name="/ecs/web/exec")
    assert plugin.read(longer.token, "/ecs/web") is None


def test_a_dashboard_is_compared_by_its_content(plugin: Plugin) -> None:
    body = {"widgets": [cases_watching.WIDGET]}
    dashboard = Life(
        plugin, "cloudwatch/dashboard:Dashboard", dashboardName="shop", dashboardBody=json.dumps(body)
    )
    spaced = {**dashboard.inputs, "dashboardBody": json.dumps(body, indent=2)}
    assert plugin.diff(dashboard.token, dashboard.outputs, dashboard.inputs, spaced).changes == {}


def test_a_policy_that_says_the_same_in_other_words_is_no_change(plugin: Plugin) -> None:
    life = Life(plugin, "iam/role:Role", assumeRolePolicy=json.loads(trust("ecs-tasks")))
    spaced = json.dumps(json.loads(trust("ecs-tasks")), indent=4)
    listed = spaced.replace('"sts:AssumeRole"', '["sts:AssumeRole"]')
    checked = plugin.check(life.token, {"assumeRolePolicy": listed}, old=life.inputs)
    assert plugin.diff(life.token, life.outputs, life.inputs, checked.inputs).changes == {}


def test_a_change_that_a_table_lacks_is_refused_by_name(plugin: Plugin) -> None:
    kind = "elasticache/replicationGroup:ReplicationGroup"
    life = Life(plugin, kind, description="d", nodeType="cache.t4g.micro", numCacheClusters=1)
    with pytest.raises(RefusedError, match="can't change numCacheClusters"):
        life.replaced_by(numCacheClusters=2)


def test_a_protected_table_is_not_deleted(plugin: Plugin) -> None:
    key = {"attributes": [{"name": "K", "type": "S"}], "hashKey": "K", "billingMode": "PAY_PER_REQUEST"}
    life = Life(plugin, "dynamodb/table:Table", **key, deletionProtectionEnabled=True)
    with pytest.raises(RefusedError, match="protect"):
        plugin.delete(life.token, life.outputs)
