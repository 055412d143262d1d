"""Arguments that Check refuses, each by its path and with the reason that a person reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from local.plugins.common.values import UNKNOWN
from tests.local.plugins.aws.cases_scaling import PLACE
from tests.local.plugins.aws.cases_watching import ALARM
from tests.local.plugins.aws.plugin import Plugin

LACKING = "the aws stand-in has no `{}` of {}; use the real aws plugin (7.x)"

ALARM_OF, MUTE_RULE = "cloudwatch/metricAlarm:MetricAlarm", "cloudwatch/alarmMuteRule:AlarmMuteRule"
QUEUE, TARGET, POLICY = (
    "sqs/queue:Queue",
    "cloudwatch/eventTarget:EventTarget",
    "appautoscaling/policy:Policy",
)
TASK, SERVICE = "ecs/taskDefinition:TaskDefinition", "ecs/service:Service"
RULE_OF, BALANCER, GROUP_OF = (
    "lb/listenerRule:ListenerRule",
    "lb/loadBalancer:LoadBalancer",
    "lb/targetGroup:TargetGroup",
)
RULE: dict[str, Any] = {
    "listenerArn": "arn",
    "priority": 1,
    "conditions": [{"pathPattern": {"values": ["/a"]}}],
    "actions": [{"type": "forward", "targetGroupArn": "arn"}],
}
GROUP = {"port": 80, "protocol": "HTTP", "vpcId": "vpc-1"}
RECORD = {"zoneId": "Z1", "name": "a", "type": "A", "records": ["10.0.0.1"], "ttl": 60}
TABLE = {"attributes": [{"name": "K", "type": "S"}], "hashKey": "K"}
SCHEDULE = {"expression": "cron(0 2 * * *)", "duration": "PT4H"}


@pytest.mark.parametrize(
    ("kind", "arguments", "refused"),
    [
        (
            SERVICE,
            {"loadBalancers": [{"containerName": "web", "containerPort": 80, "targetGroup": "arn"}]},
            {"loadBalancers[0].targetGroup": "is no argument"},
        ),
        ("ecr/lifecyclePolicy:LifecyclePolicy", {"policy": "{}"}, {"repository": ""}),
        ("ec2/flowLog:FlowLog", {"trafficType": "ALL"}, {"vpcId": ""}),
        (SERVICE, {"networkConfiguration": {"assignPublicIp": True}}, {"networkConfiguration.subnets": ""}),
        (
            SERVICE,
            {"launchType": "SPOT", "propagateTags": "ALL"},
            {"launchType": "is 'SPOT', one of EC2, FARGATE, EXTERNAL is expected", "propagateTags": ""},
        ),
        *(
            (TASK, {"family": "web", "containerDefinitions": wrong}, {"containerDefinitions": ""})
            for wrong in ("[", '{"name": "web"}', "[1]")
        ),
        (
            QUEUE,
            {"name": "a", "namePrefix": "b"},
            {"namePrefix": "at most one of `name`, `namePrefix` may be given"},
        ),
        (QUEUE, {"name": "work", "fifoQueue": True}, {"name": ""}),
        (QUEUE, {"name": "work.fifo", "fifoQueue": False}, {"name": ""}),
        ("dynamodb/table:Table", {**TABLE, "streamEnabled": True}, {"streamEnabled": LACKING}),
        (
            "elasticache/replicationGroup:ReplicationGroup",
            {"description": "d", "nodeType": "cache.t4g.micro", "userGroupIds": ["users"]},
            {"userGroupIds": LACKING},
        ),
        (
            "route53/record:Record",
            {**RECORD, "setIdentifier": "one", "weightedRoutingPolicies": [{"weight": 1}]},
            {"setIdentifier": LACKING, "weightedRoutingPolicies": LACKING},
        ),
        (
            TARGET,
            {"rule": "daily", "arn": "arn", "ecsTarget": {"taskDefinitionArn": "arn"}},
            {"ecsTarget": LACKING},
        ),
        (ALARM_OF, {**ALARM, "metricName": None}, {"metricName": ""}),
        (ALARM_OF, {**ALARM, "period": None}, {"period": ""}),
        (ALARM_OF, {**ALARM, "treatMissingData": "fail"}, {"treatMissingData": ""}),
        (ALARM_OF, {**ALARM, "comparisonOperator": None}, {"comparisonOperator": ""}),
        (ALARM_OF, {**ALARM, "extendedStatistic": "p99"}, {"extendedStatistic": ""}),
        (MUTE_RULE, {}, {"rule": ""}),
        (MUTE_RULE, {"rule": {}}, {"rule.schedule": ""}),
        (
            MUTE_RULE,
            {"rule": {"schedule": SCHEDULE}, "expireDate": "2030-01-01T00:00:30Z"},
            {"expireDate": ""},
        ),
        (
            POLICY,
            {**PLACE, "stepScalingPolicyConfiguration": {"adjustmentType": "ChangeInCapacity"}},
            {"stepScalingPolicyConfiguration": LACKING},
        ),
        # The type that the SDK takes for absent.
        (POLICY, PLACE, {"policyType": "is 'StepScaling': the aws stand-in tracks targets"}),
        (RULE_OF, RULE, {}),
        (RULE_OF, {**RULE, "actions": UNKNOWN}, {}),
        (RULE_OF, {**RULE, "priority": None}, {"priority": ""}),
        (
            RULE_OF,
            {**RULE, "actions": [{"type": "authenticate-oidc", "authenticateOidc": UNKNOWN}]},
            {"actions.authenticateOidc": LACKING},
        ),
        (
            RULE_OF,
            {**RULE, "conditions": [{"sourceIp": {"values": ["10.0.0.0/8"]}}]},
            {"conditions.sourceIp": LACKING},
        ),
        (BALANCER, {"subnets": ["subnet-1"]}, {}),
        (BALANCER, {}, {"subnets": ""}),
        (BALANCER, {"subnets": ["subnet-1"], "loadBalancerType": "network"}, {"loadBalancerType": ""}),
        (GROUP_OF, GROUP, {}),
        (GROUP_OF, {**GROUP, "protocol": "TCP"}, {"protocol": ""}),
        (GROUP_OF, {**GROUP, "targetType": "lambda"}, {"targetType": ""}),
        (GROUP_OF, {"targetType": "lambda"}, {"port": "", "protocol": "", "vpcId": ""}),
    ],
)
def test_what_would_fail_is_refused_before(
    shared_plugin: Plugin, kind: str, arguments: Mapping[str, Any], refused: Mapping[str, str]
) -> None:
    token = f"aws:{kind}"
    failures = shared_plugin.check(token, arguments).failures
    assert failures.keys() == refused.keys()
    assert [
        path for path, reason in refused.items() if reason.format(path, token) not in failures[path]
    ] == []
