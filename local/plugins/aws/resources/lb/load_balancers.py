"""Application load balancers.

Doesn't own network and gateway load balancers, addresses of one's own, reserved capacity and logs other than
those of access: they are refused.
Source of what replaces and of the defaults: `ForceNew`, `Default` and `DiffSuppressFunc` in
https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/elbv2/load_balancer.go
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from ...modelled import Ask
from ...resource import Answer, Inputs, Outputs, State, facts, names
from .balancing import Named

_KIND: Final = "application"
_LOGS: Final = ("accessLogs", "connectionLogs", "healthCheckLogs")
_NO_LOGS: Final = {"bucket": "", "enabled": False, "prefix": ""}
_ATTRIBUTES: Final = {
    "clientKeepAlive": "client_keep_alive.seconds",
    "desyncMitigationMode": "routing.http.desync_mitigation_mode",
    "dropInvalidHeaderFields": "routing.http.drop_invalid_header_fields.enabled",
    "enableDeletionProtection": "deletion_protection.enabled",
    "enableHttp2": "routing.http2.enabled",
    "enableTlsVersionAndCipherSuiteHeaders": "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
    "enableWafFailOpen": "waf.fail_open.enabled",
    "enableXffClientPort": "routing.http.xff_client_port.enabled",
    "enableZonalShift": "zonal_shift.config.enabled",
    "idleTimeout": "idle_timeout.timeout_seconds",
    "preserveHostHeader": "routing.http.preserve_host_header.enabled",
    "xffHeaderProcessingMode": "routing.http.xff_header_processing.mode",
}


def same_logs(there: Any, argument: Any) -> bool:
    """A block that is left out keeps what there is; where logs are off, their bucket says nothing."""
    if not argument:
        return True
    if not argument.get("enabled"):
        return not (there or {}).get("enabled")
    return all(((there or {}).get(name) or "") == (argument.get(name) or "") for name in _NO_LOGS)


class LoadBalancer(Named):
    token = "aws:lb/loadBalancer:LoadBalancer"
    what = "load balancer"
    made_by = Ask("CreateLoadBalancer", "LoadBalancers")
    read_by = (Ask("DescribeLoadBalancers", "LoadBalancers"), Ask("DescribeLoadBalancerAttributes"))
    changed_by = (Ask("ModifyLoadBalancerAttributes"), Ask("SetSecurityGroups"), Ask("SetSubnets"))
    deleted_by = Ask("DeleteLoadBalancer")
    ready = ("State.Code", "active")
    noun = "LoadBalancer"
    named = facts(
        {
            **{name: f"Attributes.{attribute}" for name, attribute in _ATTRIBUTES.items()},
            "accessLogs": "",
            **{f"accessLogs.{name}": f"Attributes.access_logs.s3.{name}" for name in _NO_LOGS},
            "loadBalancerType": "Type",
            "subnetMappings": "AvailabilityZones",
            **{
                f"subnetMappings.{name}": f"LoadBalancerAddresses.{name}"
                for name in ("allocationId", "ipv6Address", "privateIpv4Address")
            },
            "subnets": "Subnets|AvailabilityZones.SubnetId",
            "zoneId": "CanonicalHostedZoneId",
        }
    )
    required = names("subnets")
    replacing = names("internal loadBalancerType name")
    lacking = names("""connectionLogs customerOwnedIpv4Pool dnsRecordClientRoutingPolicy
        enableCrossZoneLoadBalancing enablePrefixForIpv6SourceNat
        enforceSecurityGroupInboundRulesOnPrivateLinkTraffic healthCheckLogs ipAddressType ipamPools
        minimumLoadBalancerCapacity namePrefix secondaryIpsAutoAssignedPerSubnet subnetMappings""")
    by_hand = names("arnSuffix internal")
    defaults = facts(
        {
            **dict.fromkeys(_ATTRIBUTES, False),
            "clientKeepAlive": 3600,
            "desyncMitigationMode": "defensive",
            "enableHttp2": True,
            "idleTimeout": 60,
            "loadBalancerType": _KIND,
            "xffHeaderProcessingMode": "append",
        }
    )
    sets = names("securityGroups subnets")
    same = facts(accessLogs=same_logs)
    default_timeout_seconds = 600

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        kind = inputs["loadBalancerType"]
        if isinstance(kind, str) and kind != _KIND:
            reason = "the aws stand-in has application load balancers only; use the real aws plugin (7.x)"
            yield "loadBalancerType", f"`loadBalancerType` is {kind!r}: {reason}"

    def shaped(self, inputs: Inputs) -> Inputs:
        given = {**inputs, "scheme": "internal" if inputs.get("internal") else None}
        if logs := inputs.get("accessLogs"):
            given["accessLogs"] = {**_NO_LOGS, **logs} if logs.get("enabled") else {"enabled": False}
        return given

    def told(self, outputs: Outputs, found: Answer, state: State) -> Outputs:
        return {
            **outputs,
            **{name: outputs.get(name) or _NO_LOGS for name in _LOGS},
            "arnSuffix": outputs["arn"].partition(":loadbalancer/")[2],
            "internal": found["Scheme"] == "internal",
            **{name: sorted(outputs[name]) for name in ("securityGroups", "subnets")},
            "subnetMappings": sorted(outputs["subnetMappings"], key=lambda zone: str(zone["subnetId"])),
        }
