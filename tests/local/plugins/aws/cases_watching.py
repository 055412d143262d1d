"""Lives of topics, alarms, dashboards, logs and rules."""

from __future__ import annotations

import json
from typing import Any

from tests.local.plugins.aws.case import QUEUE, Aws, Case, policy

ALARM: dict[str, Any] = {
    "comparisonOperator": "GreaterThanThreshold",
    "evaluationPeriods": 1,
    "metricName": "RunningTaskCount",
    "namespace": "ECS/ContainerInsights",
    "period": 60,
    "statistic": "Maximum",
    "threshold": 1,
    "dimensions": {"ClusterName": "shop", "ServiceName": "scheduler"},
}
KEY = "arn:aws:kms:ap-northeast-2:123456789012:key/logs"
PAUSE = {"expression": "at(2030-05-10T14:00)", "duration": "PT4H"}
METRIC = {"name": "Oom", "namespace": "Shop", "value": "1"}
WIDGET = {"type": "text", "x": 0, "y": 0, "width": 3, "height": 3, "properties": {"markdown": "hi"}}
TOLD = [{"metricName": "Oom", "metricNamespace": "Shop", "metricValue": "9"}]


def muted(aws: Aws) -> dict[str, Any]:
    compared = {"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Threshold": 1}
    metric = {"MetricName": "Errors", "Namespace": "Shop", "Period": 60, "Statistic": "Sum"}
    aws("cloudwatch").put_metric_alarm(AlarmName="none", **compared, **metric)
    return {"muteTargets": {"alarmNames": ["none"]}}


CASES = [
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
        "cloudwatch/metricAlarm:MetricAlarm",
        {
            **ALARM,
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
        "cloudwatch/dashboard:Dashboard",
        {"dashboardName": "shop", "dashboardBody": json.dumps({"widgets": [WIDGET]}, indent=2)},
        {"dashboardBody": json.dumps({"widgets": [WIDGET, WIDGET]})},
        lambda aws, _life: aws("cloudwatch").put_dashboard(
            DashboardName="shop", DashboardBody=json.dumps({"widgets": []})
        ),
        ["dashboardBody"],
        {"dashboardName": "other"},
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
        {"rule": "daily", "arn": QUEUE},
        {"arn": f"{QUEUE}-more"},
        lambda aws, life: aws("events").put_targets(
            Rule="daily", Targets=[{"Id": life.outputs["targetId"], "Arn": QUEUE}]
        ),
        ["arn"],
        {"rule": "other", "targetId": "other"},
        imported_by=lambda life: f"daily/{life.outputs['targetId']}",
        needs=lambda aws: aws("events").put_rule(Name="daily", ScheduleExpression="rate(1 day)") and {},
    ),
]
