"""Target groups.

Doesn't own targets that are registered by hand: ECS registers its own.
Source of what replaces: `ForceNew` and `CustomizeDiff` in
https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/elbv2/target_group.go
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from ...modelled import Ask, Modelled, Tags
from ...naming import AutoName
from ...places import Places
from ...resource import Call, Inputs, State, name_of, tag_map
from ...session import AwsError
from ..calls import one, unless_absent
from ..defaulting import if_given

NO_TARGET_GROUP: Final = "TargetGroupNotFound"
_HTTP: Final = frozenset({"HTTP", "HTTPS"})
_TRANSPORT: Final = frozenset({"TCP", "TCP_UDP", "TLS", "UDP", "QUIC", "TCP_QUIC"})
_LAMBDA: Final = "lambda"
_GENEVE: Final = "GENEVE"

# The attributes of a group of functions are told apart by the target type, all others by the protocol.
_ATTRIBUTES: Final = {
    "connectionTermination": ("deregistration_delay.connection_termination.enabled", _TRANSPORT),
    "deregistrationDelay": ("deregistration_delay.timeout_seconds", _HTTP | _TRANSPORT | {_GENEVE}),
    "lambdaMultiValueHeadersEnabled": ("lambda.multi_value_headers.enabled", {_LAMBDA}),
    "loadBalancingAlgorithmType": ("load_balancing.algorithm.type", _HTTP),
    "loadBalancingAnomalyMitigation": ("load_balancing.algorithm.anomaly_mitigation", _HTTP),
    "loadBalancingCrossZoneEnabled": ("load_balancing.cross_zone.enabled", _HTTP | _TRANSPORT | {_GENEVE}),
    "preserveClientIp": ("preserve_client_ip.enabled", _TRANSPORT),
    "proxyProtocolV2": ("proxy_protocol_v2.enabled", _TRANSPORT),
    "slowStart": ("slow_start.duration_seconds", _HTTP),
}
_BLOCKS: Final = {
    "stickiness": _HTTP | _TRANSPORT | {_GENEVE},
    "targetFailovers": {_GENEVE},
    "targetGroupHealth": _HTTP | _TRANSPORT,
    "targetHealthStates": {"TCP", "TLS"},
}
# What the real provider fills into a health check that leaves it out; AWS's own thresholds differ.
_HEALTH_CHECK: Final[Mapping[str, Any]] = {
    "enabled": True,
    "healthyThreshold": 3,
    "interval": 30,
    "port": "traffic-port",
    "protocol": "HTTP",
    "unhealthyThreshold": 3,
}
_BY_PREFIX: Final = ("enabled", "path", "port", "protocol")
_FAILURES: Final = ("targetFailovers", "targetHealthStates")
_HEALTH: Final = {
    "dnsFailover": ("dns_failover", "off"),
    "unhealthyStateRouting": ("unhealthy_state_routing", "1"),
}
_STICKINESS: Final = "Attributes.stickiness"
_UNHEALTHY: Final = "Attributes.target_health_state.unhealthy"


def _kind(inputs: Inputs) -> str:
    return _LAMBDA if inputs.get("targetType") == _LAMBDA else str(inputs.get("protocol") or "HTTP")


class TargetGroup(Modelled):
    token = "aws:lb/targetGroup:TargetGroup"
    service = "elbv2"
    key = "arn"
    made_by = Ask("CreateTargetGroup", "TargetGroups")
    read_by = (Ask("DescribeTargetGroups", "TargetGroups"), Ask("DescribeTargetGroupAttributes"))
    changed_by = (Ask("ModifyTargetGroup"), Ask("ModifyTargetGroupAttributes"))
    deleted_by = Ask("DeleteTargetGroup")
    tags = Tags("DescribeTags", "AddTags", "RemoveTags")
    places = Places(
        noun="TargetGroup",
        named={
            "healthCheck": "",
            "healthCheck.interval": "HealthCheckIntervalSeconds",
            "healthCheck.timeout": "HealthCheckTimeoutSeconds",
            "healthCheck.healthyThreshold": "HealthyThresholdCount",
            "healthCheck.unhealthyThreshold": "UnhealthyThresholdCount",
            "healthCheck.matcher": "Matcher.HttpCode",
            "healthCheck.grpcCode": "Matcher.GrpcCode",
            **{f"healthCheck.{name}": f"HealthCheck{name}" for name in _BY_PREFIX},
            **{name: f"Attributes.{attribute}" for name, (attribute, _) in _ATTRIBUTES.items()},
            "stickiness": "",
            "stickiness.enabled": f"{_STICKINESS}.enabled",
            "stickiness.type": f"{_STICKINESS}.type",
            "stickiness.lbCookieDuration": f"{_STICKINESS}.lb_cookie.duration_seconds",
            "stickiness.appCookieDuration": f"{_STICKINESS}.app_cookie.duration_seconds",
            "stickiness.cookieName": f"{_STICKINESS}.app_cookie.cookie_name",
            "targetFailovers": "",
            "targetFailovers.onDeregistration": "Attributes.target_failover.on_deregistration",
            "targetFailovers.onUnhealthy": "Attributes.target_failover.on_unhealthy",
            "targetHealthStates": "",
            "targetHealthStates.enableUnhealthyConnectionTermination": (
                f"{_UNHEALTHY}.connection_termination.enabled"
            ),
            "targetHealthStates.unhealthyDrainingInterval": f"{_UNHEALTHY}.draining_interval_seconds",
            "targetGroupHealth": "",
            **dict.fromkeys((f"targetGroupHealth.{name}" for name in _HEALTH), ""),
            **{
                f"targetGroupHealth.{name}.minimumHealthyTargets{what}": (
                    f"Attributes.target_group_health.{attribute}.minimum_healthy_targets.{what.lower()}"
                )
                for name, (attribute, _) in _HEALTH.items()
                for what in ("Count", "Percentage")
            },
        },
    )
    replacing = frozenset(
        {
            *("ipAddressType", "name", "namePrefix", "port", "protocol", "protocolVersion"),
            *("targetControlPort", "targetType", "vpcId"),
        }
    )
    auto_name = AutoName(max_length=32)
    defaults: ClassVar = {
        "deregistrationDelay": 300,
        "lambdaMultiValueHeadersEnabled": False,
        "proxyProtocolV2": False,
        "slowStart": 0,
        "targetType": "instance",
        **{f"healthCheck.{name}": value for name, value in _HEALTH_CHECK.items()},
        "stickiness.cookieDuration": 86400,
        "stickiness.enabled": True,
    }
    exclusive = (("name", "namePrefix"),)
    same: ClassVar = dict.fromkeys(
        ("healthCheck.matcher", "healthCheck.path", "healthCheck.timeout", "protocolVersion"), if_given
    )
    kept = frozenset({"namePrefix", "targetControlPort"})
    by_hand = frozenset({"arnSuffix", "stickiness.cookieDuration"})
    missing = frozenset({NO_TARGET_GROUP})
    # A listener that is being deleted still uses it for a moment.
    passing = frozenset({"ResourceInUse"})
    default_timeout_seconds = 300

    def check(self, inputs: Inputs) -> list[tuple[str, str]]:
        if inputs.get("targetType") == _LAMBDA:
            return []
        return [
            (name, f"`{name}` is required unless `targetType` is lambda")
            for name in ("port", "protocol", "vpcId")
            if name not in inputs
        ]

    def create(self, call: Call, inputs: Inputs) -> str:
        elbv2, name = call.client("elbv2"), name_of(inputs, "tf-")
        if unless_absent(lambda: elbv2.describe_target_groups(Names=[name])["TargetGroups"], NO_TARGET_GROUP):
            raise AwsError(f"a target group named {name} exists already: import it, or give another name")
        # AWS refuses to hear of a slow start beside some algorithms, and 0 is what there is.
        return super().create(call, {**inputs, "name": name, "slowStart": inputs.get("slowStart") or None})

    def shaped(self, inputs: Inputs) -> Mapping[str, Any]:
        kind = _kind(inputs)
        kinds = {**_BLOCKS, **{name: kinds for name, (_, kinds) in _ATTRIBUTES.items()}}
        given = {name: value for name, value in inputs.items() if kind in kinds.get(name, {kind})}
        if check := dict(given.get("healthCheck") or {}):
            unused = {"port", "protocol"} if kind == _LAMBDA else set()
            unused |= {"path", "matcher", "grpcCode"} if check["protocol"] == "TCP" else set()
            if inputs.get("protocolVersion") == "GRPC":
                check["grpcCode"] = check.pop("matcher", None)
            given["healthCheck"] = {name: value for name, value in check.items() if name not in unused}
        if sticky := given.get("stickiness"):
            given["stickiness"] = _stickiness(sticky, kind)
        if states := one(given.get("targetHealthStates")):
            given["targetHealthStates"] = [{"unhealthyDrainingInterval": 0, **states}]
        if health := given.get("targetGroupHealth"):
            given["targetGroupHealth"] = {
                name: {
                    "minimumHealthyTargetsCount": part.get("minimumHealthyTargetsCount") or _HEALTH[name][1],
                    "minimumHealthyTargetsPercentage": part.get("minimumHealthyTargetsPercentage") or "off",
                }
                for name, part in health.items()
                if any(value is not None for value in (part or {}).values())
            }
        return given

    def told(self, outputs: Mapping[str, Any], found: Mapping[str, Any], state: State) -> Mapping[str, Any]:
        kind, there = _kind(outputs), tag_map(found["Attributes"])
        sticky = there.get("stickiness.type", "")
        cookie = f"stickiness.{sticky.removesuffix('_cookie')}_cookie"
        matcher = next(iter((found.get("Matcher") or {}).values()), "")
        return {
            **outputs,
            # AWS also answers attributes that can't be set on this kind of group: they are nobody's drift.
            **{
                name: state.get(name)
                for name, (attribute, kinds) in _ATTRIBUTES.items()
                if kind not in kinds or attribute not in there
            },
            "arnSuffix": outputs["arn"].rpartition(":")[2],
            "healthCheck": {**(outputs["healthCheck"] or {}), "matcher": matcher},
            # The provider has a member each where the group has nothing to say; an import leaves them out.
            **{name: outputs[name] or ([{}] if state else []) for name in _FAILURES},
            "loadBalancerArns": sorted(outputs["loadBalancerArns"]),
            "protocolVersion": outputs["protocolVersion"] or state.get("protocolVersion"),
            # An import leaves a block that says nothing out: its defaults would switch stickiness on.
            "stickiness": {
                "cookieDuration": int(there.get(f"{cookie}.duration_seconds") or 0),
                "cookieName": there.get(f"{cookie}.cookie_name", "") if sticky == "app_cookie" else "",
                "enabled": there.get("stickiness.enabled") == "true",
                "type": sticky,
            }
            if state or there.get("stickiness.enabled") == "true"
            else None,
        }


def _stickiness(sticky: Mapping[str, Any], kind: str) -> dict[str, Any]:
    given = {"enabled": bool(sticky.get("enabled")), "type": sticky["type"]}
    if kind in _HTTP and sticky["type"] == "lb_cookie" and given["enabled"]:
        given["lbCookieDuration"] = sticky["cookieDuration"]
    elif kind in _HTTP and sticky["type"] == "app_cookie":
        given["appCookieDuration"] = sticky["cookieDuration"]
        given["cookieName"] = sticky.get("cookieName") or ""
    return given
