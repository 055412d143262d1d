"""EC2 networks: VPC, subnet, internet gateways, elastic IP, NAT gateway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from ...resource import Call, Inputs, Resource, State, tag_map
from ...session import AwsError
from ..calls import added_and_removed, given, one, retried, touched, unless_absent
from .tags import tag_specifications, update_tags


class Vpc(Resource):
    token = "aws:ec2/vpc:Vpc"
    defaults: ClassVar = {"enableDnsSupport": True, "instanceTenancy": "default"}
    exclusive = (("cidrBlock", "ipv4NetmaskLength"), ("assignGeneratedIpv6CidrBlock", "ipv6IpamPoolId"))
    kept = frozenset({"ipv4IpamPoolId", "ipv4NetmaskLength"})
    missing = frozenset({"InvalidVpcID.NotFound"})

    # In this order: EC2 refuses host names in a VPC that has no DNS.
    _ATTRIBUTES: Final = {
        "enableDnsSupport": "EnableDnsSupport",
        "enableDnsHostnames": "EnableDnsHostnames",
        "enableNetworkAddressUsageMetrics": "EnableNetworkAddressUsageMetrics",
    }
    _INITIAL: Final = {"enableDnsSupport": True}

    def create(self, call: Call, inputs: Inputs) -> str:
        vpc = call.client("ec2").create_vpc(
            **given(
                inputs,
                AmazonProvidedIpv6CidrBlock="assignGeneratedIpv6CidrBlock",
                CidrBlock="cidrBlock",
                InstanceTenancy="instanceTenancy",
                Ipv4IpamPoolId="ipv4IpamPoolId",
                Ipv4NetmaskLength="ipv4NetmaskLength",
                Ipv6CidrBlock="ipv6CidrBlock",
                Ipv6CidrBlockNetworkBorderGroup="ipv6CidrBlockNetworkBorderGroup",
                Ipv6IpamPoolId="ipv6IpamPoolId",
                Ipv6NetmaskLength="ipv6NetmaskLength",
            ),
            **tag_specifications("vpc", inputs),
        )["Vpc"]
        resource_id = str(vpc["VpcId"])
        call.wait_until(
            f"VPC {resource_id} becomes available",
            lambda: bool(self._find(call, resource_id, "available")),
            600,
        )
        self._modify(call, resource_id, self._INITIAL, {**self._INITIAL, **_without_nulls(inputs)})
        return resource_id

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        ec2 = call.client("ec2")
        vpc = self._find(call, resource_id)
        if vpc is None:
            return None
        in_vpc = [{"Name": "vpc-id", "Values": [resource_id]}]
        tables = ec2.describe_route_tables(
            Filters=[*in_vpc, {"Name": "association.main", "Values": ["true"]}]
        )["RouteTables"]
        groups = ec2.describe_security_groups(
            Filters=[*in_vpc, {"Name": "group-name", "Values": ["default"]}]
        )["SecurityGroups"]
        acls = ec2.describe_network_acls(Filters=[*in_vpc, {"Name": "default", "Values": ["true"]}])
        main = (one(tables) or {}).get("RouteTableId", "")
        ipv6 = self._ipv6_association(vpc)
        return {
            "arn": call.arn("ec2", f"vpc/{resource_id}"),
            "assignGeneratedIpv6CidrBlock": ipv6.get("Ipv6Pool") == "Amazon",
            "cidrBlock": vpc["CidrBlock"],
            "defaultNetworkAclId": (one(acls["NetworkAcls"]) or {}).get("NetworkAclId", ""),
            "defaultRouteTableId": main,
            "defaultSecurityGroupId": (one(groups) or {}).get("GroupId", ""),
            "dhcpOptionsId": vpc.get("DhcpOptionsId", ""),
            **{
                name: self._attribute(ec2, resource_id, api_name)
                for name, api_name in self._ATTRIBUTES.items()
            },
            "instanceTenancy": vpc["InstanceTenancy"],
            "ipv6AssociationId": ipv6.get("AssociationId", ""),
            "ipv6CidrBlock": ipv6.get("Ipv6CidrBlock", ""),
            "ipv6CidrBlockNetworkBorderGroup": ipv6.get("NetworkBorderGroup", ""),
            "ipv6IpamPoolId": ipv6["Ipv6Pool"] if ipv6.get("Ipv6Pool", "Amazon") != "Amazon" else "",
            "ipv6NetmaskLength": state.get("ipv6NetmaskLength") or 0,
            "mainRouteTableId": main,
            "ownerId": vpc["OwnerId"],
            "tagsAll": tag_map(vpc.get("Tags")),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        ec2 = call.client("ec2")
        self._modify(call, resource_id, old, new)
        if touched(changed, "instanceTenancy"):
            ec2.modify_vpc_tenancy(VpcId=resource_id, InstanceTenancy="default")
        ipv6 = (
            "assignGeneratedIpv6CidrBlock",
            "ipv6CidrBlock",
            "ipv6CidrBlockNetworkBorderGroup",
            "ipv6IpamPoolId",
            "ipv6NetmaskLength",
        )
        if touched(changed, *ipv6):
            self._change_ipv6(call, resource_id, new)
        update_tags(ec2, resource_id, old, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        ec2 = call.client("ec2")
        retried(
            call,
            f"VPC {resource_id} is empty",
            lambda: unless_absent(lambda: ec2.delete_vpc(VpcId=resource_id), "InvalidVpcID.NotFound"),
            "DependencyViolation",
        )

    def _find(self, call: Call, resource_id: str, status: str | None = None) -> dict[str, Any] | None:
        found = unless_absent(
            lambda: call.client("ec2").describe_vpcs(VpcIds=[resource_id])["Vpcs"], "InvalidVpcID.NotFound"
        )
        vpc = one(found)
        return vpc if vpc and status in (None, vpc.get("State")) else None

    def _attribute(self, ec2: Any, resource_id: str, api_name: str) -> bool:
        parameter = api_name[0].lower() + api_name[1:]
        return bool(ec2.describe_vpc_attribute(VpcId=resource_id, Attribute=parameter)[api_name]["Value"])

    def _modify(self, call: Call, resource_id: str, old: Inputs, new: Inputs) -> None:
        ec2 = call.client("ec2")
        names = list(self._ATTRIBUTES)
        if old.get("enableDnsSupport") and not new.get("enableDnsSupport"):
            names.remove("enableDnsSupport")
            names.append("enableDnsSupport")
        for name in names:
            wanted = bool(new.get(name, self._INITIAL.get(name, False)))
            if wanted != bool(old.get(name)):
                ec2.modify_vpc_attribute(VpcId=resource_id, **{self._ATTRIBUTES[name]: {"Value": wanted}})

    @staticmethod
    def _ipv6_association(vpc: Mapping[str, Any]) -> dict[str, Any]:
        for association in vpc.get("Ipv6CidrBlockAssociationSet", []):
            if association["Ipv6CidrBlockState"]["State"] in {"associating", "associated"}:
                return dict(association)
        return {}

    def _change_ipv6(self, call: Call, resource_id: str, new: Inputs) -> None:
        ec2 = call.client("ec2")
        vpc = self._find(call, resource_id) or {}
        if association := self._ipv6_association(vpc):
            ec2.disassociate_vpc_cidr_block(AssociationId=association["AssociationId"])
            call.wait_until(
                f"VPC {resource_id} gives up its IPv6 addresses",
                lambda: not self._ipv6_association(self._find(call, resource_id) or {}),
                600,
            )
        wanted = given(
            new,
            AmazonProvidedIpv6CidrBlock="assignGeneratedIpv6CidrBlock",
            Ipv6CidrBlock="ipv6CidrBlock",
            Ipv6CidrBlockNetworkBorderGroup="ipv6CidrBlockNetworkBorderGroup",
            Ipv6IpamPoolId="ipv6IpamPoolId",
            Ipv6NetmaskLength="ipv6NetmaskLength",
        )
        if wanted.get("AmazonProvidedIpv6CidrBlock") or "Ipv6IpamPoolId" in wanted:
            ec2.associate_vpc_cidr_block(VpcId=resource_id, **wanted)
            call.wait_until(
                f"VPC {resource_id} gets IPv6 addresses",
                lambda: bool(self._ipv6_association(self._find(call, resource_id) or {})),
                600,
            )


class Subnet(Resource):
    token = "aws:ec2/subnet:Subnet"
    defaults: ClassVar = {
        "assignIpv6AddressOnCreation": False,
        "enableDns64": False,
        "enableResourceNameDnsARecordOnLaunch": False,
        "enableResourceNameDnsAaaaRecordOnLaunch": False,
        "ipv6Native": False,
        "mapPublicIpOnLaunch": False,
    }
    exclusive = (("availabilityZone", "availabilityZoneId"), ("cidrBlock", "ipv4NetmaskLength"))
    kept = frozenset({"ipv4IpamPoolId", "ipv4NetmaskLength", "ipv6IpamPoolId", "ipv6NetmaskLength"})
    missing = frozenset({"InvalidSubnetID.NotFound"})

    def create(self, call: Call, inputs: Inputs) -> str:
        subnet = call.client("ec2").create_subnet(
            **given(
                inputs,
                AvailabilityZone="availabilityZone",
                AvailabilityZoneId="availabilityZoneId",
                CidrBlock="cidrBlock",
                Ipv4IpamPoolId="ipv4IpamPoolId",
                Ipv4NetmaskLength="ipv4NetmaskLength",
                Ipv6CidrBlock="ipv6CidrBlock",
                Ipv6IpamPoolId="ipv6IpamPoolId",
                Ipv6Native="ipv6Native",
                Ipv6NetmaskLength="ipv6NetmaskLength",
                OutpostArn="outpostArn",
                VpcId="vpcId",
            ),
            **tag_specifications("subnet", inputs),
        )["Subnet"]
        resource_id = str(subnet["SubnetId"])
        call.wait_until(
            f"subnet {resource_id} becomes available",
            lambda: bool(self._find(call, resource_id, "available")),
            600,
        )
        self._modify(call, resource_id, self.read(call, resource_id, {}) or {}, inputs)
        return resource_id

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        subnet = self._find(call, resource_id)
        if subnet is None:
            return None
        launch = subnet.get("PrivateDnsNameOptionsOnLaunch", {})
        ipv6 = self._ipv6_association(subnet)
        return {
            "arn": subnet["SubnetArn"],
            "assignIpv6AddressOnCreation": bool(subnet.get("AssignIpv6AddressOnCreation")),
            "availabilityZone": subnet["AvailabilityZone"],
            "availabilityZoneId": subnet.get("AvailabilityZoneId", ""),
            "cidrBlock": subnet.get("CidrBlock", ""),
            "customerOwnedIpv4Pool": subnet.get("CustomerOwnedIpv4Pool", ""),
            "enableDns64": bool(subnet.get("EnableDns64")),
            "enableLniAtDeviceIndex": subnet.get("EnableLniAtDeviceIndex", 0),
            "enableResourceNameDnsARecordOnLaunch": bool(launch.get("EnableResourceNameDnsARecord")),
            "enableResourceNameDnsAaaaRecordOnLaunch": bool(launch.get("EnableResourceNameDnsAAAARecord")),
            "ipv6CidrBlock": ipv6.get("Ipv6CidrBlock", ""),
            "ipv6CidrBlockAssociationId": ipv6.get("AssociationId", ""),
            "ipv6Native": bool(subnet.get("Ipv6Native")),
            "mapCustomerOwnedIpOnLaunch": bool(subnet.get("MapCustomerOwnedIpOnLaunch")),
            "mapPublicIpOnLaunch": bool(subnet.get("MapPublicIpOnLaunch")),
            "outpostArn": subnet.get("OutpostArn", ""),
            "ownerId": subnet["OwnerId"],
            "privateDnsHostnameTypeOnLaunch": launch.get("HostnameType", ""),
            "tagsAll": tag_map(subnet.get("Tags")),
            "vpcId": subnet["VpcId"],
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        self._modify(call, resource_id, old, new)
        update_tags(call.client("ec2"), resource_id, old, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        # A task that stops, or a load balancer that goes, leaves its network interface for a little while.
        ec2 = call.client("ec2")
        retried(
            call,
            f"subnet {resource_id} is empty",
            lambda: unless_absent(
                lambda: ec2.delete_subnet(SubnetId=resource_id), "InvalidSubnetID.NotFound"
            ),
            "DependencyViolation",
            default_timeout_seconds=1200,
        )

    def _find(self, call: Call, resource_id: str, status: str | None = None) -> dict[str, Any] | None:
        found = unless_absent(
            lambda: call.client("ec2").describe_subnets(SubnetIds=[resource_id])["Subnets"],
            "InvalidSubnetID.NotFound",
        )
        subnet = one(found)
        return subnet if subnet and status in (None, subnet.get("State")) else None

    @staticmethod
    def _ipv6_association(subnet: Mapping[str, Any]) -> dict[str, Any]:
        for association in subnet.get("Ipv6CidrBlockAssociationSet", []):
            if association["Ipv6CidrBlockState"]["State"] in {"associating", "associated"}:
                return dict(association)
        return {}

    def _modify(self, call: Call, resource_id: str, old: Inputs, new: Inputs) -> None:
        """Makes the attributes those of `new`; EC2 takes one in a request."""
        ec2 = call.client("ec2")

        def differs(name: str) -> bool:
            return bool(new.get(name)) != bool(old.get(name)) or bool(
                new.get(name) and new.get(name) != old.get(name)
            )

        def set_flag(name: str, api_name: str) -> None:
            ec2.modify_subnet_attribute(SubnetId=resource_id, **{api_name: {"Value": bool(new.get(name))}})

        assign = "assignIpv6AddressOnCreation"
        if differs(assign) and not new.get(assign):
            set_flag(assign, "AssignIpv6AddressOnCreation")
        if differs("ipv6CidrBlock"):
            self._change_ipv6(call, resource_id, str(new.get("ipv6CidrBlock") or ""))
        if differs(assign) and new.get(assign):
            set_flag(assign, "AssignIpv6AddressOnCreation")
        if differs("mapCustomerOwnedIpOnLaunch") or differs("customerOwnedIpv4Pool"):
            ec2.modify_subnet_attribute(
                SubnetId=resource_id,
                MapCustomerOwnedIpOnLaunch={"Value": bool(new.get("mapCustomerOwnedIpOnLaunch"))},
                **given(new, CustomerOwnedIpv4Pool="customerOwnedIpv4Pool"),
            )
        for name, api_name in (
            ("enableDns64", "EnableDns64"),
            ("enableResourceNameDnsAaaaRecordOnLaunch", "EnableResourceNameDnsAAAARecordOnLaunch"),
            ("enableResourceNameDnsARecordOnLaunch", "EnableResourceNameDnsARecordOnLaunch"),
            ("mapPublicIpOnLaunch", "MapPublicIpOnLaunch"),
        ):
            if differs(name):
                set_flag(name, api_name)
        if new.get("enableLniAtDeviceIndex") and differs("enableLniAtDeviceIndex"):
            ec2.modify_subnet_attribute(
                SubnetId=resource_id, EnableLniAtDeviceIndex=new["enableLniAtDeviceIndex"]
            )
        if new.get("privateDnsHostnameTypeOnLaunch") and differs("privateDnsHostnameTypeOnLaunch"):
            ec2.modify_subnet_attribute(
                SubnetId=resource_id, PrivateDnsHostnameTypeOnLaunch=new["privateDnsHostnameTypeOnLaunch"]
            )

    def _change_ipv6(self, call: Call, resource_id: str, block: str) -> None:
        ec2 = call.client("ec2")
        association = self._ipv6_association(self._find(call, resource_id) or {})
        if association and association.get("Ipv6CidrBlock") != block:
            ec2.disassociate_subnet_cidr_block(AssociationId=association["AssociationId"])
            call.wait_until(
                f"subnet {resource_id} gives up its IPv6 addresses",
                lambda: not self._ipv6_association(self._find(call, resource_id) or {}),
                600,
            )
        if block and association.get("Ipv6CidrBlock") != block:
            ec2.associate_subnet_cidr_block(SubnetId=resource_id, Ipv6CidrBlock=block)
            call.wait_until(
                f"subnet {resource_id} gets IPv6 addresses",
                lambda: bool(self._ipv6_association(self._find(call, resource_id) or {})),
                600,
            )


class InternetGateway(Resource):
    token = "aws:ec2/internetGateway:InternetGateway"

    def create(self, call: Call, inputs: Inputs) -> str:
        ec2 = call.client("ec2")
        gateway = ec2.create_internet_gateway(**tag_specifications("internet-gateway", inputs))
        resource_id = str(gateway["InternetGateway"]["InternetGatewayId"])
        if inputs.get("vpcId"):
            self._attach(call, resource_id, inputs["vpcId"])
        return resource_id

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        gateway = self._find(call.client("ec2"), resource_id)
        if gateway is None:
            return None
        attachment = one(gateway.get("Attachments")) or {}
        owner = gateway.get("OwnerId", call.aws.account_id)
        return {
            "arn": call.arn("ec2", f"internet-gateway/{resource_id}"),
            "ownerId": owner,
            "tagsAll": tag_map(gateway.get("Tags")),
            "vpcId": attachment.get("VpcId", ""),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        ec2 = call.client("ec2")
        if touched(changed, "vpcId"):
            self._detach(call, resource_id)
            if new.get("vpcId"):
                self._attach(call, resource_id, new["vpcId"])
        update_tags(ec2, resource_id, old, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        ec2 = call.client("ec2")
        self._detach(call, resource_id)
        retried(
            call,
            f"internet gateway {resource_id} is free",
            lambda: unless_absent(
                lambda: ec2.delete_internet_gateway(InternetGatewayId=resource_id),
                "InvalidInternetGatewayID.NotFound",
            ),
            "DependencyViolation",
            default_timeout_seconds=600,
        )

    @staticmethod
    def _find(ec2: Any, resource_id: str) -> dict[str, Any] | None:
        return one(
            unless_absent(
                lambda: ec2.describe_internet_gateways(InternetGatewayIds=[resource_id])["InternetGateways"],
                "InvalidInternetGatewayID.NotFound",
            )
        )

    @staticmethod
    def _attach(call: Call, resource_id: str, vpc_id: str) -> None:
        retried(
            call,
            f"internet gateway {resource_id} is there",
            lambda: call.client("ec2").attach_internet_gateway(InternetGatewayId=resource_id, VpcId=vpc_id),
            "InvalidInternetGatewayID.NotFound",
            default_timeout_seconds=60,
        )

    def _detach(self, call: Call, resource_id: str) -> None:
        """Detaches from its VPC; public addresses that are still mapped make EC2 refuse for a while."""
        ec2 = call.client("ec2")
        attachment = one((self._find(ec2, resource_id) or {}).get("Attachments"))
        if attachment is None:
            return
        retried(
            call,
            f"internet gateway {resource_id} leaves {attachment['VpcId']}",
            lambda: unless_absent(
                lambda: ec2.detach_internet_gateway(InternetGatewayId=resource_id, VpcId=attachment["VpcId"]),
                "Gateway.NotAttached",
                "InvalidInternetGatewayID.NotFound",
            ),
            "DependencyViolation",
            default_timeout_seconds=1200,
        )


class Eip(Resource):
    token = "aws:ec2/eip:Eip"
    kept = frozenset({"address", "associateWithPrivateIp", "ipamPoolId"})

    _ABSENT = ("InvalidAllocationID.NotFound", "InvalidAddress.NotFound")
    _ASSOCIATION = ("associateWithPrivateIp", "instance", "networkInterface")

    def create(self, call: Call, inputs: Inputs) -> str:
        ec2 = call.client("ec2")
        address = ec2.allocate_address(
            Domain=inputs.get("domain") or "vpc",
            **given(
                inputs,
                Address="address",
                CustomerOwnedIpv4Pool="customerOwnedIpv4Pool",
                IpamPoolId="ipamPoolId",
                NetworkBorderGroup="networkBorderGroup",
                PublicIpv4Pool="publicIpv4Pool",
            ),
            **tag_specifications("elastic-ip", inputs),
        )
        resource_id = str(address["AllocationId"])
        call.wait_until(
            f"elastic IP {resource_id} is allocated", lambda: bool(self._find(ec2, resource_id)), 60
        )
        self._associate(ec2, resource_id, inputs)
        return resource_id

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        address = self._find(call.client("ec2"), resource_id)
        if address is None:
            return None
        private, public = address.get("PrivateIpAddress", ""), address.get("PublicIp", "")
        return {
            "allocationId": resource_id,
            "arn": call.arn("ec2", f"elastic-ip/{resource_id}"),
            "associationId": address.get("AssociationId", ""),
            "carrierIp": address.get("CarrierIp", ""),
            "customerOwnedIp": address.get("CustomerOwnedIp", ""),
            "customerOwnedIpv4Pool": address.get("CustomerOwnedIpv4Pool", ""),
            "domain": address.get("Domain", "vpc"),
            "instance": address.get("InstanceId", ""),
            "networkBorderGroup": address.get("NetworkBorderGroup", ""),
            "networkInterface": address.get("NetworkInterfaceId", ""),
            "privateDns": f"ip-{_dashed(private)}.{self._internal_domain(call)}" if private else None,
            "privateIp": private,
            "ptrRecord": state.get("ptrRecord") or "",
            "publicDns": f"ec2-{_dashed(public)}.{self._public_domain(call)}" if public else None,
            "publicIp": public,
            "publicIpv4Pool": address.get("PublicIpv4Pool", ""),
            "tagsAll": tag_map(address.get("Tags")),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        ec2 = call.client("ec2")
        if touched(changed, *self._ASSOCIATION):
            self._disassociate(ec2, resource_id)
            self._associate(ec2, resource_id, new)
        update_tags(ec2, resource_id, old, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        ec2 = call.client("ec2")
        self._disassociate(ec2, resource_id)
        # EC2 says AuthFailure while a deleted NAT gateway still holds the address.
        retried(
            call,
            f"elastic IP {resource_id} is free",
            lambda: unless_absent(lambda: ec2.release_address(AllocationId=resource_id), *self._ABSENT),
            "AuthFailure",
            "InvalidIPAddress.InUse",
            default_timeout_seconds=180,
        )

    def _find(self, ec2: Any, resource_id: str) -> dict[str, Any] | None:
        return one(
            unless_absent(
                lambda: ec2.describe_addresses(AllocationIds=[resource_id])["Addresses"], *self._ABSENT
            )
        )

    @staticmethod
    def _associate(ec2: Any, resource_id: str, inputs: Inputs) -> None:
        if inputs.get("instance") or inputs.get("networkInterface"):
            ec2.associate_address(
                AllocationId=resource_id,
                AllowReassociation=True,
                **given(
                    inputs,
                    InstanceId="instance",
                    NetworkInterfaceId="networkInterface",
                    PrivateIpAddress="associateWithPrivateIp",
                ),
            )

    def _disassociate(self, ec2: Any, resource_id: str) -> None:
        address = self._find(ec2, resource_id) or {}
        # A NAT gateway's own association ends with the gateway; EC2 refuses to end it.
        if address.get("AssociationId") and address.get("InstanceId"):
            unless_absent(
                lambda: ec2.disassociate_address(AssociationId=address["AssociationId"]),
                "InvalidAssociationID.NotFound",
            )

    @staticmethod
    def _public_domain(call: Call) -> str:
        return (
            "compute-1.amazonaws.com"
            if call.region == "us-east-1"
            else f"{call.region}.compute.amazonaws.com"
        )

    @staticmethod
    def _internal_domain(call: Call) -> str:
        return "ec2.internal" if call.region == "us-east-1" else f"{call.region}.compute.internal"


class NatGateway(Resource):
    token = "aws:ec2/natGateway:NatGateway"
    defaults: ClassVar = {"connectivityType": "public"}
    exclusive = (("secondaryPrivateIpAddressCount", "secondaryPrivateIpAddresses"),)
    sets = frozenset(
        {
            "availabilityZoneAddresses",
            "availabilityZoneAddresses.allocationIds",
            "secondaryAllocationIds",
            "secondaryPrivateIpAddresses",
        }
    )
    kept = frozenset({"availabilityZoneAddresses"})

    _ABSENT = ("NatGatewayNotFound", "InvalidNatGatewayID.NotFound")

    def create(self, call: Call, inputs: Inputs) -> str:
        ec2 = call.client("ec2")
        gateway = ec2.create_nat_gateway(
            **given(
                inputs,
                AllocationId="allocationId",
                AvailabilityMode="availabilityMode",
                ConnectivityType="connectivityType",
                PrivateIpAddress="privateIp",
                SecondaryAllocationIds="secondaryAllocationIds",
                SecondaryPrivateIpAddressCount="secondaryPrivateIpAddressCount",
                SecondaryPrivateIpAddresses="secondaryPrivateIpAddresses",
                SubnetId="subnetId",
                VpcId="vpcId",
            ),
            **self._zones(inputs),
            **tag_specifications("natgateway", inputs),
        )["NatGateway"]
        resource_id = str(gateway["NatGatewayId"])
        call.wait_until(
            f"NAT gateway {resource_id} becomes available", lambda: bool(self._ready(ec2, resource_id)), 600
        )
        return resource_id

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        gateway = self._find(call.client("ec2"), resource_id)
        if gateway is None:
            return None
        addresses = gateway.get("NatGatewayAddresses") or []
        primary: dict[str, Any] = next((a for a in addresses if a.get("IsPrimary")), {})
        if not primary and len(addresses) == 1:
            primary = addresses[0]
        secondary = [a for a in addresses if a is not primary]
        private_ips = sorted(a["PrivateIp"] for a in secondary if a.get("PrivateIp"))
        return {
            "allocationId": primary.get("AllocationId") or state.get("allocationId"),
            "associationId": primary.get("AssociationId"),
            "autoProvisionZones": gateway.get("AutoProvisionZones"),
            "autoScalingIps": gateway.get("AutoScalingIps"),
            "availabilityMode": gateway.get("AvailabilityMode") or "zonal",
            "connectivityType": gateway.get("ConnectivityType", "public"),
            "networkInterfaceId": primary.get("NetworkInterfaceId"),
            "privateIp": primary.get("PrivateIp"),
            "publicIp": primary.get("PublicIp"),
            "regionalNatGatewayAddresses": [],
            "regionalNatGatewayAutoMode": gateway.get("AutoProvisionZones"),
            "routeTableId": gateway.get("RouteTableId"),
            "secondaryAllocationIds": sorted(a["AllocationId"] for a in secondary if a.get("AllocationId")),
            "secondaryPrivateIpAddressCount": len(private_ips),
            "secondaryPrivateIpAddresses": private_ips,
            "subnetId": gateway.get("SubnetId"),
            "tagsAll": tag_map(gateway.get("Tags")),
            "vpcId": gateway.get("VpcId"),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        ec2 = call.client("ec2")
        if new.get("connectivityType", "public") == "private":
            self._change_private_addresses(ec2, resource_id, old, new)
        elif touched(changed, "secondaryAllocationIds"):
            self._change_allocations(ec2, resource_id, old, new)
        update_tags(ec2, resource_id, old, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        ec2 = call.client("ec2")
        unless_absent(lambda: ec2.delete_nat_gateway(NatGatewayId=resource_id), *self._ABSENT)
        # Its address and its subnet are held until it is gone.
        call.wait_until(
            f"NAT gateway {resource_id} is deleted", lambda: self._find(ec2, resource_id) is None, 1800
        )

    def _find(self, ec2: Any, resource_id: str) -> dict[str, Any] | None:
        gateway = one(
            unless_absent(
                lambda: ec2.describe_nat_gateways(NatGatewayIds=[resource_id])["NatGateways"], *self._ABSENT
            )
        )
        return None if gateway is None or gateway.get("State") == "deleted" else gateway

    def _ready(self, ec2: Any, resource_id: str) -> bool:
        gateway = self._find(ec2, resource_id) or {}
        if gateway.get("State") == "failed":
            raise AwsError(f"NAT gateway {resource_id} failed: {gateway.get('FailureMessage')}")
        return gateway.get("State") == "available"

    @staticmethod
    def _zones(inputs: Inputs) -> dict[str, Any]:
        zones = [
            given(
                zone,
                AllocationIds="allocationIds",
                AvailabilityZone="availabilityZone",
                AvailabilityZoneId="availabilityZoneId",
            )
            for zone in inputs.get("availabilityZoneAddresses") or ()
        ]
        return {"AvailabilityZoneAddresses": zones} if zones else {}

    def _change_private_addresses(self, ec2: Any, resource_id: str, old: Inputs, new: Inputs) -> None:
        name = "secondaryPrivateIpAddresses"
        added, removed = added_and_removed(old.get(name), new.get(name))
        if added:
            ec2.assign_private_nat_gateway_address(NatGatewayId=resource_id, PrivateIpAddresses=added)
        if removed:
            ec2.unassign_private_nat_gateway_address(NatGatewayId=resource_id, PrivateIpAddresses=removed)

    def _change_allocations(self, ec2: Any, resource_id: str, old: Inputs, new: Inputs) -> None:
        name = "secondaryAllocationIds"
        added, removed = added_and_removed(old.get(name), new.get(name))
        if added:
            ec2.associate_nat_gateway_address(
                NatGatewayId=resource_id,
                AllocationIds=added,
                **given(new, PrivateIpAddresses="secondaryPrivateIpAddresses"),
            )
        if removed:
            addresses = (self._find(ec2, resource_id) or {}).get("NatGatewayAddresses", [])
            ec2.disassociate_nat_gateway_address(
                NatGatewayId=resource_id,
                AssociationIds=[a["AssociationId"] for a in addresses if a.get("AllocationId") in removed],
            )


def _dashed(address: str) -> str:
    return address.replace(".", "-")


def _without_nulls(inputs: Inputs) -> dict[str, Any]:
    return {name: value for name, value in inputs.items() if value is not None}
