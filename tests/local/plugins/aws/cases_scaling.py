"""Lives of what scales a service, of certificates, records and what filters requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.local.plugins.aws.case import Aws, Case
from tests.local.plugins.aws.life import Life

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


def zone(aws: Aws) -> dict[str, str]:
    made = aws("route53").create_hosted_zone(Name="shop.example.com", CallerReference="shop")["HostedZone"]
    return {"zoneId": made["Id"].removeprefix("/hostedzone/")}


def change_record(aws: Aws, life: Life, **record: Any) -> None:
    """Lets somebody change a record that has this life."""
    named = {"Name": life.outputs["fqdn"], "Type": life.outputs["type"]}
    change = {"Action": "UPSERT", "ResourceRecordSet": {**named, **record}}
    aws("route53").change_resource_record_sets(
        HostedZoneId=life.outputs["zoneId"], ChangeBatch={"Changes": [change]}
    )


def web_acl(aws: Aws) -> dict[str, str]:
    visibility = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "web"}
    made = aws("wafv2").create_web_acl(
        Name="web", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=visibility, Rules=[]
    )
    return {"webAclArn": made["Summary"]["ARN"]}


BALANCER = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:loadbalancer/app/web/0123456789abcdef"
ALIAS = {"name": "Front-1.elb.amazonaws.com", "zoneId": "Z35SXDOTRQ7X7K", "evaluateTargetHealth": True}

CASES = [
    Case(
        "route53/record:Record",
        {"name": "api.shop.example.com.", "type": "A", "records": ["10.0.0.1"], "ttl": 300},
        {"ttl": 60, "records": ["10.0.0.2", "10.0.0.1"]},
        lambda aws, life: change_record(aws, life, TTL=60, ResourceRecords=[{"Value": "10.0.0.3"}]),
        ["records"],
        {"name": "other"},
        unknowable=("name",),
        needs=zone,
    ),
    Case(
        "route53/record:Record",
        {"name": "api.shop.example.com", "type": "A", "aliases": [ALIAS]},
        {"aliases": [{**ALIAS, "evaluateTargetHealth": False}]},
        unknowable=("aliases",),
        needs=zone,
    ),
    Case(
        "wafv2/webAclAssociation:WebAclAssociation",
        {"resourceArn": BALANCER},
        replaced_by={"resourceArn": f"{BALANCER}0"},
        needs=web_acl,
    ),
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
