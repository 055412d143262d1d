"""VPC endpoints and flow logs."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from ...resource import Call, Inputs, Resource, State, tag_map
from ...session import AwsError
from ..calls import added_and_removed, given, one, touched, unless_absent
from ..defaulting import if_given
from .tags import tag_specifications, update_tags

_NO_ENDPOINT: Final = ("InvalidVpcEndpointId.NotFound", "InvalidVpcEndpoint.NotFound")
_NO_FLOW_LOG: Final = "InvalidFlowLogId.NotFound"
_MEMBERS: Final = {
    "routeTableIds": "RouteTableIds",
    "securityGroupIds": "SecurityGroupIds",
    "subnetIds": "SubnetIds",
}


class VpcEndpoint(Resource):
    token = "aws:ec2/vpcEndpoint:VpcEndpoint"
    defaults = MappingProxyType({"vpcEndpointType": "Gateway"})
    policies = frozenset({"policy"})
    sets = frozenset({*_MEMBERS, "subnetConfigurations", "dnsOptions.privateDnsSpecifiedDomains"})
    same = MappingProxyType({"dnsOptions.dnsRecordIpType": if_given})
    kept = frozenset({"autoAccept"})

    def check(self, inputs: Inputs) -> list[tuple[str, str]]:
        targets = ("serviceName", "resourceConfigurationArn", "serviceNetworkArn")
        if not any(name in inputs for name in targets):
            return [("serviceName", f"one of {', '.join(f'`{name}`' for name in targets)} must be given")]
        return []

    def create(self, call: Call, inputs: Inputs) -> str:
        ec2 = call.client("ec2")
        made = ec2.create_vpc_endpoint(
            ClientToken=uuid.uuid4().hex,
            **given(
                inputs,
                IpAddressType="ipAddressType",
                PolicyDocument="policy",
                PrivateDnsEnabled="privateDnsEnabled",
                ResourceConfigurationArn="resourceConfigurationArn",
                ServiceName="serviceName",
                ServiceNetworkArn="serviceNetworkArn",
                ServiceRegion="serviceRegion",
                VpcEndpointType="vpcEndpointType",
                VpcId="vpcId",
            ),
            **given(inputs, **{parameter: name for name, parameter in _MEMBERS.items()}),
            **self._dns(inputs),
            **self._configurations(inputs),
            **tag_specifications("vpc-endpoint", inputs),
        )["VpcEndpoint"]
        endpoint_id = str(made["VpcEndpointId"])
        if inputs.get("autoAccept"):
            self._accept(ec2, endpoint_id)
        call.wait_until(
            f"VPC endpoint {endpoint_id} becomes available", lambda: self._is_ready(ec2, endpoint_id), 600
        )
        return endpoint_id

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        ec2 = call.client("ec2")
        found = self._find(ec2, resource_id)
        if found is None:
            return None
        service = found.get("ServiceName", "")
        filters = [{"Name": "prefix-list-name", "Values": [service]}]
        prefixes = one(ec2.describe_prefix_lists(Filters=filters)["PrefixLists"]) if service else None
        options = found.get("DnsOptions")
        return {
            "arn": call.arn("ec2", f"vpc-endpoint/{resource_id}"),
            "cidrBlocks": sorted((prefixes or {}).get("Cidrs", [])),
            "dnsEntries": [
                {"dnsName": entry.get("DnsName", ""), "hostedZoneId": entry.get("HostedZoneId", "")}
                for entry in found.get("DnsEntries", [])
            ],
            "dnsOptions": {
                "dnsRecordIpType": options.get("DnsRecordIpType", ""),
                "privateDnsOnlyForInboundResolverEndpoint": bool(
                    options.get("PrivateDnsOnlyForInboundResolverEndpoint")
                ),
            }
            if options
            else None,
            "ipAddressType": found.get("IpAddressType", ""),
            "networkInterfaceIds": sorted(found.get("NetworkInterfaceIds", [])),
            "ownerId": found.get("OwnerId", ""),
            "policy": found.get("PolicyDocument", ""),
            "prefixListId": (prefixes or {}).get("PrefixListId", ""),
            "privateDnsEnabled": bool(found.get("PrivateDnsEnabled")),
            "requesterManaged": bool(found.get("RequesterManaged")),
            "resourceConfigurationArn": found.get("ResourceConfigurationArn", ""),
            "routeTableIds": sorted(found.get("RouteTableIds", [])),
            "securityGroupIds": sorted(group["GroupId"] for group in found.get("Groups", [])),
            "serviceName": service,
            "serviceNetworkArn": found.get("ServiceNetworkArn", ""),
            "serviceRegion": found.get("ServiceRegion", ""),
            "state": found.get("State", ""),
            "subnetConfigurations": self._interfaces(ec2, found.get("NetworkInterfaceIds", [])),
            "subnetIds": sorted(found.get("SubnetIds", [])),
            "tagsAll": tag_map(found.get("Tags")),
            "vpcEndpointType": found.get("VpcEndpointType", "Gateway"),
            "vpcId": found["VpcId"],
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        ec2 = call.client("ec2")
        parameters: dict[str, Any] = {}
        for name, parameter in _MEMBERS.items():
            if new.get(name) is None or not touched(changed, name):
                continue
            added, removed = added_and_removed(old.get(name), new[name])
            parameters |= {f"Add{parameter}": added} if added else {}
            parameters |= {f"Remove{parameter}": removed} if removed else {}
        if "policy" in changed:
            parameters |= {"PolicyDocument": new["policy"]} if new.get("policy") else {"ResetPolicy": True}
        if "privateDnsEnabled" in changed:
            parameters["PrivateDnsEnabled"] = bool(new.get("privateDnsEnabled"))
        if "ipAddressType" in changed:
            parameters |= given(new, IpAddressType="ipAddressType")
        if "dnsOptions" in changed:
            parameters |= self._dns(new)
        if "subnetConfigurations" in changed:
            parameters |= self._configurations(new)
        if parameters:
            ec2.modify_vpc_endpoint(VpcEndpointId=resource_id, **parameters)
        if new.get("autoAccept") and "autoAccept" in changed:
            self._accept(ec2, resource_id)
        call.wait_until(
            f"VPC endpoint {resource_id} becomes available", lambda: self._is_ready(ec2, resource_id), 600
        )
        update_tags(ec2, resource_id, old, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        ec2 = call.client("ec2")
        answer = unless_absent(lambda: ec2.delete_vpc_endpoints(VpcEndpointIds=[resource_id]), *_NO_ENDPOINT)
        for failure in (answer or {}).get("Unsuccessful", []):
            if failure["Error"]["Code"] not in _NO_ENDPOINT:
                raise AwsError(
                    f"DeleteVpcEndpoints: {failure['Error']['Code']}: {failure['Error']['Message']}"
                )
        # Its network interfaces hold their subnets until it is gone.
        call.wait_until(
            f"VPC endpoint {resource_id} is deleted", lambda: self._find(ec2, resource_id) is None, 600
        )

    @staticmethod
    def _find(ec2: Any, endpoint_id: str) -> dict[str, Any] | None:
        found = one(
            unless_absent(
                lambda: ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"],
                *_NO_ENDPOINT,
            )
        )
        return None if found is None or str(found.get("State", "")).lower() == "deleted" else dict(found)

    def _is_ready(self, ec2: Any, endpoint_id: str) -> bool:
        found = self._find(ec2, endpoint_id) or {}
        status = str(found.get("State", "")).lower()
        if status in {"failed", "rejected", "expired"}:
            reason = found.get("LastError", {}).get("Message", "AWS gives no reason")
            raise AwsError(f"VPC endpoint {endpoint_id} is {status}: {reason}")
        return status in {"available", "pendingacceptance"}

    @staticmethod
    def _accept(ec2: Any, endpoint_id: str) -> None:
        services = ec2.describe_vpc_endpoint_connections(
            Filters=[{"Name": "vpc-endpoint-id", "Values": [endpoint_id]}]
        )["VpcEndpointConnections"]
        for connection in services:
            if str(connection.get("VpcEndpointState", "")).lower() == "pendingacceptance":
                ec2.accept_vpc_endpoint_connections(
                    ServiceId=connection["ServiceId"], VpcEndpointIds=[endpoint_id]
                )

    @staticmethod
    def _dns(inputs: Inputs) -> dict[str, Any]:
        options = inputs.get("dnsOptions")
        if not options:
            return {}
        names = {
            "DnsRecordIpType": "dnsRecordIpType",
            "PrivateDnsOnlyForInboundResolverEndpoint": "privateDnsOnlyForInboundResolverEndpoint",
            "PrivateDnsPreference": "privateDnsPreference",
            "PrivateDnsSpecifiedDomains": "privateDnsSpecifiedDomains",
        }
        return {"DnsOptions": given(options, **names)}

    @staticmethod
    def _configurations(inputs: Inputs) -> dict[str, Any]:
        configurations = [
            given(configuration, Ipv4="ipv4", Ipv6="ipv6", SubnetId="subnetId")
            for configuration in inputs.get("subnetConfigurations") or ()
        ]
        return {"SubnetConfigurations": configurations} if configurations else {}

    @staticmethod
    def _interfaces(ec2: Any, interface_ids: list[str]) -> list[dict[str, str]]:
        if not interface_ids:
            return []
        found = ec2.describe_network_interfaces(NetworkInterfaceIds=interface_ids)["NetworkInterfaces"]
        return sorted(
            (
                {
                    "ipv4": interface.get("PrivateIpAddress", ""),
                    "ipv6": (one(interface.get("Ipv6Addresses")) or {}).get("Ipv6Address", ""),
                    "subnetId": interface.get("SubnetId", ""),
                }
                for interface in found
            ),
            key=lambda configuration: configuration["subnetId"],
        )


class FlowLog(Resource):
    """Flow logs can't be changed: all but their tags replaces them."""

    token = "aws:ec2/flowLog:FlowLog"
    defaults = MappingProxyType({"logDestinationType": "cloud-watch-logs", "maxAggregationInterval": 600})
    same = MappingProxyType({"logDestination": lambda left, right: _log_group(left) == _log_group(right)})
    kept = frozenset({"deliverCrossAccountRole", "destinationOptions", "tagFieldSpecifications"})

    _SUBJECTS: Final = {
        "eniId": "NetworkInterface",
        "regionalNatGatewayId": "RegionalNatGateway",
        "subnetId": "Subnet",
        "transitGatewayAttachmentId": "TransitGatewayAttachment",
        "transitGatewayId": "TransitGateway",
        "vpcId": "VPC",
    }
    exclusive = (tuple(_SUBJECTS),)

    def check(self, inputs: Inputs) -> list[tuple[str, str]]:
        if any(name in inputs for name in self._SUBJECTS):
            return []
        return [("vpcId", f"one of {', '.join(f'`{name}`' for name in self._SUBJECTS)} must be given")]

    def create(self, call: Call, inputs: Inputs) -> str:
        subject = next(name for name in self._SUBJECTS if inputs.get(name))
        options = inputs.get("destinationOptions")
        answer = call.client("ec2").create_flow_logs(
            ClientToken=uuid.uuid4().hex,
            ResourceIds=[inputs[subject]],
            ResourceType=self._SUBJECTS[subject],
            **given(
                inputs,
                DeliverCrossAccountRole="deliverCrossAccountRole",
                DeliverLogsPermissionArn="iamRoleArn",
                LogDestination="logDestination",
                LogDestinationType="logDestinationType",
                LogFormat="logFormat",
                MaxAggregationInterval="maxAggregationInterval",
                TrafficType="trafficType",
            ),
            **(
                {
                    "DestinationOptions": given(
                        options,
                        FileFormat="fileFormat",
                        HiveCompatiblePartitions="hiveCompatiblePartitions",
                        PerHourPartition="perHourPartition",
                    )
                }
                if options
                else {}
            ),
            **tag_specifications("vpc-flow-log", inputs),
        )
        for failure in answer.get("Unsuccessful", []):
            raise AwsError(f"CreateFlowLogs: {failure['Error']['Code']}: {failure['Error']['Message']}")
        return str(answer["FlowLogIds"][0])

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        ec2 = call.client("ec2")
        found = one(
            unless_absent(lambda: ec2.describe_flow_logs(FlowLogIds=[resource_id])["FlowLogs"], _NO_FLOW_LOG)
        )
        if found is None:
            return None
        subject = str(found["ResourceId"])
        destination = found.get("LogDestination", "")
        if not destination and found.get("LogGroupName"):
            destination = call.arn("logs", f"log-group:{found['LogGroupName']}")
        return {
            **dict.fromkeys(self._SUBJECTS, ""),
            self._subject(subject, state): subject,
            "arn": call.arn("ec2", f"vpc-flow-log/{resource_id}"),
            "iamRoleArn": found.get("DeliverLogsPermissionArn") or state.get("iamRoleArn") or "",
            "logDestination": destination,
            "logDestinationType": found.get("LogDestinationType", "cloud-watch-logs"),
            "logFormat": found.get("LogFormat") or state.get("logFormat") or "",
            "maxAggregationInterval": found.get("MaxAggregationInterval")
            or state.get("maxAggregationInterval")
            or 600,
            "tagsAll": tag_map(found.get("Tags")),
            "trafficType": found.get("TrafficType", ""),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        update_tags(call.client("ec2"), resource_id, old, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        unless_absent(lambda: call.client("ec2").delete_flow_logs(FlowLogIds=[resource_id]), _NO_FLOW_LOG)

    @staticmethod
    def _subject(subject: str, state: State) -> str:
        """Which argument names what is logged: the known one, or the one that the id's form says."""
        for name, prefix in (
            ("regionalNatGatewayId", "nat-"),
            ("subnetId", "subnet-"),
            ("transitGatewayAttachmentId", "tgw-attach-"),
            ("transitGatewayId", "tgw-"),
            ("vpcId", "vpc-"),
            ("eniId", "eni-"),
        ):
            if state.get(name) == subject or subject.startswith(prefix):
                return name
        return "vpcId"


def _log_group(arn: Any) -> str:
    """A log group's ARN ends in `:*` or it doesn't; both name the group."""
    return str(arn or "").removesuffix(":*")
