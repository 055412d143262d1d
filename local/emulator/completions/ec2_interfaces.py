"""EC2's network interfaces, and what holds one: NAT gateways with their addresses, and VPC endpoints.

Owns the interfaces that AWS itself manages, each with a free address of its subnet, NAT gateways and
endpoints; ministack has addresses and routes, but neither their dependencies nor free addresses.
Source: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html,
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html,
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReleaseAddress.html
"""

from __future__ import annotations

import ipaddress
import json
import random
import secrets
import time
from typing import Any

from ministack.core.concurrency import resource_lock
from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region

from local.emulator.completions.ec2 import (
    Record,
    all_tags,
    ask_ec2,
    described,
    existing,
    forget_tags,
    interfaces,
    new_id,
    own_interfaces,
    tag_as_asked,
)
from local.emulator.completions.ec2_security_groups import security_groups
from local.emulator.completions.ec2_subnets import subnets, vpcs
from local.emulator.completions.patching import AwsError, Request
from local.emulator.completions.protocols import Result, serve

_FULL_ACCESS = json.dumps(
    {
        "Version": "2008-10-17",
        "Statement": [{"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}],
    }
)

_nat_gateways = AccountRegionScopedDict()
_endpoints = AccountRegionScopedDict()


def install() -> None:
    """Completes interfaces, addresses, NAT gateways, routes and endpoints."""
    serve(
        "ec2",
        {
            "DescribeNetworkInterfaces": described(
                "NetworkInterfaceId", "NetworkInterfaces", interfaces, "InvalidNetworkInterfaceID.NotFound"
            ),
            "DescribeAddresses": described(
                "AllocationId", "Addresses", _addresses, "InvalidAllocationID.NotFound"
            ),
            "ReleaseAddress": _release_address,
            "CreateNatGateway": _create_nat_gateway,
            "DescribeNatGateways": described(
                "NatGatewayId", "NatGateways", lambda: _nat_gateways, "NatGatewayNotFound"
            ),
            "DeleteNatGateway": _delete_nat_gateway,
            "CreateRoute": _create_route,
            "CreateVpcEndpoint": _create_vpc_endpoint,
            "DescribeVpcEndpoints": described(
                "VpcEndpointId", "VpcEndpoints", lambda: _endpoints, "InvalidVpcEndpointId.NotFound"
            ),
            "ModifyVpcEndpoint": _modify_vpc_endpoint,
            "DeleteVpcEndpoints": _delete_vpc_endpoints,
        },
    )


# Interfaces


def attach_interface(
    subnet_id: str, description: str, kind: str, groups: list[str], *, public: bool = False
) -> Record:
    """Makes a network interface that AWS itself manages, with a free address of the subnet."""
    with resource_lock("fileflow-interfaces", subnet_id):
        subnet = subnets()[subnet_id]
        address = "52." + ".".join(str(random.randint(1, 254)) for _ in range(3))
        interface = {
            "NetworkInterfaceId": new_id("eni"),
            "SubnetId": subnet_id,
            "VpcId": subnet["VpcId"],
            "AvailabilityZone": subnet["AvailabilityZone"],
            "Description": description,
            "OwnerId": get_account_id(),
            "Status": "in-use",
            "InterfaceType": kind,
            "SourceDestCheck": kind != "nat_gateway",
            "MacAddress": ":".join(f"{byte:02x}" for byte in (2, *secrets.token_bytes(5))),
            "Groups": _shown_groups(groups),
            "RequesterManaged": True,
        } | ({"Association": {"PublicIp": address, "IpOwnerId": "amazon"}} if public else {})
        own_interfaces[interface["NetworkInterfaceId"]] = interface
        show_address(str(interface["NetworkInterfaceId"]), _free_address(subnet))
    return interface


def _shown_groups(groups: list[str]) -> list[Record]:
    known = security_groups()
    return [{"GroupId": group, "GroupName": known.get(group, {}).get("GroupName", group)} for group in groups]


def show_address(interface_id: str | None, address: str) -> None:
    """Gives an interface its address in the subnet; of one that is gone, nothing happens."""
    interface = own_interfaces.get(interface_id)
    if interface is None:
        return
    name = private_dns_name(address)
    association = {key: value for key, value in interface.items() if key == "Association"}
    interface |= {
        "PrivateIpAddress": address,
        "PrivateDnsName": name,
        "PrivateIpAddresses": [
            {"PrivateIpAddress": address, "PrivateDnsName": name, "Primary": True} | association
        ],
    }


def private_dns_name(address: str) -> str:
    """The name that an address of a subnet has in its VPC."""
    return f"ip-{address.replace('.', '-')}.{get_region()}.compute.internal"


def detach_interface(interface_id: str | None) -> None:
    """Takes an interface away that AWS itself managed."""
    own_interfaces.pop(interface_id, None)


def _free_address(subnet: Record) -> str:
    """The lowest free address of the subnet; the first four and the last are AWS's own."""
    network = ipaddress.ip_network(subnet["CidrBlock"])
    used = {
        interface.get("PrivateIpAddress")
        for interface in interfaces().values()
        if interface["SubnetId"] == subnet["SubnetId"]
    }
    for offset in range(4, network.num_addresses - 1):
        address = str(network[offset])
        if address not in used:
            return address
    raise RuntimeError(f"subnet {subnet['SubnetId']} ({network}) has no free address")


# Addresses, NAT gateways and routes


def _addresses() -> dict[str, Record]:
    """The elastic addresses by id, with what a NAT gateway that holds one says of it."""
    held = {
        address["AllocationId"]: address
        for gateway in _nat_gateways.values()
        for address in gateway["NatGatewayAddresses"]
        if gateway["State"] == "available" and "AllocationId" in address
    }
    found = {}
    for address in ask_ec2("DescribeAddresses")["Addresses"]:
        holder = held.get(address["AllocationId"])
        association = (
            {
                "AssociationId": holder["AssociationId"],
                "NetworkInterfaceId": holder["NetworkInterfaceId"],
                "NetworkInterfaceOwnerId": get_account_id(),
                "PrivateIpAddress": holder["PrivateIp"],
            }
            if holder
            else {}
        )
        found[address["AllocationId"]] = (
            address | {"PublicIpv4Pool": "amazon", "NetworkBorderGroup": get_region()} | association
        )
    return found


def _address(allocation: str) -> Record:
    return existing(_addresses(), allocation, "InvalidAllocationID.NotFound", "allocation ID")


def _release_address(request: Request) -> Result:
    address = _address(request.get("AllocationId", ""))
    if address.get("AssociationId"):
        raise AwsError("InvalidIPAddress.InUse", f"Address {address['PublicIp']} is in use.")
    return ask_ec2("ReleaseAddress", request)


def _create_nat_gateway(request: Request) -> Result:
    subnet_id, allocation = request["SubnetId"], request.get("AllocationId")
    connectivity = request.get("ConnectivityType") or "public"
    existing(subnets(), subnet_id, "InvalidSubnetID.NotFound", "subnet ID")
    address = _address(allocation) if allocation else None
    if connectivity == "public":
        if address is None:
            raise AwsError("MissingParameter", "The request must include the AllocationId parameter.")
        if address.get("AssociationId"):
            raise AwsError(
                "Resource.AlreadyAssociated", f"Elastic IP address [{allocation}] is already associated"
            )
    gateway_id = new_id("nat")
    interface = attach_interface(subnet_id, f"Interface for NAT Gateway {gateway_id}", "nat_gateway", [])
    shown = {
        "NetworkInterfaceId": interface["NetworkInterfaceId"],
        "PrivateIp": interface["PrivateIpAddress"],
        "IsPrimary": True,
        "Status": "succeeded",
    }
    if address is not None:
        shown |= {
            "AllocationId": allocation,
            "PublicIp": address["PublicIp"],
            "AssociationId": new_id("eipassoc"),
        }
    gateway = {
        "NatGatewayId": gateway_id,
        "SubnetId": subnet_id,
        "VpcId": interface["VpcId"],
        "ConnectivityType": connectivity,
        "AvailabilityMode": "zonal",
        "State": "available",
        "CreateTime": time.time(),
        "NatGatewayAddresses": [shown],
    }
    _nat_gateways[gateway_id] = gateway
    tag_as_asked(request, "natgateway", [gateway_id])
    return {"NatGateway": gateway | {"Tags": all_tags()[gateway_id]}}


def _delete_nat_gateway(request: Request) -> Result:
    gateway_id = request["NatGatewayId"]
    gateway = _nat_gateways.get(gateway_id)
    if gateway is None:
        raise AwsError("NatGatewayNotFound", f"The Nat Gateway {gateway_id} was not found")
    if gateway["State"] != "deleted":
        gateway |= {"State": "deleted", "DeleteTime": time.time()}
        detach_interface(gateway["NatGatewayAddresses"][0]["NetworkInterfaceId"])
    return {"NatGatewayId": gateway_id}


def _create_route(request: Request) -> Result:
    destination = request.get("DestinationCidrBlock")
    gateway, nat = request.get("GatewayId", ""), request.get("NatGatewayId")
    for table in ask_ec2("DescribeRouteTables")["RouteTables"]:
        destinations = [route.get("DestinationCidrBlock") for route in table["Routes"]]
        if table["RouteTableId"] == request["RouteTableId"] and destination in destinations:
            raise AwsError("RouteAlreadyExists", f"The route identified by {destination} already exists.")
    if nat and _nat_gateways.get(nat, {}).get("State") != "available":
        raise AwsError("InvalidNatGatewayID.NotFound", f"The natGateway ID '{nat}' does not exist")
    if gateway.startswith("igw-"):
        found = ask_ec2("DescribeInternetGateways")["InternetGateways"]
        known = {each["InternetGatewayId"]: each for each in found}
        existing(known, gateway, "InvalidGatewayID.NotFound", "gateway ID")
    return ask_ec2("CreateRoute", request)


# VPC endpoints


def _create_vpc_endpoint(request: Request) -> Result:
    vpc, service = request["VpcId"], request["ServiceName"]
    existing(vpcs(), vpc, "InvalidVpcId.NotFound", "Vpc Id")
    if not service.startswith(("com.amazonaws.", "aws.")):
        raise AwsError("InvalidServiceName", f"The Vpc Endpoint Service '{service}' does not exist")
    kind = request.get("VpcEndpointType") or "Gateway"
    tables, subnet_ids = request.get("RouteTableIds") or [], request.get("SubnetIds") or []
    known = {each["RouteTableId"]: each for each in ask_ec2("DescribeRouteTables")["RouteTables"]}
    for table in tables:
        existing(known, table, "InvalidRouteTableId.NotFound", "routeTable ID")
    for subnet in subnet_ids:
        existing(subnets(), subnet, "InvalidSubnetId.NotFound", "subnet ID")
    endpoint_id = new_id("vpce")
    groups = request.get("SecurityGroupIds") or []
    name = ".".join(service.removeprefix(f"com.amazonaws.{get_region()}.").split(".")[::-1])
    dns = f"{endpoint_id}-{secrets.token_hex(4)}.{name}.{get_region()}.vpce.amazonaws.com"
    endpoint = {
        "VpcEndpointId": endpoint_id,
        "VpcEndpointType": kind,
        "VpcId": vpc,
        "ServiceName": service,
        "State": "available",
        "RouteTableIds": tables,
        "SubnetIds": subnet_ids,
        "Groups": _shown_groups(groups),
        "OwnerId": get_account_id(),
        "PolicyDocument": _FULL_ACCESS,
        "PrivateDnsEnabled": request.get("PrivateDnsEnabled", False),
        "RequesterManaged": False,
        "IpAddressType": "ipv4",
        "DnsOptions": {"DnsRecordIpType": "ipv4" if groups else "service-defined"},
        "NetworkInterfaceIds": [_interface_of(endpoint_id, subnet, groups) for subnet in subnet_ids],
        "DnsEntries": [{"DnsName": dns, "HostedZoneId": "Z27UANNT0PRK1T"}] if kind == "Interface" else [],
        "CreationTimestamp": time.time(),
    }
    _endpoints[endpoint_id] = endpoint
    tag_as_asked(request, "vpc-endpoint", [endpoint_id])
    return {"VpcEndpoint": endpoint | {"Tags": all_tags()[endpoint_id]}}


def _interface_of(endpoint_id: str, subnet: str, groups: list[str]) -> str:
    made = attach_interface(subnet, f"VPC Endpoint Interface {endpoint_id}", "vpc_endpoint", groups)
    return str(made["NetworkInterfaceId"])


def _modify_vpc_endpoint(request: Request) -> Result:
    endpoint_id = request["VpcEndpointId"]
    endpoint = existing(_endpoints, endpoint_id, "InvalidVpcEndpointId.NotFound", "Vpc Endpoint Id")
    groups = [group["GroupId"] for group in endpoint["Groups"]]
    endpoint["RouteTableIds"] = _changed(endpoint["RouteTableIds"], request, "RouteTableIds")
    groups = _changed(groups, request, "SecurityGroupIds")
    endpoint["Groups"] = _shown_groups(groups)
    endpoint["DnsOptions"] = {"DnsRecordIpType": "ipv4" if groups else "service-defined"}
    for subnet in request.get("AddSubnetIds") or []:
        endpoint["SubnetIds"].append(subnet)
        endpoint["NetworkInterfaceIds"].append(_interface_of(endpoint_id, subnet, groups))
    for subnet in request.get("RemoveSubnetIds") or []:
        endpoint["SubnetIds"].remove(subnet)
        for interface_id in list(endpoint["NetworkInterfaceIds"]):
            if own_interfaces[interface_id]["SubnetId"] == subnet:
                endpoint["NetworkInterfaceIds"].remove(interface_id)
                detach_interface(interface_id)
    if request.get("PrivateDnsEnabled") is not None:
        endpoint["PrivateDnsEnabled"] = request["PrivateDnsEnabled"]
    return {"Return": True}


def _changed(known: list[str], request: Request, name: str) -> list[str]:
    kept = [item for item in known if item not in (request.get(f"Remove{name}") or [])]
    return kept + [item for item in request.get(f"Add{name}") or [] if item not in kept]


def _delete_vpc_endpoints(request: Request) -> Result:
    failed: list[Any] = []
    for endpoint_id in request["VpcEndpointIds"]:
        endpoint = _endpoints.pop(endpoint_id, None)
        if endpoint is None:
            problem = {
                "Code": "InvalidVpcEndpoint.NotFound",
                "Message": f"The Vpc Endpoint Id '{endpoint_id}' does not exist",
            }
            failed.append({"ResourceId": endpoint_id, "Error": problem})
            continue
        forget_tags(endpoint_id)
        for interface in endpoint["NetworkInterfaceIds"]:
            detach_interface(interface)
    return {"Unsuccessful": failed}
