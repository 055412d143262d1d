"""EC2 routing: route tables with the routes inside them, routes on their own, associations."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ...resource import Call, Inputs, Resource, State, tag_map
from ...session import AwsError
from ..calls import added_and_removed, one, retried, touched, unless_absent
from .tags import tag_specifications, update_tags

# A route's arguments and the API's names for them. An inline route calls its destinations otherwise.
_TARGETS: Final = {
    "carrierGatewayId": "CarrierGatewayId",
    "coreNetworkArn": "CoreNetworkArn",
    "egressOnlyGatewayId": "EgressOnlyInternetGatewayId",
    "gatewayId": "GatewayId",
    "localGatewayId": "LocalGatewayId",
    "natGatewayId": "NatGatewayId",
    "networkInterfaceId": "NetworkInterfaceId",
    "odbNetworkArn": "OdbNetworkArn",
    "transitGatewayId": "TransitGatewayId",
    "vpcEndpointId": "VpcEndpointId",
    "vpcPeeringConnectionId": "VpcPeeringConnectionId",
}
_DESTINATIONS: Final = {
    "destinationCidrBlock": "DestinationCidrBlock",
    "destinationIpv6CidrBlock": "DestinationIpv6CidrBlock",
    "destinationPrefixListId": "DestinationPrefixListId",
}
_INLINE_DESTINATIONS: Final = {
    "cidrBlock": "DestinationCidrBlock",
    "ipv6CidrBlock": "DestinationIpv6CidrBlock",
    "destinationPrefixListId": "DestinationPrefixListId",
}
_NO_TABLE: Final = ("InvalidRouteTableID.NotFound", "InvalidRouteTableId.NotFound")
_NO_ROUTE: Final = "InvalidRoute.NotFound"
# What a new route points at may not be ready for it yet.
_PASSING: Final = (
    "InvalidGatewayID.NotFound",
    "InvalidNatGatewayID.NotFound",
    "InvalidParameterException",
    "InvalidTransitGatewayID.NotFound",
    "InvalidVpcEndpointId.NotFound",
)


def _find_table(ec2: Any, resource_id: str) -> dict[str, Any] | None:
    return one(
        unless_absent(
            lambda: ec2.describe_route_tables(RouteTableIds=[resource_id])["RouteTables"], *_NO_TABLE
        )
    )


def _parameters(route: Inputs, destinations: Mapping[str, str]) -> dict[str, Any]:
    names = {**destinations, **_TARGETS}
    return {api_name: route[name] for name, api_name in names.items() if route.get(name)}


def _destination_parameters(route: Inputs, destinations: Mapping[str, str]) -> dict[str, Any]:
    return {api_name: route[name] for name, api_name in destinations.items() if route.get(name)}


def _destination(route: Inputs, destinations: Mapping[str, str]) -> str:
    return next((str(route[name]) for name in destinations if route.get(name)), "")


def _targets_of(route: Mapping[str, Any]) -> dict[str, str]:
    """The targets that AWS says a route has. It gives an endpoint's id as the gateway's."""
    targets = {name: str(route.get(api_name) or "") for name, api_name in _TARGETS.items()}
    if targets["gatewayId"].startswith("vpce-"):
        targets["vpcEndpointId"], targets["gatewayId"] = targets["gatewayId"], ""
    return targets


def _create_route(call: Call, table_id: str, parameters: Mapping[str, Any]) -> None:
    retried(
        call,
        f"{table_id} accepts a route",
        lambda: call.client("ec2").create_route(RouteTableId=table_id, **parameters),
        *_PASSING,
        default_timeout_seconds=120,
    )


class RouteTable(Resource):
    token = "aws:ec2/routeTable:RouteTable"
    sets = frozenset({"propagatingVgws", "routes"})

    def create(self, call: Call, inputs: Inputs) -> str:
        ec2 = call.client("ec2")
        table = ec2.create_route_table(VpcId=inputs["vpcId"], **tag_specifications("route-table", inputs))
        resource_id = str(table["RouteTable"]["RouteTableId"])
        call.wait_until(
            f"route table {resource_id} is there", lambda: bool(_find_table(ec2, resource_id)), 120
        )
        for gateway_id in inputs.get("propagatingVgws") or ():
            ec2.enable_vgw_route_propagation(GatewayId=gateway_id, RouteTableId=resource_id)
        for route in inputs.get("routes") or ():
            _create_route(call, resource_id, _parameters(route, _INLINE_DESTINATIONS))
        return resource_id

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        table = _find_table(call.client("ec2"), resource_id)
        if table is None:
            return None
        return {
            "arn": call.arn("ec2", f"route-table/{resource_id}"),
            "ownerId": table["OwnerId"],
            "propagatingVgws": sorted(vgw["GatewayId"] for vgw in table.get("PropagatingVgws", [])),
            "routes": sorted(
                (self._inline(route) for route in table.get("Routes", []) if self._is_own(route)),
                key=lambda route: _destination(route, _INLINE_DESTINATIONS),
            ),
            "tagsAll": tag_map(table.get("Tags")),
            "vpcId": table["VpcId"],
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        ec2 = call.client("ec2")
        added, removed = added_and_removed(old.get("propagatingVgws"), new.get("propagatingVgws"))
        if new.get("propagatingVgws") is not None:
            for gateway_id in removed:
                ec2.disable_vgw_route_propagation(GatewayId=gateway_id, RouteTableId=resource_id)
            for gateway_id in added:
                ec2.enable_vgw_route_propagation(GatewayId=gateway_id, RouteTableId=resource_id)
        # Routes that were never given may belong to route resources of their own.
        if new.get("routes") is not None:
            self._change_routes(call, resource_id, new["routes"])
        update_tags(ec2, resource_id, old, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        ec2 = call.client("ec2")
        for association in (_find_table(ec2, resource_id) or {}).get("Associations", []):
            if not association.get("Main"):
                _disassociate(ec2, association["RouteTableAssociationId"])
        retried(
            call,
            f"route table {resource_id} is free",
            lambda: unless_absent(lambda: ec2.delete_route_table(RouteTableId=resource_id), *_NO_TABLE),
            "DependencyViolation",
        )

    @staticmethod
    def _is_own(route: Mapping[str, Any]) -> bool:
        """Not the VPC's local route, nor one that a gateway propagates or a gateway endpoint adds."""
        return (
            route.get("GatewayId") != "local"
            and route.get("Origin") != "EnableVgwRoutePropagation"
            and not (
                route.get("DestinationPrefixListId") and str(route.get("GatewayId", "")).startswith("vpce-")
            )
        )

    @staticmethod
    def _inline(route: Mapping[str, Any]) -> dict[str, Any]:
        destinations = {
            name: str(route.get(api_name) or "") for name, api_name in _INLINE_DESTINATIONS.items()
        }
        return {**destinations, **_targets_of(route)}

    def _change_routes(self, call: Call, resource_id: str, wanted: Sequence[Inputs]) -> None:
        ec2 = call.client("ec2")
        table = _find_table(ec2, resource_id) or {}
        there = {
            _destination(route, _INLINE_DESTINATIONS): route
            for route in map(self._inline, filter(self._is_own, table.get("Routes", [])))
        }
        kept = {_destination(route, _INLINE_DESTINATIONS): route for route in wanted}
        for destination in there.keys() - kept.keys():
            parameters = _destination_parameters(there[destination], _INLINE_DESTINATIONS)
            unless_absent(
                lambda parameters=parameters: ec2.delete_route(  # type: ignore[misc]  # binds the loop's value
                    RouteTableId=resource_id, **parameters
                ),
                _NO_ROUTE,
            )
        for destination, route in kept.items():
            parameters = _parameters(route, _INLINE_DESTINATIONS)
            if destination not in there:
                _create_route(call, resource_id, parameters)
            elif parameters != _parameters(there[destination], _INLINE_DESTINATIONS):
                ec2.replace_route(RouteTableId=resource_id, **parameters)


class Route(Resource):
    """Its id is the table's and a checksum of the destination; an import names `TABLE_DESTINATION`."""

    token = "aws:ec2/route:Route"

    def create(self, call: Call, inputs: Inputs) -> str:
        ec2 = call.client("ec2")
        table_id, destination = str(inputs["routeTableId"]), _destination(inputs, _DESTINATIONS)
        existing = self._find(ec2, table_id, destination)
        if existing is not None and existing.get("Origin") == "CreateRoute":
            raise AwsError(
                f"route table {table_id} has a route to {destination} already:"
                " import it, or give another destination"
            )
        parameters = _parameters(inputs, _DESTINATIONS)
        if existing is not None and existing.get("GatewayId") == "local":
            ec2.replace_route(RouteTableId=table_id, **parameters)
        else:
            _create_route(call, table_id, parameters)
        call.wait_until(
            f"the route to {destination} is in {table_id}",
            lambda: bool(self._find(ec2, table_id, destination)),
            300,
        )
        return self._id(table_id, destination)

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        ec2 = call.client("ec2")
        table_id, destination = self._place(ec2, resource_id, state)
        route = self._find(ec2, table_id, destination)
        if route is None:
            return None
        return {
            "id": self._id(table_id, destination),
            **{name: str(route.get(api_name) or "") for name, api_name in _DESTINATIONS.items()},
            **_targets_of(route),
            "instanceId": route.get("InstanceId", ""),
            "instanceOwnerId": route.get("InstanceOwnerId", ""),
            "origin": route.get("Origin", ""),
            "routeTableId": table_id,
            "state": route.get("State", ""),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        if touched(changed, *_TARGETS):
            parameters = _parameters(new, _DESTINATIONS)
            retried(
                call,
                f"{new['routeTableId']} accepts the route",
                lambda: call.client("ec2").replace_route(RouteTableId=new["routeTableId"], **parameters),
                *_PASSING,
                default_timeout_seconds=120,
            )
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        ec2 = call.client("ec2")
        table_id, destination = self._place(ec2, resource_id, state)
        route = self._find(ec2, table_id, destination)
        if route is None or route.get("GatewayId") == "local":
            return
        unless_absent(
            lambda: ec2.delete_route(
                RouteTableId=table_id,
                **{name: route[name] for name in _DESTINATIONS.values() if route.get(name)},
            ),
            _NO_ROUTE,
            *_NO_TABLE,
        )

    @staticmethod
    def _id(table_id: str, destination: str) -> str:
        return f"r-{table_id}{zlib.crc32(destination.encode())}"

    def _place(self, ec2: Any, resource_id: str, state: Inputs) -> tuple[str, str]:
        """The table and the destination: from the state, from an import's id, or found by the checksum."""
        if state.get("routeTableId") and _destination(state, _DESTINATIONS):
            return str(state["routeTableId"]), _destination(state, _DESTINATIONS)
        if not resource_id.startswith("r-"):
            table_id, _, destination = resource_id.partition("_")
            return table_id, destination
        for table in ec2.describe_route_tables()["RouteTables"]:
            table_id = str(table["RouteTableId"])
            for route in table.get("Routes", []):
                destination = next((str(route[n]) for n in _DESTINATIONS.values() if route.get(n)), "")
                if self._id(table_id, destination) == resource_id:
                    return table_id, destination
        return "", ""

    @staticmethod
    def _find(ec2: Any, table_id: str, destination: str) -> dict[str, Any] | None:
        if not table_id:
            return None
        for route in (_find_table(ec2, table_id) or {}).get("Routes", []):
            if destination in {route.get(api_name) for api_name in _DESTINATIONS.values()}:
                return dict(route)
        return None


class RouteTableAssociation(Resource):
    """EC2 gives a moved association a new id, which the engine can't follow: it is found by what it joins."""

    token = "aws:ec2/routeTableAssociation:RouteTableAssociation"

    def create(self, call: Call, inputs: Inputs) -> str:
        ec2 = call.client("ec2")
        joined = {"SubnetId": inputs.get("subnetId"), "GatewayId": inputs.get("gatewayId")}
        answer = retried(
            call,
            "the subnet and the route table are there",
            lambda: ec2.associate_route_table(
                RouteTableId=inputs["routeTableId"],
                **{name: resource_id for name, resource_id in joined.items() if resource_id},
            ),
            "InvalidSubnetID.NotFound",
            *_NO_TABLE,
            default_timeout_seconds=60,
        )
        return str(answer["AssociationId"])

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        association = self._find(call.client("ec2"), resource_id, state)
        if association is None:
            return None
        return {
            "gatewayId": association.get("GatewayId", ""),
            "routeTableId": association["RouteTableId"],
            "subnetId": association.get("SubnetId", ""),
            "id": association["RouteTableAssociationId"],
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        ec2 = call.client("ec2")
        association = self._find(ec2, resource_id, old)
        if association is None or association["RouteTableId"] == new["routeTableId"]:
            return None
        moved = ec2.replace_route_table_association(
            AssociationId=association["RouteTableAssociationId"], RouteTableId=new["routeTableId"]
        )
        return str(moved["NewAssociationId"])

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        ec2 = call.client("ec2")
        if association := self._find(ec2, resource_id, state):
            _disassociate(ec2, association["RouteTableAssociationId"])

    @staticmethod
    def _find(ec2: Any, resource_id: str, state: Inputs) -> dict[str, Any] | None:
        """By id, or by the subnet or gateway; an import names `SUBNET/TABLE`."""
        joined = {state.get("subnetId"), state.get("gatewayId")} - {None, ""}
        if "/" in resource_id:
            joined.add(resource_id.partition("/")[0])
        name, values = (
            ("subnet-id", sorted(map(str, joined)))
            if joined
            else ("route-table-association-id", [resource_id])
        )
        if joined and any(str(value).startswith(("igw-", "vgw-")) for value in joined):
            name = "gateway-id"
        filters = [{"Name": f"association.{name}", "Values": values}]
        for table in ec2.describe_route_tables(Filters=filters)["RouteTables"]:
            for association in table.get("Associations", []):
                members = {association.get("SubnetId"), association.get("GatewayId")} - {None, ""}
                own = members & joined if joined else association["RouteTableAssociationId"] == resource_id
                if own and association.get("AssociationState", {}).get("State") != "disassociated":
                    return dict(association)
        return None


def _disassociate(ec2: Any, association_id: str) -> None:
    unless_absent(
        lambda: ec2.disassociate_route_table(AssociationId=association_id), "InvalidAssociationID.NotFound"
    )
