"""Application Auto Scaling on the emulated AWS."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.emulator.aws import Client, assert_contains, refusal
from tests.local.emulator.ecs_world import SERVICE, World

SCALED = {
    "ServiceNamespace": "ecs",
    "ResourceId": f"service/fileflow-prod/{SERVICE}",
    "ScalableDimension": "ecs:service:DesiredCount",
}
CPU: dict[str, Any] = {
    "TargetValue": 60.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
    "ScaleInCooldown": 300,
    "ScaleOutCooldown": 60,
    "DisableScaleIn": False,
}


@pytest.fixture
def world(client: Client, account: str) -> World:
    world = World(client, account)
    world.create(world.register(), deploymentConfiguration={})
    return world


@pytest.fixture
def scaling(world: World) -> Any:
    return world.client("application-autoscaling")


def desired(world: World) -> int:
    return int(world.service()["desiredCount"])


def test_registering_a_target_raises_the_desired_count_to_the_minimum(world: World, scaling: Any) -> None:
    scaling.register_scalable_target(**SCALED, MinCapacity=2, MaxCapacity=6)
    assert desired(world) == 2


def test_registering_a_target_lowers_the_desired_count_to_the_maximum(world: World, scaling: Any) -> None:
    world.update(desiredCount=9)
    scaling.register_scalable_target(**SCALED, MinCapacity=1, MaxCapacity=4)
    assert desired(world) == 4
    scaling.register_scalable_target(**SCALED, MaxCapacity=3)
    assert desired(world) == 3


def test_a_target_inside_the_range_leaves_the_desired_count(world: World, scaling: Any) -> None:
    world.update(desiredCount=3)
    scaling.register_scalable_target(**SCALED, MinCapacity=1, MaxCapacity=4)
    assert desired(world) == 3


def test_a_target_comes_back_whole_and_an_update_keeps_what_it_does_not_name(scaling: Any) -> None:
    arn = scaling.register_scalable_target(
        **SCALED, MinCapacity=1, MaxCapacity=4, Tags={"Project": "fileflow"}
    )["ScalableTargetARN"]
    suspended = {"ScheduledScalingSuspended": True}
    again = scaling.register_scalable_target(**SCALED, MaxCapacity=5, SuspendedState=suspended)
    assert again["ScalableTargetARN"] == arn
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[SCALED["ResourceId"]])[
        "ScalableTargets"
    ]
    assert_contains(target, SCALED | {"MinCapacity": 1, "MaxCapacity": 5, "ScalableTargetARN": arn})
    assert target["SuspendedState"] == {
        "DynamicScalingInSuspended": False,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": True,
    }
    assert target["RoleARN"].endswith("AWSServiceRoleForApplicationAutoScaling_ECSService")
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"Project": "fileflow"}
    scaling.tag_resource(ResourceARN=arn, Tags={"Owner": "team"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["Project"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"Owner": "team"}


def test_a_target_tracking_policy_has_its_two_alarms(world: World, scaling: Any) -> None:
    scaling.register_scalable_target(**SCALED, MinCapacity=1, MaxCapacity=4)
    put = scaling.put_scaling_policy(
        **SCALED,
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=CPU,
    )
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="ecs", PolicyNames=["cpu"])[
        "ScalingPolicies"
    ]
    assert policy["PolicyARN"] == put["PolicyARN"]
    assert policy["TargetTrackingScalingPolicyConfiguration"] == CPU
    names = [alarm["AlarmName"] for alarm in policy["Alarms"]]
    cloudwatch = world.client("cloudwatch")
    high, low = cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
    assert (high["Threshold"], low["Threshold"]) == (60.0, 54.0)
    assert {item["Name"]: item["Value"] for item in high["Dimensions"]} == {
        "ClusterName": "fileflow-prod",
        "ServiceName": SERVICE,
    }
    again = scaling.put_scaling_policy(
        **SCALED,
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=CPU | {"TargetValue": 50.0},
    )
    assert again["PolicyARN"] == put["PolicyARN"]
    assert [alarm["AlarmName"] for alarm in again["Alarms"]] == names
    scaling.delete_scaling_policy(**SCALED, PolicyName="cpu")
    assert scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"] == []
    assert cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"] == []


def test_requests_as_a_metric_come_back(scaling: Any) -> None:
    label = "app/alb/0123456789abcdef/targetgroup/web/0123456789abcdef"
    configuration = {
        "TargetValue": 500.0,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "ALBRequestCountPerTarget",
            "ResourceLabel": label,
        },
    }
    scaling.register_scalable_target(**SCALED, MinCapacity=1, MaxCapacity=4)
    scaling.put_scaling_policy(
        **SCALED,
        PolicyName="p",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=configuration,
    )
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"] == configuration


def test_scaling_by_steps_or_by_a_metric_of_ones_own_is_refused(scaling: Any) -> None:
    scaling.register_scalable_target(**SCALED, MinCapacity=1, MaxCapacity=4)
    put = scaling.put_scaling_policy
    stepwise = refusal(put, **SCALED, PolicyName="p", PolicyType="StepScaling")
    assert "TargetTrackingScaling only" in stepwise[1]
    own = {"MetricName": "Backlog", "Namespace": "FileFlow", "Statistic": "Average"}
    tracked = {"TargetValue": 10.0, "CustomizedMetricSpecification": own}
    by_own = refusal(
        put,
        **SCALED,
        PolicyName="p",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=tracked,
    )
    assert "isn't one of ECS services'" in by_own[1]


def test_a_scheduled_action_comes_back_and_goes(scaling: Any) -> None:
    scaling.register_scalable_target(**SCALED, MinCapacity=1, MaxCapacity=4)
    action = {
        "ScheduledActionName": "night",
        "Schedule": "cron(0 22 * * ? *)",
        "Timezone": "Asia/Seoul",
        "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 1},
    }
    scaling.put_scheduled_action(**SCALED, **action)
    (found,) = scaling.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"]
    assert_contains(found, SCALED | action)
    scaling.delete_scheduled_action(**SCALED, ScheduledActionName="night")
    assert scaling.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"] == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"Schedule": "cron(0 8 * * *)"}, "SIX FIELDS"),
        ({"Schedule": "cron(0 8 * * * *)"}, "exactly one"),
        ({"Schedule": "cron(0 8 ? * ? *)"}, "exactly one"),
        ({"Schedule": "every night"}, "must have the form"),
        ({"Timezone": "Asia/Soul"}, "Asia/Soul"),
        ({"Timezone": "KST"}, "KST"),
    ],
    ids=str,
)
def test_a_schedule_that_aws_cannot_read_is_refused(
    scaling: Any, change: dict[str, str], reason: str
) -> None:
    scaling.register_scalable_target(**SCALED, MinCapacity=1, MaxCapacity=4)
    action: dict[str, Any] = {
        "ScheduledActionName": "night",
        "Schedule": "cron(0 22 * * ? *)",
        "Timezone": "Asia/Seoul",
        "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 1},
    }
    code, message = refusal(scaling.put_scheduled_action, **SCALED, **action | change)
    assert code == "ValidationException"
    assert reason in message
    assert scaling.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"] == []


def test_a_deregistered_target_takes_its_policies_with_it(scaling: Any) -> None:
    scaling.register_scalable_target(**SCALED, MinCapacity=1, MaxCapacity=4)
    scaling.put_scaling_policy(
        **SCALED,
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=CPU,
    )
    scaling.deregister_scalable_target(**SCALED)
    assert scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []
    assert scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"] == []
    assert refusal(scaling.deregister_scalable_target, **SCALED)[0] == "ObjectNotFoundException"


def test_what_aws_refuses_is_refused(world: World, scaling: Any) -> None:
    register = scaling.register_scalable_target
    nowhere = SCALED | {"ResourceId": "service/fileflow-prod/nowhere"}
    assert "doesn't exist" in refusal(register, **nowhere, MinCapacity=1, MaxCapacity=2)[1]
    code, message = refusal(register, **SCALED, MinCapacity=3, MaxCapacity=2)
    assert code == "ValidationException"
    assert "Maximum capacity cannot be less" in message
    assert "minCapacity" in refusal(register, **SCALED, MaxCapacity=2)[1]
    assert scaling.describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"] == []
    assert "nothing" in refusal(scaling.describe_scalable_targets, ServiceNamespace="nothing")[1]
    policy = {"PolicyName": "p", "PolicyType": "TargetTrackingScaling"}
    unregistered = refusal(
        scaling.put_scaling_policy, **SCALED, **policy, TargetTrackingScalingPolicyConfiguration=CPU
    )
    assert unregistered[0] == "ObjectNotFoundException"
    register(**SCALED, MinCapacity=1, MaxCapacity=2)
    assert "is required" in refusal(scaling.put_scaling_policy, **SCALED, **policy)[1]
    requests = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ALBRequestCountPerTarget"}}
    unlabelled = refusal(
        scaling.put_scaling_policy,
        **SCALED,
        **policy,
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 1.0} | requests,
    )
    assert "ResourceLabel" in unlabelled[1]
    assert refusal(scaling.delete_scaling_policy, **SCALED, PolicyName="p")[0] == "ObjectNotFoundException"
    assert (
        "Schedule"
        in refusal(scaling.put_scheduled_action, **SCALED, ScheduledActionName="a", Schedule="every night")[1]
    )
    assert desired(world) == 1


def test_accounts_and_regions_are_apart(world: World, scaling: Any) -> None:
    scaling.register_scalable_target(**SCALED, MinCapacity=1, MaxCapacity=2)
    for other in (
        world.client("application-autoscaling", region="us-east-1"),
        world.client("application-autoscaling", account="999999999999"),
    ):
        assert other.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []
