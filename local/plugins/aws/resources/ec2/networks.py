"""EC2 networks: VPC, subnet, internet gateways, elastic IP, NAT gateway.

Deliberately not here: IPv6, IPAM, Outposts, addresses of one's own, and NAT gateways with several addresses.
Sources of what replaces, of the defaults, and of the order in which attributes change: vpc_.go,
vpc_subnet.go, vpc_internet_gateway.go, ec2_eip.go and vpc_nat_gateway.go of
https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/ec2
"""

from __future__ import annotations

from typing import Final

from ...modelled import Ask, one_each
from ...resource import Call, Inputs, Names, Outputs, State, facts, names, pairs
from .common import Ec2

_TABLES: Final = ("defaultRouteTableId", "mainRouteTableId")
_SWITCHES: Final = ("enableDnsHostnames", "enableDnsSupport", "enableNetworkAddressUsageMetrics")
_ON_LAUNCH: Final = "PrivateDnsNameOptionsOnLaunch"
_IPV6: Final = "Ipv6CidrBlockAssociationSet"
_ALIVE: Final = ["available", "deleting", "failed", "pending"]
_ADDRESSES: Final = "NatGatewayAddresses"


def _own(operation: str, into: str, name: str, value: str, *outputs: str) -> Ask:
    """What every VPC has one of: the one that a filter finds."""
    return Ask(operation, into, {"Filters": [{"Name": name, "Values": [value]}]}, outputs)


class Vpc(Ec2):
    token = "aws:ec2/vpc:Vpc"
    kind = "vpc"
    made_by = Ask("CreateVpc", "Vpc")
    read_by = (
        Ask("DescribeVpcs", "Vpcs"),
        *(Ask("DescribeVpcAttribute", fixed={"Attribute": name}, only=(name,)) for name in _SWITCHES),
        _own("DescribeRouteTables", "RouteTables", "association.main", "true", *_TABLES),
        _own("DescribeSecurityGroups", "SecurityGroups", "group-name", "default", "defaultSecurityGroupId"),
        _own("DescribeNetworkAcls", "NetworkAcls", "default", "true", "defaultNetworkAclId"),
    )
    changed_by = (
        *one_each("ModifyVpcAttribute", *_SWITCHES),
        *one_each("ModifyVpcTenancy", "instanceTenancy"),
    )
    deleted_by = Ask("DeleteVpc")
    ready = ("State", "available")
    noun = "Vpc"
    named = facts(
        {
            "id": "VpcId|VpcIds|Filters.vpc-id",
            "defaultNetworkAclId": "NetworkAclId",
            "defaultSecurityGroupId": "GroupId",
            **dict.fromkeys(_TABLES, "RouteTableId"),
            "ipv6AssociationId": f"{_IPV6}.AssociationId",
            "ipv6CidrBlock": f"{_IPV6}.Ipv6CidrBlock",
            "ipv6CidrBlockNetworkBorderGroup": f"{_IPV6}.NetworkBorderGroup",
        }
    )
    replacing = names("cidrBlock")
    lacking = names("""assignGeneratedIpv6CidrBlock ipv4IpamPoolId ipv4NetmaskLength ipv6CidrBlock
        ipv6CidrBlockNetworkBorderGroup ipv6IpamPoolId ipv6NetmaskLength""")
    defaults = facts(enableDnsSupport=True, instanceTenancy="default")
    passing = names("DependencyViolation")
    missing = names("InvalidVpcID.NotFound")

    def replaced_by(self, argument: str, new: Inputs) -> bool:
        if argument == "instanceTenancy":
            # Dedicated tenancy is loosened in place, and never tightened.
            return new.get(argument) != "default"
        return super().replaced_by(argument, new)


class Subnet(Ec2):
    token = "aws:ec2/subnet:Subnet"
    kind = "subnet"
    made_by = Ask("CreateSubnet", "Subnet")
    read_by = (Ask("DescribeSubnets", "Subnets"),)
    changed_by = one_each(
        "ModifySubnetAttribute",
        *("enableDns64", "enableResourceNameDnsAaaaRecordOnLaunch", "enableResourceNameDnsARecordOnLaunch"),
        *("mapPublicIpOnLaunch", "privateDnsHostnameTypeOnLaunch"),
    )
    deleted_by = Ask("DeleteSubnet")
    ready = ("State", "available")
    # A task that stops, or a load balancer that goes, leaves its network interface for a little while.
    passing_timeout_seconds = 1200
    passing = names("DependencyViolation")
    noun = "Subnet"
    named = facts(
        {
            **{
                f"enableResourceNameDns{kind}RecordOnLaunch": f"EnableResourceNameDns{kind}RecordOnLaunch|"
                f"{_ON_LAUNCH}.EnableResourceNameDns{kind}Record"
                for kind in ("A", "Aaaa")
            },
            "ipv6CidrBlock": f"{_IPV6}.Ipv6CidrBlock",
            "ipv6CidrBlockAssociationId": f"{_IPV6}.AssociationId",
            "privateDnsHostnameTypeOnLaunch": f"PrivateDnsHostnameTypeOnLaunch|{_ON_LAUNCH}.HostnameType",
        }
    )
    replacing = names("availabilityZone availabilityZoneId cidrBlock ipv6Native vpcId")
    lacking = names("""assignIpv6AddressOnCreation customerOwnedIpv4Pool enableLniAtDeviceIndex ipv4IpamPoolId
        ipv4NetmaskLength ipv6CidrBlock ipv6IpamPoolId ipv6Native ipv6NetmaskLength mapCustomerOwnedIpOnLaunch
        outpostArn""")
    off = names("""assignIpv6AddressOnCreation enableDns64 enableResourceNameDnsARecordOnLaunch
        enableResourceNameDnsAaaaRecordOnLaunch ipv6Native mapPublicIpOnLaunch""")
    exclusive = (("availabilityZone", "availabilityZoneId"),)
    missing = names("InvalidSubnetID.NotFound")


class InternetGateway(Ec2):
    token = "aws:ec2/internetGateway:InternetGateway"
    replacing = frozenset()
    kind = "internet-gateway"
    made_by = Ask("CreateInternetGateway", "InternetGateway")
    read_by = (Ask("DescribeInternetGateways", "InternetGateways"),)
    deleted_by = Ask("DeleteInternetGateway")
    # Public addresses that are still mapped hold it in its VPC for a while.
    passing_timeout_seconds = 1200
    passing = names("DependencyViolation")
    noun = "InternetGateway"
    named = pairs("vpcId=VpcId|Attachments.VpcId")
    by_hand = Ec2.by_hand | {"vpcId"}
    missing = names("InvalidInternetGatewayID.NotFound")

    def create(self, call: Call, inputs: Inputs) -> str:
        resource_id = super().create(call, inputs)
        self._move(call, resource_id, inputs.get("vpcId"))
        return resource_id

    def update(self, call: Call, resource_id: str, old: State, new: Inputs, changed: Names) -> str | None:
        # Nothing is named as changed after an update that failed.
        if "vpcId" in changed or not changed:
            self._move(call, resource_id, new.get("vpcId"))
        return super().update(call, resource_id, old, new, changed)

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        self._move(call, resource_id, None)
        super().delete(call, resource_id, state)

    def _move(self, call: Call, resource_id: str, vpc_id: str | None) -> None:
        for there in self._first_answer(call, resource_id, {}).get("Attachments", ()):
            self._ask(call, Ask("DetachInternetGateway"), {"id": resource_id, "vpcId": there["VpcId"]})
        if vpc_id:
            self._ask(call, Ask("AttachInternetGateway"), {"id": resource_id, "vpcId": vpc_id})


class Eip(Ec2):
    token = "aws:ec2/eip:Eip"
    kind = "elastic-ip"
    made_by = Ask("AllocateAddress")
    read_by = (Ask("DescribeAddresses", "Addresses"),)
    deleted_by = Ask("ReleaseAddress")
    # EC2 says AuthFailure while a deleted NAT gateway still holds the address.
    passing = names("AuthFailure InvalidIPAddress.InUse")
    noun = "Allocation"
    named = pairs("instance=InstanceId networkInterface=NetworkInterfaceId privateIp=PrivateIpAddress")
    replacing = names("domain")
    lacking = names("""address associateWithPrivateIp customerOwnedIpv4Pool instance ipamPoolId
        networkBorderGroup networkInterface publicIpv4Pool""")
    by_hand = Ec2.by_hand | {"privateDns", "ptrRecord", "publicDns"}
    missing = names("InvalidAddress.NotFound InvalidAllocationID.NotFound")

    def shaped(self, inputs: Inputs) -> Inputs:
        return {**inputs, "domain": inputs.get("domain") or "vpc"}

    def read(self, call: Call, resource_id: str, state: State) -> Outputs | None:
        outputs = super().read(call, resource_id, state)
        if not outputs:
            return None
        old = call.region == "us-east-1"
        inside = "ec2.internal" if old else f"{call.region}.compute.internal"
        outside = "compute-1.amazonaws.com" if old else f"{call.region}.compute.amazonaws.com"
        private, public = (outputs[name].replace(".", "-") for name in ("privateIp", "publicIp"))
        names = {"privateDns": private and f"ip-{private}.{inside}", "publicDns": f"ec2-{public}.{outside}"}
        return {**outputs, **names, "ptrRecord": ""}


class NatGateway(Ec2):
    token = "aws:ec2/natGateway:NatGateway"
    kind = "natgateway"
    made_by = Ask("CreateNatGateway", "NatGateway")
    # AWS still answers with one that is deleted.
    read_by = (Ask("DescribeNatGateways", "NatGateways", {"Filter": [{"Name": "state", "Values": _ALIVE}]}),)
    deleted_by = Ask("DeleteNatGateway")
    ready = ("State", "available")
    noun = "NatGateway"
    named = facts(
        {
            "privateIp": f"PrivateIpAddress|{_ADDRESSES}.PrivateIp",
            "regionalNatGatewayAutoMode": "AutoProvisionZones",
            **{
                name: f"{name}|{_ADDRESSES}.{name}"
                for name in ("allocationId", "associationId", "networkInterfaceId", "publicIp")
            },
        }
    )
    replacing = names("allocationId connectivityType privateIp subnetId")
    lacking = names("""availabilityMode availabilityZoneAddresses secondaryAllocationIds vpcId
        secondaryPrivateIpAddressCount secondaryPrivateIpAddresses""")
    by_hand = Ec2.by_hand | {"regionalNatGatewayAddresses"}
    defaults = facts(connectivityType="public")
    when_absent = facts(availabilityMode="zonal")
    missing = names("InvalidNatGatewayID.NotFound NatGatewayNotFound")
