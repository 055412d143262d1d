"""EC2 routing: route tables with the routes inside them, routes on their own, associations.

Routes lead to internet gateways and NAT gateways, by ranges of IPv4; the rest is refused by name.
Sources of what replaces: vpc_route_table.go, vpc_route.go and vpc_route_table_association.go of
https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/ec2
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ...modelled import Ask
from ...resource import Answer, Call, Inputs, Names, Outputs, State, names, pairs
from ...session import AwsError
from .common import Ec2

_NO_TABLE: Final = names("InvalidRouteTableID.NotFound InvalidRouteTableId.NotFound")
_TARGETS: Final = ("gatewayId", "natGatewayId")
_ELSEWHERE: Final = (
    *("carrierGatewayId", "coreNetworkArn", "destinationPrefixListId", "egressOnlyGatewayId"),
    *("localGatewayId", "networkInterfaceId", "odbNetworkArn", "transitGatewayId", "vpcEndpointId"),
    "vpcPeeringConnectionId",
)


class RouteTable(Ec2):
    token = "aws:ec2/routeTable:RouteTable"
    kind = "route-table"
    made_by = Ask("CreateRouteTable", "RouteTable")
    read_by = (Ask("DescribeRouteTables", "RouteTables"),)
    deleted_by = Ask("DeleteRouteTable")
    noun = "RouteTable"
    named = pairs("""cidrBlock=DestinationCidrBlock propagatingVgws=PropagatingVgws.GatewayId
        routes.cidrBlock=DestinationCidrBlock routes.ipv6CidrBlock=DestinationIpv6CidrBlock""")
    replacing = names("vpcId")
    lacking = frozenset({"propagatingVgws", *(f"routes.{name}" for name in ("ipv6CidrBlock", *_ELSEWHERE))})
    by_hand = Ec2.by_hand | {"routes"}
    sets = names("routes")
    passing = names("DependencyViolation")
    missing = _NO_TABLE

    def told(self, outputs: Outputs, found: Answer, state: State) -> Outputs:
        routes = [
            route
            for route, there in zip(outputs["routes"], found.get("Routes", ()), strict=True)
            # Neither the VPC's own route, nor one that an endpoint adds.
            if route["cidrBlock"] and there.get("GatewayId") != "local"
        ]
        return {**outputs, "routes": sorted(routes, key=lambda route: str(route["cidrBlock"]))}

    def create(self, call: Call, inputs: Inputs) -> str:
        resource_id = super().create(call, inputs)
        self._change_routes(call, resource_id, inputs.get("routes") or ())
        return resource_id

    def update(self, call: Call, resource_id: str, old: State, new: Inputs, changed: Names) -> str | None:
        # Routes that were never given may belong to route resources of their own.
        if new.get("routes") is not None:
            self._change_routes(call, resource_id, new["routes"])
        return super().update(call, resource_id, old, new, changed)

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        for each in self._first_answer(call, resource_id, {}).get("Associations", ()):
            if not each.get("Main"):
                self._send(call, "DisassociateRouteTable", {"AssociationId": each["RouteTableAssociationId"]})
        super().delete(call, resource_id, state)

    def _change_routes(self, call: Call, resource_id: str, routes: Sequence[Inputs]) -> None:
        there = {route["cidrBlock"]: route for route in (self.read(call, resource_id, {}) or {})["routes"]}
        wanted = {route["cidrBlock"]: route for route in routes}
        for block in there.keys() - wanted.keys():
            self._ask(call, Ask("DeleteRoute"), {"id": resource_id, "cidrBlock": block})
        for block, route in wanted.items():
            if block not in there:
                self._ask(call, Ask("CreateRoute"), {"id": resource_id, **route})
            elif any((there[block][name] or None) != (route.get(name) or None) for name in _TARGETS):
                self._ask(call, Ask("ReplaceRoute"), {"id": resource_id, **route})


class Route(Ec2):
    """Its id is the table's and a checksum of the destination; an import names `TABLE_DESTINATION`."""

    token = "aws:ec2/route:Route"
    key = "routeTableId/destinationCidrBlock"
    made_by = Ask("CreateRoute")
    read_by = (Ask("DescribeRouteTables", "RouteTables.Routes", same=("destinationCidrBlock",)),)
    changed_by = (Ask("ReplaceRoute", whole=True),)
    deleted_by = Ask("DeleteRoute", only=("destinationCidrBlock", "routeTableId"))
    tags = None
    replacing = names("destinationCidrBlock routeTableId")
    lacking = frozenset({"destinationIpv6CidrBlock", *_ELSEWHERE})
    required = names("destinationCidrBlock")
    missing = _NO_TABLE | {"InvalidRoute.NotFound"}

    def create(self, call: Call, inputs: Inputs) -> str:
        table, destination = inputs["routeTableId"], inputs.get("destinationCidrBlock")
        if self.read(call, "", inputs):
            raise AwsError(
                f"route table {table} has a route to {destination} already:"
                " import it, or give another destination"
            )
        super().create(call, inputs)
        return self._id(inputs)

    def read(self, call: Call, resource_id: str, state: State) -> Outputs | None:
        outputs = super().read(call, resource_id, state)
        return {**outputs, "id": self._id(outputs)} if outputs else None

    def _key(self, resource_id: str, state: State) -> dict[str, str]:
        return super()._key(resource_id.replace("_", "/", 1), state)

    @staticmethod
    def _id(route: Mapping[str, Any]) -> str:
        return f"r-{route['routeTableId']}{zlib.crc32(route['destinationCidrBlock'].encode())}"


class RouteTableAssociation(Ec2):
    """EC2 gives a moved association a new id, which the engine can't follow: it is found by its subnet.

    An import names `SUBNET/TABLE`.
    """

    token = "aws:ec2/routeTableAssociation:RouteTableAssociation"
    key = "subnetId"
    identity = "id"
    made_by = Ask("AssociateRouteTable")
    read_by = (Ask("DescribeRouteTables", "RouteTables.Associations", same=("subnetId",)),)
    changed_by = (Ask("ReplaceRouteTableAssociation"),)
    deleted_by = Ask("DisassociateRouteTable")
    tags = None
    named = pairs("id=AssociationId|RouteTableAssociationId subnetId=SubnetId|Filters.association.subnet-id")
    replacing = names("subnetId")
    lacking = names("gatewayId")
    required = names("subnetId")
    missing = _NO_TABLE | {"InvalidAssociationID.NotFound"}

    def update(self, call: Call, resource_id: str, old: State, new: Inputs, changed: Names) -> str | None:
        there = self.read(call, resource_id, old)
        if there is None or there["routeTableId"] == new["routeTableId"]:
            return None
        moved = self._ask(call, self.changed_by[0], {"id": there["id"], "routeTableId": new["routeTableId"]})
        return str(moved["NewAssociationId"])

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        if there := self.read(call, resource_id, state):
            self._ask(call, self.deleted_by, {"id": there["id"]})

    def _key(self, resource_id: str, state: State) -> dict[str, str]:
        return {"subnetId": state.get("subnetId") or resource_id.partition("/")[0]}
