"""The subnets of `awsx:ec2:Vpc`: which exist in which zone, and whether they fit together.

Pure functions over plain values; nothing here knows Pulumi. The program gives every range itself: the layouts
that awsx works out from masks and sizes aren't stood in for, nor subnets neither public nor private.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.plugins.awsx.values import ComponentError, only

NAT_GATEWAY_STRATEGIES = ("None", "Single", "OnePerAz")
_TYPES = ("Public", "Private")


@dataclass(frozen=True)
class Subnet:
    """One subnet in one zone; `name` is its resource's and its tag's."""

    type: str
    zone: str
    name: str
    cidr_block: str


def planned(vpc: str, zones: Sequence[str], specs: Sequence[Mapping[str, Any]]) -> list[Subnet]:
    """Return the subnets, zone by zone in the order of `subnetSpecs`.

    Raises ComponentError naming every problem of the specs.
    """
    problems = []
    for index, spec in enumerate(specs):
        only(f"subnetSpecs[{index}]", spec, ("cidrBlocks", "type"))
        if spec.get("type") not in _TYPES:
            problems.append(
                f"subnetSpecs[{index}] has the type {spec.get('type')}, not {' or '.join(_TYPES)}"
            )
        blocks = spec.get("cidrBlocks") or []
        if len(blocks) != len(zones):
            problems.append(
                f"subnetSpecs[{index}] has {len(blocks)} cidrBlocks, "
                f"but there are {len(zones)} availability zones"
            )
    if len({spec.get("type") for spec in specs}) < len(specs):
        problems.append("subnetSpecs has several specs of one type")
    if problems:
        raise ComponentError(f"subnetSpecs are refused: {'; '.join(problems)}")
    subnets = [
        Subnet(spec["type"], zone, f"{vpc}-{spec['type'].lower()}-{nth + 1}", spec["cidrBlocks"][nth])
        for nth, zone in enumerate(zones)
        for spec in specs
    ]
    _check_overlaps(subnets)
    return subnets


def check_nat_gateways(strategy: str, subnets: Sequence[Subnet]) -> None:
    """Refuse an unknown strategy, and gateways without public subnets for them or private ones to serve."""
    if strategy not in NAT_GATEWAY_STRATEGIES:
        raise ComponentError(
            f'natGateways.strategy "{strategy}" is unknown; choose {", ".join(NAT_GATEWAY_STRATEGIES)}'
        )
    if strategy != "None" and {subnet.type for subnet in subnets} != set(_TYPES):
        raise ComponentError(
            f'natGateways.strategy "{strategy}" needs public subnets and private ones; '
            'add them to subnetSpecs or set the strategy to "None"'
        )


def _check_overlaps(subnets: Sequence[Subnet]) -> None:
    ranges = [(subnet, _network(subnet.cidr_block)) for subnet in subnets]
    overlapping = [
        f"{subnet.name} ({subnet.cidr_block})"
        for subnet, network in ranges
        if any(other is not subnet and taken.overlaps(network) for other, taken in ranges)
    ]
    if overlapping:
        raise ComponentError(f"subnets overlap: {', '.join(overlapping)}; give each a range of its own")


def _network(cidr_block: str) -> ipaddress.IPv4Network:
    try:
        return ipaddress.IPv4Network(cidr_block, strict=False)
    except ValueError as error:
        raise ComponentError(
            f'"{cidr_block}" is not an IPv4 range: {error}; write it as 10.0.0.0/16'
        ) from None
