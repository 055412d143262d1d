"""Application Auto Scaling on the emulated AWS."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.emulator.aws import Client, refusal
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


@pytest.fixture
def scaled(scaling: Any) -> Any:
    """Application Auto Scaling with the service registered for one to four tasks."""
    scaling.register_scalable_target(**SCALED, MinCapacity=1, MaxCapacity=4)
    return scaling


def put_policy(scaling: Any, configuration: dict[str, Any]) -> Any:
    return scaling.put_scaling_policy(
        **SCALED,
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=configuration,
    )


def desired(world: World) -> int:
    return int(world.service()["desiredCount"])


@pytest.mark.parametrize(("before", "after"), [(1, 2), (3, 3), (9, 4)])
def test_registering_a_target_moves_the_desired_count_into_its_range(
    world: World, scaling: Any, before: int, after: int
) -> None:
    world.update(desiredCount=before)
    scaling.register_scalable_target(**SCALED, MinCapacity=2, MaxCapacity=4)
    assert desired(world) == after
    scaling.register_scalable_target(**SCALED, MaxCapacity=2)
    assert desired(world) == 2


def test_an_update_of_a_target_keeps_what_it_does_not_name(scaling: Any) -> None:
    made = scaling.register_scalable_target(**SCALED, MinCapacity=1, MaxCapacity=4)
    suspended = {"ScheduledScalingSuspended": True}
    again = scaling.register_scalable_target(**SCALED, MaxCapacity=5, SuspendedState=suspended)
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert made["ScalableTargetARN"] == again["ScalableTargetARN"] == target["ScalableTargetARN"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 5)
    assert target["SuspendedState"] == {
        "DynamicScalingInSuspended": False,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": True,
    }
    assert target["RoleARN"].endswith("AWSServiceRoleForApplicationAutoScaling_ECSService")


def test_the_tags_of_a_target_change(scaling: Any) -> None:
    limits, tags = {"MinCapacity": 1, "MaxCapacity": 4}, {"Project": "fileflow", "Owner": "nobody"}
    arn = scaling.register_scalable_target(**SCALED, **limits, Tags=tags)["ScalableTargetARN"]
    scaling.tag_resource(ResourceARN=arn, Tags={"Owner": "team"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["Project"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"Owner": "team"}


def test_a_target_tracking_policy_has_its_two_alarms(world: World, scaled: Any) -> None:
    put = put_policy(scaled, CPU)
    (policy,) = scaled.describe_scaling_policies(ServiceNamespace="ecs", PolicyNames=["cpu"])[
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
    again = put_policy(scaled, CPU | {"TargetValue": 50.0})
    assert again["PolicyARN"] == put["PolicyARN"]
    assert [alarm["AlarmName"] for alarm in again["Alarms"]] == names
    scaled.delete_scaling_policy(**SCALED, PolicyName="cpu")
    assert scaled.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"] == []
    assert cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"] == []


REQUESTS = {"PredefinedMetricType": "ALBRequestCountPerTarget"}


def test_requests_as_a_metric_come_back(scaled: Any) -> None:
    label = {"ResourceLabel": "app/alb/0123456789abcdef/targetgroup/web/0123456789abcdef"}
    configuration = {"TargetValue": 500.0, "PredefinedMetricSpecification": REQUESTS | label}
    put_policy(scaled, configuration)
    (policy,) = scaled.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"] == configuration


def test_scaling_by_steps_or_by_a_metric_of_ones_own_is_refused(scaled: Any) -> None:
    stepwise = refusal(scaled.put_scaling_policy, **SCALED, PolicyName="p", PolicyType="StepScaling")
    assert "TargetTrackingScaling only" in stepwise[1]
    own = {"MetricName": "Backlog", "Namespace": "FileFlow", "Statistic": "Average"}
    by_own = refusal(put_policy, scaled, {"TargetValue": 10.0, "CustomizedMetricSpecification": own})
    assert "isn't one of ECS services'" in by_own[1]


NIGHT: dict[str, Any] = {
    "ScheduledActionName": "night",
    "Schedule": "cron(0 22 * * ? *)",
    "Timezone": "Asia/Seoul",
    "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 1},
}


UNREADABLE = [
    ("Schedule", "cron(0 8 * * *)", "SIX FIELDS"),
    ("Schedule", "cron(0 8 * * * *)", "exactly one"),
    ("Schedule", "cron(0 8 ? * ? *)", "exactly one"),
    ("Schedule", "every night", "must have the form"),
    ("Timezone", "Asia/Soul", "Asia/Soul"),
    ("Timezone", "KST", "KST"),
]


def test_a_schedule_that_aws_cannot_read_is_refused(scaled: Any, subtests: pytest.Subtests) -> None:
    for member, value, reason in UNREADABLE:
        with subtests.test(value):
            code, message = refusal(scaled.put_scheduled_action, **SCALED, **NIGHT | {member: value})
            assert code == "ValidationException"
            assert reason in message
    assert scaled.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"] == []


def test_a_deregistered_target_takes_its_policies_with_it(scaled: Any) -> None:
    put_policy(scaled, CPU)
    scaled.deregister_scalable_target(**SCALED)
    assert scaled.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []
    assert scaled.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"] == []
    assert refusal(scaled.deregister_scalable_target, **SCALED)[0] == "ObjectNotFoundException"


def test_what_aws_refuses_is_refused(world: World, scaling: Any) -> None:
    register = scaling.register_scalable_target
    nowhere = SCALED | {"ResourceId": "service/fileflow-prod/nowhere"}
    assert "doesn't exist" in refusal(register, **nowhere, MinCapacity=1, MaxCapacity=2)[1]
    code, message = refusal(register, **SCALED, MinCapacity=3, MaxCapacity=2)
    assert code == "ValidationException"
    assert "Maximum capacity cannot be less" in message
    assert "minCapacity" in refusal(register, **SCALED, MaxCapacity=2)[1]
    assert scaling.describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"] == []
    assert "dynamodb" in refusal(scaling.describe_scaling_policies, ServiceNamespace="dynamodb")[1]
    assert refusal(put_policy, scaling, CPU)[0] == "ObjectNotFoundException"
    register(**SCALED, MinCapacity=1, MaxCapacity=2)
    policy = {"PolicyName": "p", "PolicyType": "TargetTrackingScaling"}
    assert "is required" in refusal(scaling.put_scaling_policy, **SCALED, **policy)[1]
    unlabelled = {"TargetValue": 1.0, "PredefinedMetricSpecification": REQUESTS}
    assert "ResourceLabel" in refusal(put_policy, scaling, unlabelled)[1]
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
