"""Lives of what scales a service, and of certificates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.local.plugins.aws.case import Aws, Case

PLACE = {
    "serviceNamespace": "ecs",
    "resourceId": "service/shop/web",
    "scalableDimension": "ecs:service:DesiredCount",
}
IMPORTED_PLACE = "/".join(PLACE.values())
TRACKED = "targetTrackingScalingPolicyConfiguration"


def register(aws: Aws, maximum: int) -> None:
    aws("application-autoscaling").register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId=PLACE["resourceId"],
        ScalableDimension=PLACE["scalableDimension"],
        MinCapacity=1,
        MaxCapacity=maximum,
    )


def scaled(aws: Aws) -> Mapping[str, Any]:
    """Makes a service that scales, and says where it is."""
    aws("ecs").create_cluster(clusterName="shop")
    aws("ecs").register_task_definition(
        family="web", containerDefinitions=[{"name": "web", "image": "web:1", "memory": 128}]
    )
    aws("ecs").create_service(cluster="shop", serviceName="web", taskDefinition="web", desiredCount=1)
    register(aws, 3)
    return PLACE


def tracking(percent: float) -> dict[str, Any]:
    return {
        "targetValue": percent,
        "scaleInCooldown": 60,
        "predefinedMetricSpecification": {"predefinedMetricType": "ECSServiceAverageCPUUtilization"},
    }


CASES = [
    Case(
        "acm/certificate:Certificate",
        {"domainName": "api.example.com", "validationMethod": "DNS", "tags": {"team": "a"}},
        {"tags": {"owner": "b"}},
        lambda aws, life: aws("acm").add_tags_to_certificate(
            CertificateArn=life.id, Tags=[{"Key": "whose", "Value": "nobody's"}]
        ),
        ["tags"],
        {"domainName": "other.example.com"},
    ),
    Case(
        "appautoscaling/target:Target",
        {"minCapacity": 1, "maxCapacity": 3},
        {
            "maxCapacity": 5,
            "suspendedState": {"scheduledScalingSuspended": True},
            "tags": {"team": "a"},
        },
        lambda aws, _life: register(aws, 9),
        ["maxCapacity"],
        {"resourceId": "service/shop/other"},
        imported_by=lambda _life: IMPORTED_PLACE,
        needs=scaled,
    ),
    Case(
        "appautoscaling/policy:Policy",
        {"name": "cpu", "policyType": "TargetTrackingScaling", TRACKED: tracking(60)},
        {TRACKED: tracking(42.5)},
        lambda aws, _life: aws("application-autoscaling").put_scaling_policy(
            PolicyName="cpu",
            PolicyType="TargetTrackingScaling",
            ServiceNamespace="ecs",
            ResourceId=PLACE["resourceId"],
            ScalableDimension=PLACE["scalableDimension"],
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": 9,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
            },
        ),
        [TRACKED],
        {"name": "other"},
        imported_by=lambda _life: f"{IMPORTED_PLACE}/cpu",
        needs=scaled,
    ),
]
