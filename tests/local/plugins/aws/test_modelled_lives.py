"""Lives of types that are tables: made, changed, put back after somebody changed them, imported, deleted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from local.plugins.aws.documents import to_text
from tests.local.plugins.aws.life import Life
from tests.local.plugins.aws.plugin import Plugin, RefusedError

Aws = Callable[[str], Any]
Tamper = Callable[[Aws, Life], object]


@dataclass(frozen=True)
class Case:
    """`tampered` is what a refresh and an update put back after `tamper`.

    `needs` makes what must be there, and returns the arguments that name it. `replaced_by` are arguments that
    replace, `ends_with` are those without which it can't be deleted. What `stays` is put back by its deletion
    as it was.
    """

    token: str
    arguments: Mapping[str, Any]
    change: Mapping[str, Any] = field(default_factory=dict)
    tamper: Tamper = lambda _aws, _life: None
    tampered: Sequence[str] = ()
    replaced_by: Mapping[str, Any] = field(default_factory=dict)
    imported_by: Callable[[Life], str] = lambda life: life.id
    unknowable: tuple[str, ...] = ()
    ends_with: Mapping[str, Any] = field(default_factory=dict)
    needs: Callable[[Aws], Mapping[str, Any]] = lambda _aws: {}
    stays: bool = False


def policy(sid: str) -> str:
    statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": "*",
        "Action": "sqs:SendMessage",
        "Resource": "*",
    }
    return to_text({"Version": "2012-10-17", "Statement": [statement]})


def allow(operation: str) -> str:
    statement = {"Effect": "Allow", "Action": operation, "Resource": "*"}
    return to_text({"Version": "2012-10-17", "Statement": [statement]})


def trust(service: str) -> str:
    principal = {"Service": f"{service}.amazonaws.com"}
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    return to_text({"Version": "2012-10-17", "Statement": [statement]})


def role(aws: Aws) -> dict[str, str]:
    aws("iam").create_role(RoleName="work", AssumeRolePolicyDocument=trust("ecs-tasks"))
    return {"role": "work"}


def muted(aws: Aws) -> dict[str, Any]:
    compared = {"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Threshold": 1}
    metric = {"MetricName": "Errors", "Namespace": "Shop", "Period": 60, "Statistic": "Sum"}
    aws("cloudwatch").put_metric_alarm(AlarmName="none", **compared, **metric)
    return {"muteTargets": {"alarmNames": ["none"]}}


def insights(value: str) -> list[dict[str, str]]:
    return [{"name": "containerInsights", "value": value}]


STRATEGY = [{"capacityProvider": "FARGATE", "weight": 1, "base": 1}]
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
TARGET = {
    "arn": "arn:aws:sqs:ap-northeast-2:123456789012:work",
    "roleArn": "arn:aws:iam::123456789012:role/scheduler",
    "retryPolicy": {"maximumRetryAttempts": 3},
    "ecsParameters": {
        "taskDefinitionArn": "arn:aws:ecs:ap-northeast-2:123456789012:task-definition/web:1",
        "networkConfiguration": {"subnets": ["subnet-b", "subnet-a"], "assignPublicIp": True},
    },
}
KEY = "arn:aws:kms:ap-northeast-2:123456789012:key/logs"
PAUSE = {"expression": "at(2030-05-10T14:00)", "duration": "PT4H"}
METRIC = {"name": "Oom", "namespace": "Shop", "value": "1"}
TOLD = [{"metricName": "Oom", "metricNamespace": "Shop", "metricValue": "9"}]
SCHEDULE = {"FlexibleTimeWindow": {"Mode": "OFF"}, "ScheduleExpression": "rate(9 days)"}


def network(aws: Aws) -> dict[str, Any]:
    return {"vpcId": aws("ec2").create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]}


def within(aws: Aws) -> dict[str, Any]:
    vpc_id = network(aws)["vpcId"]
    made = aws("ec2").create_subnet(VpcId=vpc_id, CidrBlock="10.20.0.0/24")["Subnet"]
    return {"vpcId": vpc_id, "subnetIds": [made["SubnetId"]]}


CASES = [
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
        "sns/topic:Topic",
        {"displayName": "alerts", "tags": {"team": "a"}},
        {"displayName": "the alerts", "kmsMasterKeyId": "alias/aws/sns", "tags": {"team": "b"}},
        lambda aws, life: aws("sns").set_topic_attributes(
            TopicArn=life.id, AttributeName="DisplayName", AttributeValue="mischief"
        ),
        ["displayName"],
        {"name": "other"},
    ),
    Case(
        "sns/topicPolicy:TopicPolicy",
        {"policy": policy("a")},
        {"policy": policy("b")},
        lambda aws, life: aws("sns").set_topic_attributes(
            TopicArn=life.id, AttributeName="Policy", AttributeValue=policy("c")
        ),
        ["policy"],
        {"arn": "other"},
        needs=lambda aws: {"arn": aws("sns").create_topic(Name="alerts")["TopicArn"]},
        stays=True,
    ),
    Case(
        "sns/topicSubscription:TopicSubscription",
        {"protocol": "sqs", "endpoint": "arn:aws:sqs:ap-northeast-2:123456789012:work"},
        replaced_by={"protocol": "email", "endpoint": "ops@example.com"},
        needs=lambda aws: {"topic": aws("sns").create_topic(Name="alerts")["TopicArn"]},
    ),
    Case(
        "kms/key:Key",
        {"description": "logs", "enableKeyRotation": True},
        {"description": "all logs", "isEnabled": False, "policy": policy("a"), "tags": {"Name": "logs"}},
        lambda aws, life: aws("kms").enable_key(KeyId=life.id),
        ["isEnabled"],
        unknowable=("deletionWindowInDays",),
    ),
    Case(
        "kms/alias:Alias",
        {"name": "alias/logs"},
        needs=lambda aws: {"targetKeyId": aws("kms").create_key()["KeyMetadata"]["Arn"]},
        tamper=lambda aws, life: aws("kms").update_alias(
            AliasName=life.id, TargetKeyId=aws("kms").create_key()["KeyMetadata"]["KeyId"]
        ),
        tampered=["targetKeyId"],
        replaced_by={"name": "alias/other"},
        unknowable=("targetKeyId",),
    ),
    Case(
        "iam/role:Role",
        {"assumeRolePolicy": trust("ecs-tasks"), "permissionsBoundary": READ_ONLY, "tags": {"team": "a"}},
        {
            "assumeRolePolicy": trust("ec2"),
            "description": "what tasks may do",
            "maxSessionDuration": 7200,
            "permissionsBoundary": None,
            "tags": {"team": "b"},
        },
        lambda aws, life: aws("iam").update_assume_role_policy(
            RoleName=life.id, PolicyDocument=trust("lambda")
        ),
        ["assumeRolePolicy"],
        {"name": "other", "path": "/tasks/"},
    ),
    Case(
        "iam/rolePolicy:RolePolicy",
        {"policy": allow("s3:GetObject")},
        {"policy": allow("s3:PutObject")},
        lambda aws, life: aws("iam").put_role_policy(
            RoleName="work", PolicyName=life.outputs["name"], PolicyDocument=allow("s3:*")
        ),
        ["policy"],
        {"name": "other"},
        needs=role,
    ),
    Case(
        "iam/rolePolicyAttachment:RolePolicyAttachment",
        {"policyArn": READ_ONLY},
        replaced_by={"policyArn": f"{READ_ONLY}2"},
        imported_by=lambda _life: f"work/{READ_ONLY}",
        needs=role,
    ),
    Case(
        "ecs/cluster:Cluster",
        {"settings": insights("enabled"), "tags": {"team": "a"}},
        {
            "configuration": {"executeCommandConfiguration": {"logging": "DEFAULT"}},
            "settings": insights("enhanced"),
            "tags": {"team": "b"},
        },
        lambda aws, life: aws("ecs").update_cluster_settings(cluster=life.id, settings=insights("disabled")),
        ["settings"],
        {"name": "other"},
        imported_by=lambda life: str(life.outputs["name"]),
    ),
    Case(
        "ecs/clusterCapacityProviders:ClusterCapacityProviders",
        {"capacityProviders": ["FARGATE_SPOT", "FARGATE"], "defaultCapacityProviderStrategies": STRATEGY},
        {"defaultCapacityProviderStrategies": [{"capacityProvider": "FARGATE_SPOT", "weight": 2}]},
        lambda aws, _life: aws("ecs").put_cluster_capacity_providers(
            cluster="shop", capacityProviders=["FARGATE"], defaultCapacityProviderStrategy=[]
        ),
        ["capacityProviders", "defaultCapacityProviderStrategies"],
        {"clusterName": "other"},
        needs=lambda aws: {
            "clusterName": aws("ecs").create_cluster(clusterName="shop")["cluster"]["clusterName"]
        },
        stays=True,
    ),
    Case(
        "ecr/repository:Repository",
        {
            "name": "shop/web",
            "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
            "imageTagMutabilityExclusionFilters": [{"filter": "*latest", "filterType": "WILDCARD"}],
            "imageScanningConfiguration": {"scanOnPush": True},
            "tags": {"team": "a"},
        },
        {
            "imageTagMutability": "IMMUTABLE",
            "imageTagMutabilityExclusionFilters": None,
            "imageScanningConfiguration": None,
            "tags": {"team": "b"},
        },
        lambda aws, _life: aws("ecr").put_image_tag_mutability(
            repositoryName="shop/web", imageTagMutability="MUTABLE"
        ),
        ["imageTagMutability"],
        {"encryptionConfigurations": [{"encryptionType": "KMS"}]},
    ),
    Case(
        "cloudwatch/metricAlarm:MetricAlarm",
        {
            "comparisonOperator": "GreaterThanThreshold",
            "evaluationPeriods": 1,
            "metricName": "RunningTaskCount",
            "namespace": "ECS/ContainerInsights",
            "period": 60,
            "statistic": "Maximum",
            "threshold": 1,
            "dimensions": {"ClusterName": "shop", "ServiceName": "scheduler"},
            "alarmActions": ["arn:aws:sns:ap-northeast-2:123456789012:a"],
            "tags": {"team": "a"},
        },
        {
            "alarmActions": None,
            "alarmDescription": "two run",
            "dimensions": {"ClusterName": "shop"},
            "threshold": 2,
            "treatMissingData": "breaching",
            "tags": {"team": "b"},
        },
        lambda aws, life: aws("cloudwatch").disable_alarm_actions(AlarmNames=[life.id]),
        ["actionsEnabled"],
        {"name": "other"},
    ),
    Case(
        "cloudwatch/alarmMuteRule:AlarmMuteRule",
        {
            "description": "moving the database",
            "rule": {"schedule": PAUSE},
            "tags": {"team": "a"},
        },
        {"description": None, "rule": {"schedule": {**PAUSE, "duration": "P2D"}}, "tags": {"team": "b"}},
        lambda aws, life: aws("cloudwatch").put_alarm_mute_rule(
            Name=life.id, Rule={"Schedule": {"Expression": PAUSE["expression"], "Duration": "PT1M"}}
        ),
        ["muteTargets", "rule"],
        {"name": "other"},
        needs=muted,
    ),
    Case(
        "cloudwatch/logGroup:LogGroup",
        {"name": "/ecs/web", "retentionInDays": 30, "tags": {"team": "a"}},
        {"retentionInDays": None, "kmsKeyId": KEY, "tags": {"team": "b", "env": "local"}},
        lambda aws, _life: aws("logs").put_retention_policy(logGroupName="/ecs/web", retentionInDays=1),
        ["retentionInDays"],
        {"name": "/ecs/other"},
    ),
    Case(
        "cloudwatch/logGroup:LogGroup",
        {"name": "/ecs/web", "retentionInDays": 30, "kmsKeyId": KEY},
        {"retentionInDays": 7, "kmsKeyId": None},
        lambda aws, _life: aws("logs").associate_kms_key(logGroupName="/ecs/web", kmsKeyId=KEY),
        ["kmsKeyId"],
    ),
    Case(
        "cloudwatch/logMetricFilter:LogMetricFilter",
        {"logGroupName": "/ecs/web", "pattern": "OutOfMemoryError", "metricTransformation": METRIC},
        {"pattern": '"Killed"', "metricTransformation": {**METRIC, "value": "2"}},
        lambda aws, life: aws("logs").put_metric_filter(
            logGroupName="/ecs/web", filterName=life.id, filterPattern="nothing", metricTransformations=TOLD
        ),
        ["metricTransformation", "pattern"],
        {"name": "other"},
        imported_by=lambda life: f"/ecs/web:{life.id}",
        needs=lambda aws: aws("logs").create_log_group(logGroupName="/ecs/web") and {},
    ),
    Case(
        "cloudwatch/logResourcePolicy:LogResourcePolicy",
        {"policyName": "events", "policyDocument": policy("a")},
        {"policyDocument": policy("b")},
        lambda aws, _life: aws("logs").put_resource_policy(policyName="events", policyDocument=policy("c")),
        ["policyDocument"],
        {"policyName": "other"},
    ),
    Case(
        "cloudwatch/eventRule:EventRule",
        {"eventPattern": '{"source": ["aws.ecs"]}', "tags": {"a": "1"}},
        {"description": "stopped tasks", "eventPattern": '{"source": ["aws.ec2"]}', "tags": {"a": "2"}},
        lambda aws, life: aws("events").disable_rule(Name=life.id),
        ["state"],
        {"name": "other"},
    ),
    Case(
        "cloudwatch/eventRule:EventRule",
        {"scheduleExpression": "rate(1 day)", "state": "DISABLED"},
        {"state": None},
    ),
    Case(
        "cloudwatch/eventTarget:EventTarget",
        {"rule": "daily", "arn": TARGET["arn"]},
        {"arn": f"{TARGET['arn']}-more"},
        lambda aws, life: aws("events").put_targets(
            Rule="daily", Targets=[{"Id": life.outputs["targetId"], "Arn": TARGET["arn"]}]
        ),
        ["arn"],
        {"rule": "other", "targetId": "other"},
        imported_by=lambda life: f"daily/{life.outputs['targetId']}",
        needs=lambda aws: aws("events").put_rule(Name="daily", ScheduleExpression="rate(1 day)") and {},
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
        {"pointInTimeRecovery": {"enabled": True}, "deletionProtectionEnabled": True},
        lambda aws, _life: aws("dynamodb").update_table(TableName="leases", DeletionProtectionEnabled=False),
        ["deletionProtectionEnabled"],
        {"name": "other"},
        ends_with={"deletionProtectionEnabled": False},
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


def test_a_policy_that_says_the_same_in_other_words_is_no_change(plugin: Plugin) -> None:
    life = Life(plugin, "iam/role:Role", assumeRolePolicy=json.loads(trust("ecs-tasks")))
    spaced = json.dumps(json.loads(trust("ecs-tasks")), indent=4)
    listed = spaced.replace('"sts:AssumeRole"', '["sts:AssumeRole"]')
    checked = plugin.check(life.token, {"assumeRolePolicy": listed}, old=life.inputs)
    assert plugin.diff(life.token, life.outputs, life.inputs, checked.inputs).changes == {}


@pytest.mark.parametrize(("name", "fifo"), [("work", True), ("work.fifo", False)])
def test_only_a_fifo_queues_name_ends_in_fifo(shared_plugin: Plugin, name: str, fifo: bool) -> None:
    failures = shared_plugin.check("aws:sqs/queue:Queue", {"name": name, "fifoQueue": fifo}).failures
    assert list(failures) == ["name"]


def test_what_a_table_lacks_is_refused_by_name(plugin: Plugin) -> None:
    group = {"description": "d", "nodeType": "cache.t4g.micro", "userGroupIds": ["users"]}
    token = "aws:elasticache/replicationGroup:ReplicationGroup"
    assert list(plugin.check(token, group).failures) == ["userGroupIds"]
    life = Life(
        plugin, token.removeprefix("aws:"), description="d", nodeType="cache.t4g.micro", numCacheClusters=1
    )
    wanted = plugin.check(token, {**life.arguments, "numCacheClusters": 2}, old=life.inputs).inputs
    with pytest.raises(RefusedError, match="can't change numCacheClusters"):
        plugin.diff(token, life.outputs, life.inputs, wanted)
