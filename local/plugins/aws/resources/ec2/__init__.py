"""EC2: networks, routing, security groups, endpoints and flow logs."""

from __future__ import annotations

from ...resource import Resource
from .endpoints import FlowLog, VpcEndpoint
from .networks import Eip, InternetGateway, NatGateway, Subnet, Vpc
from .routing import Route, RouteTable, RouteTableAssociation
from .security_groups import DefaultSecurityGroup, SecurityGroup

RESOURCES: tuple[Resource, ...] = (
    DefaultSecurityGroup(),
    Eip(),
    FlowLog(),
    InternetGateway(),
    NatGateway(),
    Route(),
    RouteTable(),
    RouteTableAssociation(),
    SecurityGroup(),
    Subnet(),
    Vpc(),
    VpcEndpoint(),
)
