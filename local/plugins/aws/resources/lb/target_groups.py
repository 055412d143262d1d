"""Target groups of application load balancers, whose targets are tasks or instances.

Doesn't own other protocols than HTTP and what belongs to them, targets that are functions, nor targets that
are registered by hand: ECS registers its own.
Source of what replaces and of the defaults: `ForceNew`, `Default` and `CustomizeDiff` in
https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/elbv2/target_group.go
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ...modelled import Ask
from ...resource import Answer, Call, Inputs, Outputs, State, facts, names
from ..defaulting import if_given
from .balancing import Named

_ATTRIBUTES: Final = {
    "deregistrationDelay": "deregistration_delay.timeout_seconds",
    "loadBalancingAlgorithmType": "load_balancing.algorithm.type",
    "loadBalancingAnomalyMitigation": "load_balancing.algorithm.anomaly_mitigation",
    "loadBalancingCrossZoneEnabled": "load_balancing.cross_zone.enabled",
    "slowStart": "slow_start.duration_seconds",
    "stickiness.cookieDuration": "stickiness.lb_cookie.duration_seconds",
    "stickiness.enabled": "stickiness.enabled",
    "stickiness.type": "stickiness.type",
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
_HEALTH: Final = {"dnsFailover": "dns_failover", "unhealthyStateRouting": "unhealthy_state_routing"}
_OF_OTHER_PROTOCOLS: Final = ("lambdaMultiValueHeadersEnabled", "proxyProtocolV2")
_SERVED: Final = {"protocol": ("HTTP", "HTTPS"), "targetType": ("instance", "ip")}


class TargetGroup(Named):
    token = "aws:lb/targetGroup:TargetGroup"
    what = "target group"
    made_by = Ask("CreateTargetGroup", "TargetGroups")
    read_by = (Ask("DescribeTargetGroups", "TargetGroups"), Ask("DescribeTargetGroupAttributes"))
    changed_by = (Ask("ModifyTargetGroup"), Ask("ModifyTargetGroupAttributes"))
    deleted_by = Ask("DeleteTargetGroup")
    noun = "TargetGroup"
    named = facts(
        {
            "healthCheck": "",
            "healthCheck.enabled": "HealthCheckEnabled",
            "healthCheck.path": "HealthCheckPath",
            "healthCheck.port": "HealthCheckPort",
            "healthCheck.protocol": "HealthCheckProtocol",
            "healthCheck.interval": "HealthCheckIntervalSeconds",
            "healthCheck.timeout": "HealthCheckTimeoutSeconds",
            "healthCheck.healthyThreshold": "HealthyThresholdCount",
            "healthCheck.unhealthyThreshold": "UnhealthyThresholdCount",
            "healthCheck.matcher": "Matcher.HttpCode",
            "stickiness": "",
            **{name: f"Attributes.{attribute}" for name, attribute in _ATTRIBUTES.items()},
            **dict.fromkeys(("targetGroupHealth", *(f"targetGroupHealth.{name}" for name in _HEALTH)), ""),
            **{
                f"targetGroupHealth.{name}.minimumHealthyTargets{what}": (
                    f"Attributes.target_group_health.{attribute}.minimum_healthy_targets.{what.lower()}"
                )
                for name, attribute in _HEALTH.items()
                for what in ("Count", "Percentage")
            },
        }
    )
    required = names("port protocol vpcId")
    replacing = names("name port protocol targetType vpcId")
    lacking = frozenset(
        {
            *("connectionTermination", "ipAddressType", "namePrefix", "preserveClientIp", "protocolVersion"),
            *("stickiness.cookieName", "targetControlPort", "targetFailovers", "targetGroupHealth"),
            *("targetHealthStates", *_OF_OTHER_PROTOCOLS),
        }
    )
    defaults = facts(
        {
            **dict.fromkeys(_OF_OTHER_PROTOCOLS, False),
            "deregistrationDelay": 300,
            "slowStart": 0,
            "targetType": "instance",
            **{f"healthCheck.{name}": value for name, value in _HEALTH_CHECK.items()},
            "stickiness.cookieDuration": 86400,
            "stickiness.enabled": True,
        }
    )
    same = facts(dict.fromkeys(("healthCheck.matcher", "healthCheck.path", "healthCheck.timeout"), if_given))
    kept = frozenset(_OF_OTHER_PROTOCOLS)
    end_of_arn = "arnSuffix"
    # A listener that is being deleted still uses it for a moment.
    passing = names("ResourceInUse")

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        for name, served in _SERVED.items():
            given = inputs.get(name)
            if isinstance(given, str) and given not in served:
                reason = f"the aws stand-in has {' and '.join(served)}; use the real aws plugin (7.x)"
                yield name, f"`{name}` is {given!r}: {reason}"

    def create(self, call: Call, inputs: Inputs) -> str:
        # AWS refuses to hear of a slow start beside some algorithms, and 0 is what there is.
        return super().create(call, {**inputs, "slowStart": inputs.get("slowStart") or None})

    def shaped(self, inputs: Inputs) -> Inputs:
        sticky = inputs.get("stickiness")
        if not sticky or sticky.get("enabled"):
            return inputs
        return {**inputs, "stickiness": {"enabled": False, "type": sticky["type"]}}

    def told(self, outputs: Outputs, found: Answer, state: State) -> Outputs:
        sticky = outputs["stickiness"]
        return {
            **outputs,
            "loadBalancerArns": sorted(outputs["loadBalancerArns"]),
            # An import leaves a block that says nothing out: its defaults would switch stickiness on.
            "stickiness": sticky if state or sticky["enabled"] else None,
            # The provider has a member each where the group has nothing to say.
            "targetFailovers": [{}],
            "targetHealthStates": [{}],
        }
