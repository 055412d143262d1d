"""VPCs, subnets, gateways, routes and endpoints through the stand-in, on the emulated AWS."""

from __future__ import annotations

import pytest

from tests.local.plugins.aws.case import Aws
from tests.local.plugins.aws.life import Life
from tests.local.plugins.aws.plugin import Plugin, RefusedError


@pytest.fixture
def subnet(plugin: Plugin, vpc: Life) -> Life:
    return Life(plugin, "ec2/subnet:Subnet", vpcId=vpc.id, cidrBlock="10.20.0.0/24")


@pytest.fixture
def gateway(plugin: Plugin, vpc: Life) -> Life:
    return Life(plugin, "ec2/internetGateway:InternetGateway", vpcId=vpc.id)


def test_a_vpc_names_what_every_vpc_has(vpc: Life) -> None:
    assert vpc.outputs["mainRouteTableId"] == vpc.outputs["defaultRouteTableId"]
    assert vpc.outputs["mainRouteTableId"].startswith("rtb-")
    assert vpc.outputs["defaultSecurityGroupId"].startswith("sg-")
    assert vpc.outputs["defaultNetworkAclId"].startswith("acl-")


def test_a_vpc_without_names_loses_them_before_its_resolver(vpc: Life) -> None:
    vpc.change(enableDnsHostnames=True)
    changed = vpc.change(enableDnsHostnames=False, enableDnsSupport=False)
    assert (changed["enableDnsHostnames"], changed["enableDnsSupport"]) == (False, False)
    assert vpc.change(enableDnsSupport=True, tags=None)["tagsAll"] == {}


def test_an_internet_gateway_moves_between_networks(plugin: Plugin, vpc: Life, gateway: Life) -> None:
    other = Life(plugin, "ec2/vpc:Vpc", cidrBlock="10.21.0.0/16")
    assert gateway.change(vpcId=other.id)["vpcId"] == other.id
    assert gateway.change(vpcId=vpc.id)["vpcId"] == vpc.id
    gateway.change(tags={"Name": "way out"})
    gateway.imported()
    gateway.delete()


def test_a_route_table_changes_its_own_routes_and_leaves_others_alone(
    plugin: Plugin, vpc: Life, gateway: Life, aws: Aws
) -> None:
    everywhere = {"cidrBlock": "0.0.0.0/0", "gatewayId": gateway.id}
    table = Life(plugin, "ec2/routeTable:RouteTable", vpcId=vpc.id, routes=[everywhere])
    table.imported()
    table.change(routes=[everywhere, {"cidrBlock": "10.99.0.0/16", "gatewayId": gateway.id}])
    aws("ec2").delete_route(RouteTableId=table.id, DestinationCidrBlock="0.0.0.0/0")
    assert table.put_back() == ["routes"]
    assert table.change(routes=[])["routes"] == []
    table.change(tags={"Name": "public"})

    bare = Life(plugin, "ec2/routeTable:RouteTable", vpcId=vpc.id)
    Life(
        plugin,
        "ec2/route:Route",
        routeTableId=bare.id,
        destinationCidrBlock="0.0.0.0/0",
        gatewayId=gateway.id,
    )
    outputs, inputs = bare.refreshed()
    assert [route["gatewayId"] for route in outputs["routes"]] == [gateway.id]
    assert inputs == bare.inputs
    table.delete()


def test_a_route_points_elsewhere_in_place_and_is_imported_by_its_destination(
    plugin: Plugin, vpc: Life, subnet: Life, gateway: Life
) -> None:
    table = Life(plugin, "ec2/routeTable:RouteTable", vpcId=vpc.id)
    address = Life(plugin, "ec2/eip:Eip", domain="vpc")
    nat = Life(plugin, "ec2/natGateway:NatGateway", subnetId=subnet.id, allocationId=address.id)
    route = Life(
        plugin,
        "ec2/route:Route",
        routeTableId=table.id,
        destinationCidrBlock="0.0.0.0/0",
        gatewayId=gateway.id,
    )
    # The real provider's id: the table's, and the CRC-32 of the destination.
    assert route.id == f"r-{table.id}1080289494"
    moved = route.change(gatewayId=None, natGatewayId=nat.id)
    assert (moved["gatewayId"], moved["natGatewayId"]) == ("", nat.id)
    assert route.imported(f"{table.id}_0.0.0.0/0")["id"] == route.id
    assert route.replaced_by(destinationCidrBlock="10.0.0.0/8") == ["destinationCidrBlock"]
    with pytest.raises(RefusedError, match=r"has a route to .* already: import it"):
        Life(
            plugin,
            "ec2/route:Route",
            routeTableId=table.id,
            destinationCidrBlock="0.0.0.0/0",
            gatewayId=gateway.id,
        )
    for resource in (route, nat, address):
        resource.delete()


def test_an_association_follows_its_subnet_to_another_table(plugin: Plugin, vpc: Life, subnet: Life) -> None:
    first = Life(plugin, "ec2/routeTable:RouteTable", vpcId=vpc.id)
    second = Life(plugin, "ec2/routeTable:RouteTable", vpcId=vpc.id)
    association = Life(
        plugin,
        "ec2/routeTableAssociation:RouteTableAssociation",
        subnetId=subnet.id,
        routeTableId=first.id,
    )
    association.imported(f"{subnet.id}/{first.id}")
    old_id = association.id
    association.change(routeTableId=second.id)
    # The engine may still know the id from before the move.
    found = plugin.read(association.token, old_id, association.outputs, association.inputs)
    assert found is not None
    assert found[0]["routeTableId"] == second.id
    association.delete()


def test_a_nat_gateway_and_its_address_are_released_in_order(plugin: Plugin, subnet: Life) -> None:
    address = Life(plugin, "ec2/eip:Eip", domain="vpc", tags={"Name": "nat"})
    nat = Life(plugin, "ec2/natGateway:NatGateway", subnetId=subnet.id, allocationId=address.id)
    nat.change(tags={"Name": "nat"})
    nat.imported()
    assert nat.replaced_by(connectivityType="private") == ["connectivityType"]
    address.outputs, _ = address.refreshed()
    address.imported()
    nat.delete()
    address.delete()


def test_a_gateway_endpoint_changes_tables_in_place(plugin: Plugin, vpc: Life) -> None:
    table = Life(plugin, "ec2/routeTable:RouteTable", vpcId=vpc.id)
    endpoint = Life(
        plugin,
        "ec2/vpcEndpoint:VpcEndpoint",
        vpcId=vpc.id,
        serviceName="com.amazonaws.ap-northeast-2.s3",
        routeTableIds=[table.id],
    )
    assert endpoint.outputs["prefixListId"].startswith("pl-")
    assert endpoint.change(routeTableIds=[])["routeTableIds"] == []
    endpoint.change(tags={"Name": "s3"})
    assert endpoint.replaced_by(serviceName="com.amazonaws.ap-northeast-2.dynamodb") == ["serviceName"]
    endpoint.delete()


def test_a_network_that_exists_is_found_by_id_tags_and_filters(
    plugin: Plugin, vpc: Life, subnet: Life
) -> None:
    by_id = plugin.invoke("aws:ec2/getVpc:getVpc", {"id": vpc.id})
    by_tags = plugin.invoke("aws:ec2/getVpc:getVpc", {"tags": {"Name": "network"}})
    assert by_id["cidrBlock"] == "10.20.0.0/16"
    assert by_tags["id"] == vpc.id
    in_vpc = {"filters": [{"name": "vpc-id", "values": [vpc.id]}]}
    assert plugin.invoke("aws:ec2/getSubnets:getSubnets", in_vpc)["ids"] == [subnet.id]
    assert plugin.invoke("aws:ec2/getSubnet:getSubnet", {"id": subnet.id})["vpcId"] == vpc.id
    with pytest.raises(RefusedError, match="no VPCs match id vpc-00000000; exactly one must"):
        plugin.invoke("aws:ec2/getVpc:getVpc", {"id": "vpc-00000000"})
