"""Target groups, and targets that are registered by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from ...naming import AutoName
from ...resource import Call, Inputs, Resource, State, name_of
from ...session import AwsError
from ..calls import given, one, retried, touched, unless_absent
from ..defaulting import if_given
from . import attributes
from .attributes import Attribute
from .tags import creation_tags, read_tags, update_tags

NO_TARGET_GROUP: Final = "TargetGroupNotFound"
_HTTP: Final = frozenset({"HTTP", "HTTPS"})
_TRANSPORT: Final = frozenset({"TCP", "TCP_UDP", "TLS", "UDP", "QUIC", "TCP_QUIC"})
_LAMBDA: Final = "lambda"
_GENEVE: Final = "GENEVE"
# The attributes of a group of functions are told apart by the target type, all others by the protocol.
_NOT_LAMBDA: Final = _HTTP | _TRANSPORT | {_GENEVE}

_ATTRIBUTES: Final = (
    Attribute(
        "connectionTermination", "deregistration_delay.connection_termination.enabled", bool, _TRANSPORT
    ),
    Attribute("deregistrationDelay", "deregistration_delay.timeout_seconds", int, _NOT_LAMBDA),
    Attribute(
        "lambdaMultiValueHeadersEnabled",
        "lambda.multi_value_headers.enabled",
        bool,
        frozenset({_LAMBDA}),
    ),
    Attribute("loadBalancingAlgorithmType", "load_balancing.algorithm.type", str, _HTTP),
    Attribute("loadBalancingAnomalyMitigation", "load_balancing.algorithm.anomaly_mitigation", str, _HTTP),
    Attribute("loadBalancingCrossZoneEnabled", "load_balancing.cross_zone.enabled", str, _NOT_LAMBDA),
    Attribute("preserveClientIp", "preserve_client_ip.enabled", str, _TRANSPORT),
    Attribute("proxyProtocolV2", "proxy_protocol_v2.enabled", bool, _TRANSPORT),
    Attribute("slowStart", "slow_start.duration_seconds", int, _HTTP),
)

# What the real provider fills into a health check that leaves it out; AWS's own thresholds differ.
_HEALTH_CHECK: Final[Mapping[str, Any]] = {
    "enabled": True,
    "healthyThreshold": 3,
    "interval": 30,
    "port": "traffic-port",
    "protocol": "HTTP",
    "unhealthyThreshold": 3,
}
_STICKINESS: Final[Mapping[str, Any]] = {"cookieDuration": 86400, "enabled": True}
_DNS_FAILOVER: Final = "target_group_health.dns_failover.minimum_healthy_targets"
_STATE_ROUTING: Final = "target_group_health.unhealthy_state_routing.minimum_healthy_targets"
_UNHEALTHY: Final = "target_health_state.unhealthy"


def _kind_there(group: Mapping[str, Any]) -> str:
    """The kind of a target group as AWS describes it."""
    return _kind({"targetType": group.get("TargetType"), "protocol": group.get("Protocol")})


def _kind(inputs: Inputs) -> str:
    return _LAMBDA if inputs.get("targetType") == _LAMBDA else str(inputs.get("protocol") or "HTTP")


class TargetGroup(Resource):
    token = "aws:lb/targetGroup:TargetGroup"
    auto_name = AutoName(max_length=32)
    defaults: ClassVar = {
        "deregistrationDelay": 300,
        "lambdaMultiValueHeadersEnabled": False,
        "proxyProtocolV2": False,
        "slowStart": 0,
        "targetType": "instance",
        **{f"healthCheck.{name}": value for name, value in _HEALTH_CHECK.items()},
        **{f"stickiness.{name}": value for name, value in _STICKINESS.items()},
    }
    exclusive = (("name", "namePrefix"),)
    same: ClassVar = {
        **dict.fromkeys(("healthCheck.matcher", "healthCheck.path", "healthCheck.timeout"), if_given),
        "protocolVersion": if_given,
    }
    kept = frozenset({"targetControlPort"})
    missing = frozenset({NO_TARGET_GROUP})

    def check(self, inputs: Inputs) -> list[tuple[str, str]]:
        if inputs.get("targetType") == _LAMBDA:
            return []
        return [
            (name, f"`{name}` is required unless `targetType` is lambda")
            for name in ("port", "protocol", "vpcId")
            if name not in inputs
        ]

    def create(self, call: Call, inputs: Inputs) -> str:
        elbv2 = call.client("elbv2")
        name = name_of(inputs, "tf-")
        if unless_absent(lambda: elbv2.describe_target_groups(Names=[name])["TargetGroups"], NO_TARGET_GROUP):
            raise AwsError(f"a target group named {name} exists already: import it, or give another name")
        made = elbv2.create_target_group(
            Name=name,
            TargetType=inputs["targetType"],
            **given(
                inputs,
                IpAddressType="ipAddressType",
                Port="port",
                Protocol="protocol",
                ProtocolVersion="protocolVersion",
                TargetControlPort="targetControlPort",
                VpcId="vpcId",
            ),
            **self._health_check(inputs),
            **creation_tags(inputs),
        )["TargetGroups"][0]
        arn = str(made["TargetGroupArn"])
        values = self._wanted(inputs)
        if not inputs.get("slowStart"):
            # AWS refuses to hear of a slow start beside some algorithms, and 0 is what there is.
            values.pop("slow_start.duration_seconds", None)
        if values:
            elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=attributes.pairs(values))
        return arn

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        elbv2 = call.client("elbv2")
        group = one(
            unless_absent(
                lambda: elbv2.describe_target_groups(TargetGroupArns=[resource_id])["TargetGroups"],
                NO_TARGET_GROUP,
            )
        )
        if group is None:
            return None
        described = elbv2.describe_target_group_attributes(TargetGroupArn=resource_id)["Attributes"]
        there = {pair["Key"]: pair.get("Value", "") for pair in described}
        matcher = group.get("Matcher", {})
        return {
            **attributes.outputs(_ATTRIBUTES, _kind_there(group), there, state),
            "arn": resource_id,
            "arnSuffix": resource_id.rpartition(":")[2],
            "healthCheck": {
                "enabled": group.get("HealthCheckEnabled", True),
                "healthyThreshold": group.get("HealthyThresholdCount"),
                "interval": group.get("HealthCheckIntervalSeconds"),
                "matcher": matcher.get("HttpCode") or matcher.get("GrpcCode") or "",
                "path": group.get("HealthCheckPath", ""),
                "port": group.get("HealthCheckPort"),
                "protocol": group.get("HealthCheckProtocol"),
                "timeout": group.get("HealthCheckTimeoutSeconds"),
                "unhealthyThreshold": group.get("UnhealthyThresholdCount"),
            },
            "ipAddressType": group.get("IpAddressType", ""),
            "loadBalancerArns": sorted(group.get("LoadBalancerArns", [])),
            "name": group["TargetGroupName"],
            "namePrefix": state.get("namePrefix") or "",
            "port": group.get("Port"),
            "protocol": group.get("Protocol"),
            "protocolVersion": group.get("ProtocolVersion") or state.get("protocolVersion"),
            # An import leaves a block that says nothing out: its defaults would switch stickiness on.
            "stickiness": self._stickiness(there)
            if state or there.get("stickiness.enabled") == "true"
            else None,
            "tagsAll": read_tags(elbv2, resource_id),
            "targetGroupHealth": {
                "dnsFailover": {
                    "minimumHealthyTargetsCount": there.get(f"{_DNS_FAILOVER}.count"),
                    "minimumHealthyTargetsPercentage": there.get(f"{_DNS_FAILOVER}.percentage"),
                },
                "unhealthyStateRouting": {
                    "minimumHealthyTargetsCount": _number(there.get(f"{_STATE_ROUTING}.count")),
                    "minimumHealthyTargetsPercentage": there.get(f"{_STATE_ROUTING}.percentage"),
                },
            },
            **self._failures(there, state),
            "targetType": group.get("TargetType", "instance"),
            "vpcId": group.get("VpcId"),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        elbv2 = call.client("elbv2")
        if new.get("healthCheck") and touched(changed, "healthCheck"):
            elbv2.modify_target_group(TargetGroupArn=resource_id, **self._health_check(new))
        before = self._wanted(old)
        values = {key: value for key, value in self._wanted(new).items() if before.get(key) != value}
        if values:
            elbv2.modify_target_group_attributes(
                TargetGroupArn=resource_id, Attributes=attributes.pairs(values)
            )
        update_tags(elbv2, resource_id, old, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        # A listener that is being deleted still uses it for a moment.
        del state
        elbv2 = call.client("elbv2")
        retried(
            call,
            f"target group {resource_id} is free",
            lambda: unless_absent(
                lambda: elbv2.delete_target_group(TargetGroupArn=resource_id), NO_TARGET_GROUP
            ),
            "ResourceInUse",
        )

    @staticmethod
    def _health_check(inputs: Inputs) -> dict[str, Any]:
        if not inputs.get("healthCheck"):
            return {}
        check = inputs["healthCheck"]
        parameters = given(
            check,
            HealthCheckEnabled="enabled",
            HealthCheckIntervalSeconds="interval",
            HealthCheckTimeoutSeconds="timeout",
            HealthyThresholdCount="healthyThreshold",
            UnhealthyThresholdCount="unhealthyThreshold",
        )
        if inputs.get("targetType") != _LAMBDA:
            parameters |= given(check, HealthCheckPort="port", HealthCheckProtocol="protocol")
        if check["protocol"] != "TCP":
            parameters |= given(check, HealthCheckPath="path")
            if check.get("matcher"):
                code = "GrpcCode" if inputs.get("protocolVersion") == "GRPC" else "HttpCode"
                parameters["Matcher"] = {code: check["matcher"]}
        return parameters

    @staticmethod
    def _wanted(inputs: Inputs) -> dict[str, Any]:
        """Every attribute that the inputs (or outputs) set, by AWS's keys."""
        kind = _kind(inputs)
        values = attributes.wanted(_ATTRIBUTES, kind, inputs)
        stickiness = inputs.get("stickiness")
        if stickiness and kind != _LAMBDA and stickiness.get("type"):
            enabled, sort = bool(stickiness.get("enabled")), stickiness["type"]
            values["stickiness.enabled"], values["stickiness.type"] = enabled, sort
            if kind in _HTTP and sort == "lb_cookie" and enabled:
                values["stickiness.lb_cookie.duration_seconds"] = stickiness["cookieDuration"]
            elif kind in _HTTP and sort == "app_cookie":
                values["stickiness.app_cookie.cookie_name"] = stickiness.get("cookieName") or ""
                values["stickiness.app_cookie.duration_seconds"] = stickiness["cookieDuration"]
        failover = one(inputs.get("targetFailovers")) or {}
        if kind == _GENEVE and failover.get("onDeregistration"):
            values["target_failover.on_deregistration"] = failover["onDeregistration"]
            values["target_failover.on_unhealthy"] = failover["onUnhealthy"]
        states = one(inputs.get("targetHealthStates")) or {}
        if kind in {"TCP", "TLS"} and states.get("enableUnhealthyConnectionTermination") is not None:
            values[f"{_UNHEALTHY}.connection_termination.enabled"] = states[
                "enableUnhealthyConnectionTermination"
            ]
            values[f"{_UNHEALTHY}.draining_interval_seconds"] = states.get("unhealthyDrainingInterval") or 0
        health = inputs.get("targetGroupHealth") or {}
        if kind not in {_GENEVE, _LAMBDA}:
            for member, prefix, count in (
                ("dnsFailover", _DNS_FAILOVER, "off"),
                ("unhealthyStateRouting", _STATE_ROUTING, "1"),
            ):
                part = health.get(member) or {}
                if any(value is not None for value in part.values()):
                    values[f"{prefix}.count"] = str(part.get("minimumHealthyTargetsCount") or count)
                    values[f"{prefix}.percentage"] = part.get("minimumHealthyTargetsPercentage") or "off"
        return values

    @staticmethod
    def _failures(there: Mapping[str, str], state: State) -> dict[str, Any]:
        """What happens to traffic when targets fail: one member each, empty where the protocol has none.

        An import leaves empty ones out, they would be no arguments.
        """
        failover = {
            "onDeregistration": there.get("target_failover.on_deregistration"),
            "onUnhealthy": there.get("target_failover.on_unhealthy"),
        }
        health = {
            "enableUnhealthyConnectionTermination": _flag(
                there.get(f"{_UNHEALTHY}.connection_termination.enabled")
            ),
            "unhealthyDrainingInterval": _number(there.get(f"{_UNHEALTHY}.draining_interval_seconds")),
        }
        return {
            name: [member] if state or any(value is not None for value in member.values()) else []
            for name, member in (("targetFailovers", failover), ("targetHealthStates", health))
        }

    @staticmethod
    def _stickiness(there: Mapping[str, str]) -> dict[str, Any]:
        kind = there.get("stickiness.type", "")
        cookie = kind.removesuffix("_cookie")
        duration = there.get(f"stickiness.{cookie}_cookie.duration_seconds")
        return {
            "cookieDuration": int(duration) if duration else 0,
            "cookieName": there.get("stickiness.app_cookie.cookie_name", "") if kind == "app_cookie" else "",
            "enabled": there.get("stickiness.enabled") == "true",
            "type": kind,
        }


class TargetGroupAttachment(Resource):
    """A target that is registered by hand. It has no id on AWS; the real provider makes one up too."""

    token = "aws:lb/targetGroupAttachment:TargetGroupAttachment"
    kept = frozenset({"availabilityZone", "port", "quicServerId", "targetGroupArn", "targetId"})
    missing = frozenset({NO_TARGET_GROUP})

    def create(self, call: Call, inputs: Inputs) -> str:
        call.client("elbv2").register_targets(
            TargetGroupArn=inputs["targetGroupArn"], Targets=[self._target(inputs)]
        )
        return f"{inputs['targetGroupArn']},{inputs['targetId']},{inputs.get('port') or ''}"

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        del resource_id
        if not state:
            return None
        health = unless_absent(
            lambda: call.client("elbv2").describe_target_health(
                TargetGroupArn=state["targetGroupArn"], Targets=[self._target(state)]
            )["TargetHealthDescriptions"],
            NO_TARGET_GROUP,
            "InvalidTarget",
        )
        registered = one(health)
        reason = (registered or {}).get("TargetHealth", {}).get("Reason")
        return (
            None
            if reason in {"Target.NotRegistered", "Target.DeregistrationInProgress"} or not health
            else {}
        )

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        del call, resource_id, old, new, changed
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        del resource_id
        unless_absent(
            lambda: call.client("elbv2").deregister_targets(
                TargetGroupArn=state["targetGroupArn"], Targets=[self._target(state)]
            ),
            NO_TARGET_GROUP,
            "InvalidTarget",
        )

    @staticmethod
    def _target(inputs: Inputs) -> dict[str, Any]:
        return given(
            inputs,
            AvailabilityZone="availabilityZone",
            Id="targetId",
            Port="port",
            QuicServerId="quicServerId",
        )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None


def _flag(text: str | None) -> bool | None:
    return None if text is None else text == "true"
