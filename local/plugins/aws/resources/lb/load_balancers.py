"""Load balancers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from ...naming import AutoName
from ...resource import Call, Inputs, Resource, State, name_of
from ...session import AwsError
from ..calls import given, one, touched, unless_absent
from . import attributes
from .attributes import Attribute
from .tags import creation_tags, read_tags, update_tags

NO_LOAD_BALANCER: Final = "LoadBalancerNotFound"
_ALB, _NLB, _GWLB = "application", "network", "gateway"


def _attribute(argument: str, key: str, kind: type, *kinds: str) -> Attribute:
    return Attribute(argument, key, kind, frozenset(kinds))


_ATTRIBUTES: Final = (
    _attribute("clientKeepAlive", "client_keep_alive.seconds", int, _ALB),
    _attribute("desyncMitigationMode", "routing.http.desync_mitigation_mode", str, _ALB),
    _attribute("dnsRecordClientRoutingPolicy", "dns_record.client_routing_policy", str, _NLB),
    _attribute("dropInvalidHeaderFields", "routing.http.drop_invalid_header_fields.enabled", bool, _ALB),
    _attribute("enableCrossZoneLoadBalancing", "load_balancing.cross_zone.enabled", bool, _NLB, _GWLB),
    _attribute("enableDeletionProtection", "deletion_protection.enabled", bool),
    _attribute("enableHttp2", "routing.http2.enabled", bool, _ALB),
    _attribute(
        "enableTlsVersionAndCipherSuiteHeaders",
        "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
        bool,
        _ALB,
    ),
    _attribute("enableWafFailOpen", "waf.fail_open.enabled", bool, _ALB),
    _attribute("enableXffClientPort", "routing.http.xff_client_port.enabled", bool, _ALB),
    _attribute("enableZonalShift", "zonal_shift.config.enabled", bool, _ALB, _NLB),
    _attribute("idleTimeout", "idle_timeout.timeout_seconds", int, _ALB),
    _attribute("preserveHostHeader", "routing.http.preserve_host_header.enabled", bool, _ALB),
    _attribute("xffHeaderProcessingMode", "routing.http.xff_header_processing.mode", str, _ALB),
    _attribute("secondaryIpsAutoAssignedPerSubnet", "secondary_ips.auto_assigned.per_subnet", int, _NLB),
)
_LOGS: Final = {
    "accessLogs": ("access_logs.s3", frozenset({_ALB, _NLB})),
    "connectionLogs": ("connection_logs.s3", frozenset({_ALB})),
    "healthCheckLogs": ("health_check_logs.s3", frozenset({_ALB})),
}


def same_logs(there: Any, argument: Any) -> bool:
    """A block that is left out keeps what there is; where logs are off, their bucket says nothing."""
    if not argument:
        return True
    if not argument.get("enabled"):
        return not (there or {}).get("enabled")
    return all(
        ((there or {}).get(name) or "") == (argument.get(name) or "")
        for name in ("bucket", "enabled", "prefix")
    )


class LoadBalancer(Resource):
    token = "aws:lb/loadBalancer:LoadBalancer"
    auto_name = AutoName(max_length=32)
    defaults: ClassVar = {
        "clientKeepAlive": 3600,
        "desyncMitigationMode": "defensive",
        "dropInvalidHeaderFields": False,
        "enableDeletionProtection": False,
        "enableHttp2": True,
        "enableTlsVersionAndCipherSuiteHeaders": False,
        "enableWafFailOpen": False,
        "enableXffClientPort": False,
        "enableZonalShift": False,
        "idleTimeout": 60,
        "loadBalancerType": _ALB,
        "preserveHostHeader": False,
        "xffHeaderProcessingMode": "append",
    }
    exclusive = (("name", "namePrefix"), ("subnets", "subnetMappings"))
    sets = frozenset({"securityGroups", "subnetMappings", "subnets"})
    same: ClassVar = dict.fromkeys(_LOGS, same_logs)
    missing = frozenset({NO_LOAD_BALANCER})

    def check(self, inputs: Inputs) -> list[tuple[str, str]]:
        if "subnets" not in inputs and "subnetMappings" not in inputs:
            return [("subnets", "one of `subnets`, `subnetMappings` must be given")]
        return []

    def create(self, call: Call, inputs: Inputs) -> str:
        elbv2 = call.client("elbv2")
        name = name_of(inputs, "tf-lb-")
        # Creating is idempotent on AWS: it would hand over somebody else's load balancer of this name.
        if unless_absent(
            lambda: elbv2.describe_load_balancers(Names=[name])["LoadBalancers"], NO_LOAD_BALANCER
        ):
            raise AwsError(f"a load balancer named {name} exists already: import it, or give another name")
        made = elbv2.create_load_balancer(
            Name=name,
            Type=inputs["loadBalancerType"],
            **({"Scheme": "internal"} if inputs.get("internal") else {}),
            **given(
                inputs,
                CustomerOwnedIpv4Pool="customerOwnedIpv4Pool",
                EnablePrefixForIpv6SourceNat="enablePrefixForIpv6SourceNat",
                IpAddressType="ipAddressType",
                SecurityGroups="securityGroups",
                Subnets="subnets",
            ),
            **self._ipam_pools(inputs),
            **self._mappings(inputs),
            **creation_tags(inputs),
        )["LoadBalancers"][0]
        arn = str(made["LoadBalancerArn"])
        call.wait_until(f"load balancer {name} becomes active", lambda: self._is_active(elbv2, arn), 600)
        self._set_attributes(elbv2, arn, inputs)
        self._set_capacity(elbv2, arn, inputs)
        return arn

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        elbv2 = call.client("elbv2")
        found = self._find(elbv2, resource_id)
        if found is None:
            return None
        described = elbv2.describe_load_balancer_attributes(LoadBalancerArn=resource_id)["Attributes"]
        there = {pair["Key"]: pair.get("Value", "") for pair in described}
        zones = found.get("AvailabilityZones", [])
        enforced = found.get("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic", "")
        pools = found.get("IpamPools")
        return {
            **attributes.outputs(_ATTRIBUTES, found["Type"], there, state),
            **{name: self._logs(there, prefix) for name, (prefix, _) in _LOGS.items()},
            "arn": resource_id,
            "arnSuffix": resource_id.partition(":loadbalancer/")[2],
            "customerOwnedIpv4Pool": found.get("CustomerOwnedIpv4Pool", ""),
            "dnsName": found.get("DNSName", ""),
            "enablePrefixForIpv6SourceNat": found.get("EnablePrefixForIpv6SourceNat", ""),
            "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic": enforced,
            "internal": found.get("Scheme") == "internal",
            "ipAddressType": found.get("IpAddressType", ""),
            "ipamPools": {"ipv4IpamPoolId": pools["Ipv4IpamPoolId"]} if pools else None,
            "loadBalancerType": found["Type"],
            "minimumLoadBalancerCapacity": self._capacity(elbv2, resource_id, state),
            "name": found["LoadBalancerName"],
            "namePrefix": state.get("namePrefix") or "",
            "securityGroups": sorted(found.get("SecurityGroups", [])),
            "subnetMappings": sorted(map(self._mapping, zones), key=lambda m: str(m["subnetId"])),
            "subnets": sorted(zone["SubnetId"] for zone in zones),
            "tagsAll": read_tags(elbv2, resource_id),
            "vpcId": found.get("VpcId", ""),
            "zoneId": found.get("CanonicalHostedZoneId", ""),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        elbv2 = call.client("elbv2")
        self._set_attributes(elbv2, resource_id, new, old)
        enforced = "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
        if touched(changed, "securityGroups", enforced) and new.get("securityGroups") is not None:
            elbv2.set_security_groups(
                LoadBalancerArn=resource_id,
                SecurityGroups=new["securityGroups"],
                **given(new, EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic=enforced),
            )
        if touched(changed, "subnets", "subnetMappings"):
            elbv2.set_subnets(
                LoadBalancerArn=resource_id, **given(new, Subnets="subnets"), **self._mappings(new)
            )
        if new.get("ipAddressType") and touched(changed, "ipAddressType"):
            elbv2.set_ip_address_type(LoadBalancerArn=resource_id, IpAddressType=new["ipAddressType"])
        if "ipamPools" in changed:
            pools = self._ipam_pools(new) or {"RemoveIpamPools": ["ipv4"]}
            elbv2.modify_ip_pools(LoadBalancerArn=resource_id, **pools)
        if "minimumLoadBalancerCapacity" in changed:
            self._set_capacity(elbv2, resource_id, new, reset=True)
        call.wait_until(
            f"load balancer {resource_id} becomes active", lambda: self._is_active(elbv2, resource_id), 600
        )
        update_tags(elbv2, resource_id, old, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        elbv2 = call.client("elbv2")
        unless_absent(lambda: elbv2.delete_load_balancer(LoadBalancerArn=resource_id), NO_LOAD_BALANCER)
        call.wait_until(
            f"load balancer {resource_id} is deleted", lambda: self._find(elbv2, resource_id) is None, 600
        )

    @staticmethod
    def _find(elbv2: Any, arn: str) -> dict[str, Any] | None:
        return one(
            unless_absent(
                lambda: elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"],
                NO_LOAD_BALANCER,
            )
        )

    def _is_active(self, elbv2: Any, arn: str) -> bool:
        status = (self._find(elbv2, arn) or {}).get("State", {})
        if status.get("Code") == "failed":
            raise AwsError(f"load balancer {arn} failed: {status.get('Reason', 'AWS gives no reason')}")
        return bool(status.get("Code") == "active")

    @staticmethod
    def _set_attributes(elbv2: Any, arn: str, new: Inputs, old: State | None = None) -> None:
        """Sets what differs from the old state; everything without one."""
        kind = new["loadBalancerType"]
        values = attributes.wanted(_ATTRIBUTES, kind, new)
        if old is not None:
            before = attributes.wanted(_ATTRIBUTES, kind, old)
            values = {key: value for key, value in values.items() if before.get(key) != value}
        for name, (prefix, kinds) in _LOGS.items():
            logs = new.get(name)
            if kind not in kinds or not logs or (old is not None and same_logs(old.get(name), logs)):
                continue
            values[f"{prefix}.enabled"] = bool(logs.get("enabled"))
            if logs.get("enabled"):
                values[f"{prefix}.bucket"] = logs["bucket"]
                values[f"{prefix}.prefix"] = logs.get("prefix") or ""
        if values:
            elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes.pairs(values))

    @staticmethod
    def _logs(there: Mapping[str, str], prefix: str) -> dict[str, Any]:
        return {
            "bucket": there.get(f"{prefix}.bucket", ""),
            "enabled": there.get(f"{prefix}.enabled") == "true",
            "prefix": there.get(f"{prefix}.prefix", ""),
        }

    @staticmethod
    def _ipam_pools(inputs: Inputs) -> dict[str, Any]:
        pools = inputs.get("ipamPools")
        return {"IpamPools": {"Ipv4IpamPoolId": pools["ipv4IpamPoolId"]}} if pools else {}

    @staticmethod
    def _mappings(inputs: Inputs) -> dict[str, Any]:
        mappings = [
            given(
                mapping,
                AllocationId="allocationId",
                IPv6Address="ipv6Address",
                PrivateIPv4Address="privateIpv4Address",
                SubnetId="subnetId",
            )
            for mapping in inputs.get("subnetMappings") or ()
        ]
        return {"SubnetMappings": mappings} if mappings else {}

    @staticmethod
    def _mapping(zone: Mapping[str, Any]) -> dict[str, str]:
        address = one(zone.get("LoadBalancerAddresses")) or {}
        return {
            "allocationId": address.get("AllocationId", ""),
            "ipv6Address": address.get("IPv6Address", ""),
            "outpostId": zone.get("OutpostId", ""),
            "privateIpv4Address": address.get("PrivateIPv4Address", ""),
            "subnetId": zone["SubnetId"],
        }

    @staticmethod
    def _set_capacity(elbv2: Any, arn: str, inputs: Inputs, *, reset: bool = False) -> None:
        if capacity := inputs.get("minimumLoadBalancerCapacity"):
            elbv2.modify_capacity_reservation(
                LoadBalancerArn=arn,
                MinimumLoadBalancerCapacity={"CapacityUnits": capacity["capacityUnits"]},
            )
        elif reset:
            elbv2.modify_capacity_reservation(LoadBalancerArn=arn, ResetCapacityReservation=True)

    @staticmethod
    def _capacity(elbv2: Any, arn: str, state: State) -> dict[str, Any] | None:
        """Asked for only where one was reserved: the reservation is a paid extra that few have."""
        if not state.get("minimumLoadBalancerCapacity"):
            return None
        answer = elbv2.describe_capacity_reservation(LoadBalancerArn=arn)
        reserved = answer.get("MinimumLoadBalancerCapacity")
        return {"capacityUnits": reserved["CapacityUnits"]} if reserved else None
