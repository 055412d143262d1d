"""Address ranges: which peers of a security group's rule lie outside the VPC, and which ports a rule opens.

Security groups are written in three ways (inline, the old standalone rule, the new one per direction); this
module reads them all into one shape. What is allowed is the rules' business.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from .resources import Resource
from .values import State, Value

SECURITY_GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
DEFAULT_SECURITY_GROUP: Final = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
SECURITY_GROUP_RULE: Final = "aws:ec2/securityGroupRule:SecurityGroupRule"
INGRESS_RULE: Final = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
INGRESS_TYPES: Final = (SECURITY_GROUP, DEFAULT_SECURITY_GROUP, SECURITY_GROUP_RULE, INGRESS_RULE)

PRIVATE_RANGES: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")


@dataclass(frozen=True, slots=True)
class Ingress:
    """One rule that lets traffic in: its peers' address ranges, and the ports it opens."""

    path: str
    cidrs: tuple[Value, ...]
    prefix_lists: tuple[Value, ...]
    protocol: Value
    from_port: Value
    to_port: Value
    description: Value

    @property
    def all_ports(self) -> bool:
        protocol = self.protocol.text()
        number = self.protocol.integer()
        return protocol in ("-1", "all") or number == -1

    @property
    def unknown_ports(self) -> bool:
        """Whether only the update will know what the rule opens."""
        return self.protocol.unknown or self.from_port.unknown or self.to_port.unknown

    def ports_shown(self) -> str:
        if self.all_ports:
            return "all ports"
        low, high = self.from_port.shown(), self.to_port.shown()
        return f"port {low}" if low == high else f"ports {low} to {high}"


def ingress_of(resource: Resource) -> Iterator[Ingress]:
    """The inbound rules that a resource of one of `INGRESS_TYPES` states."""
    kind = resource.canonical_type
    if kind in (SECURITY_GROUP, DEFAULT_SECURITY_GROUP):
        for block in resource["ingress"].items():
            yield _classic(block, block.path)
    elif kind == SECURITY_GROUP_RULE:
        if resource["type"].text() != "egress":
            yield _classic(resource.props, "")
    elif kind == INGRESS_RULE:
        yield Ingress(
            path="",
            cidrs=tuple(v for v in (resource["cidrIpv4"], resource["cidrIpv6"]) if not v.missing),
            prefix_lists=tuple(v for v in (resource["prefixListId"],) if not v.missing),
            protocol=resource["ipProtocol"],
            from_port=resource["fromPort"],
            to_port=resource["toPort"],
            description=resource["description"],
        )


def _classic(block: Value, path: str) -> Ingress:
    if not block.is_object:
        unreadable = Value(
            State.UNKNOWN if block.unknown else State.UNREADABLE, None, block.path, block.secret
        )
        return Ingress(path, (unreadable,), (), unreadable, unreadable, unreadable, unreadable)
    return Ingress(
        path=path,
        cidrs=(*block["cidrBlocks"].items(), *block["ipv6CidrBlocks"].items()),
        prefix_lists=tuple(block["prefixListIds"].items()),
        protocol=block["protocol"],
        from_port=block["fromPort"],
        to_port=block["toPort"],
        description=block["description"],
    )


def network_of(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The address range that a text names; None when it names none."""
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def _inside(
    inner: ipaddress.IPv4Network | ipaddress.IPv6Network,
    outer: ipaddress.IPv4Network | ipaddress.IPv6Network | None,
) -> bool:
    if isinstance(inner, ipaddress.IPv4Network):
        return isinstance(outer, ipaddress.IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, ipaddress.IPv6Network) and inner.subnet_of(outer)


def within(cidr: str, ranges: Sequence[str]) -> bool:
    """Whether every address of a range lies in one of the given ranges; a malformed one doesn't."""
    network = network_of(cidr)
    return network is not None and any(_inside(network, network_of(text)) for text in ranges)


def everyone(cidr: str) -> bool:
    """Whether a range is so wide that it stands for the whole internet: half of it or more."""
    network = network_of(cidr)
    return network is not None and network.prefixlen <= 1
