"""The address arithmetic of `awsx:ec2:Vpc`: which subnets exist in which zone, and with which IPv4 range.

Pure functions over plain values; nothing here knows Pulumi. Each subnet strategy of the real provider keeps
its own layout, gaps and oddities included, because a different range replaces a subnet.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

SubnetStrategy = Literal["Legacy", "Auto", "AutoMerge", "Exact"]
NameTagStrategy = Literal["Legacy", "AvailabilityZone"]

_IPV4_BITS = 32
_SMALLEST_DEFAULT_ZONE_MASK = 26
_SMALLEST_SUBNET_MASK = 30
_DEFAULT_TYPES = ("Private", "Public")
_REGION_OF_ZONE = re.compile(r"^[a-z]{2}(?:-[a-z]+)+-")


class SubnetError(Exception):
    """Arguments of `awsx:ec2:Vpc` that are refused; the message names field, value, rule and fix."""


@dataclass(frozen=True, kw_only=True)
class SubnetSpec:
    """One entry of `subnetSpecs`: one subnet per availability zone."""

    type: str
    name: str | None = None
    cidr_mask: int | None = None
    size: int | None = None
    cidr_blocks: tuple[str, ...] | None = None
    assign_ipv6_address_on_creation: Any = None
    tags: Any = None

    @classmethod
    def from_inputs(cls, inputs: Mapping[str, Any]) -> SubnetSpec:
        """Read one `subnetSpecs` entry under Pulumi's names. Numbers arrive as floating point."""
        cidr_mask, size, blocks = inputs.get("cidrMask"), inputs.get("size"), inputs.get("cidrBlocks")
        return cls(
            type=inputs["type"],
            name=inputs.get("name"),
            cidr_mask=None if cidr_mask is None else int(cidr_mask),
            size=None if size is None else int(size),
            cidr_blocks=None if blocks is None else tuple(blocks),
            assign_ipv6_address_on_creation=inputs.get("assignIpv6AddressOnCreation"),
            tags=inputs.get("tags"),
        )

    def is_type(self, name: str) -> bool:
        """Whether this is a subnet of the type; the real provider compares without case."""
        return self.type.lower() == name.lower()


@dataclass(frozen=True, kw_only=True)
class Subnet:
    """One subnet in one zone. `cidr_block` is text, or an output of it when IPAM chooses the VPC's range."""

    type: str
    zone: str
    resource_name: str
    name_tag: str
    cidr_block: Any
    assign_ipv6_address_on_creation: Any = None
    tags: Any = field(default=None)

    def is_type(self, name: str) -> bool:
        """Whether this is a subnet of the type, compared without case."""
        return self.type.lower() == name.lower()


def zone_suffix(zone: str) -> str:
    """Return what names a zone within its region: `1a` of `us-east-1a`, or all of a name of another form."""
    return _REGION_OF_ZONE.sub("", zone)


def check_zone_suffixes(zones: Sequence[str]) -> None:
    """Refuse zones that would give two subnets one `Name` tag under the strategy AvailabilityZone."""
    zone_of_suffix: dict[str, str] = {}
    for zone in zones:
        suffix = zone_suffix(zone)
        if suffix in zone_of_suffix:
            raise SubnetError(
                f'subnetNameTagStrategy "AvailabilityZone" needs zones with different suffixes, but '
                f'"{zone_of_suffix[suffix]}" and "{zone}" both end in "{suffix}"; '
                "list other availabilityZoneNames"
            )
        zone_of_suffix[suffix] = zone


def _subnet(
    vpc: str,
    spec: SubnetSpec,
    zones: Sequence[str],
    index: int,
    strategy: NameTagStrategy,
    *,
    cidr_block: Any,
    type: str,
) -> Subnet:
    stem = f"{vpc}-{spec.name if spec.name is not None else spec.type.lower()}"
    zone = zones[index]
    return Subnet(
        type=type,
        zone=zone,
        # The index-based name under either strategy: a tag must never change a resource's identity.
        resource_name=f"{stem}-{index + 1}",
        name_tag=f"{stem}-{zone_suffix(zone) if strategy == 'AvailabilityZone' else index + 1}",
        cidr_block=cidr_block,
        assign_ipv6_address_on_creation=spec.assign_ipv6_address_on_creation,
        tags=spec.tags,
    )


# -- what a list of specs must satisfy ------------------------------------------------------------------


def normalize_specs(specs: Sequence[SubnetSpec] | None, zone_count: int) -> list[SubnetSpec] | None:
    """Check `subnetSpecs` as a whole and fill in mask and size from one another.

    Raises SubnetError naming every problem found.
    """
    if specs is None:
        return None
    problems = [*_name_problems(specs), *_size_problems(specs)]
    if any(spec.cidr_blocks is not None for spec in specs):
        for index, spec in enumerate(specs):
            problems.extend(_explicit_problems(index, spec, zone_count))
        normalized = list(specs)
    else:
        normalized = []
        for spec in specs:
            mask = spec.cidr_mask
            if mask is None and spec.size and _is_subnet_size(spec.size):
                mask = _mask_of_size(spec.size)
            size = 2 ** (_IPV4_BITS - mask) if mask and mask <= _SMALLEST_SUBNET_MASK else None
            if spec.size is not None and size is not None and size != spec.size:
                problems.append(f"size {spec.size} contradicts cidrMask {mask}, whose size is {size}")
            normalized.append(replace(spec, cidr_mask=mask, size=size))
    if problems:
        raise SubnetError("subnetSpecs are refused: " + "; ".join(problems))
    return normalized


def is_explicit(specs: Sequence[SubnetSpec] | None) -> bool:
    """Whether the specs give every range themselves."""
    return specs is not None and any(spec.cidr_blocks is not None for spec in specs)


def _name_problems(specs: Sequence[SubnetSpec]) -> list[str]:
    problems = []
    for type_name in dict.fromkeys(spec.type.lower() for spec in specs):
        names = [spec.name for spec in specs if spec.type.lower() == type_name]
        named = [name for name in names if name is not None]
        if len(names) - len(named) > 1 or len(set(named)) < len(named):
            problems.append(
                f'several specs of type "{type_name}" need different names, and only one may have none'
            )
    return problems


def _is_subnet_size(size: int) -> bool:
    return 4 <= size <= 2**_IPV4_BITS and size & (size - 1) == 0


def _mask_of_size(size: int) -> int:
    return _IPV4_BITS - (size.bit_length() - 1)


def _size_problems(specs: Sequence[SubnetSpec]) -> list[str]:
    wrong = [str(spec.size) for spec in specs if spec.size is not None and not _is_subnet_size(spec.size)]
    return [f"size {', '.join(wrong)} is not a power of two from 4 to 4294967296"] if wrong else []


def _explicit_problems(index: int, spec: SubnetSpec, zone_count: int) -> list[str]:
    if spec.cidr_blocks is None:
        return [f"subnetSpecs[{index}] has no cidrBlocks; give them to every spec or to none"]
    if len(spec.cidr_blocks) != zone_count:
        return [
            f"subnetSpecs[{index}] has {len(spec.cidr_blocks)} cidrBlocks, "
            f"but there are {zone_count} availability zones"
        ]
    networks = [_network(block) for block in spec.cidr_blocks]
    if spec.cidr_mask is not None and any(network.prefixlen != spec.cidr_mask for network in networks):
        return [
            f"subnetSpecs[{index}] has cidrMask {spec.cidr_mask}, which is not the mask of all its cidrBlocks"
        ]
    if spec.size is not None and any(network.num_addresses != spec.size for network in networks):
        return [f"subnetSpecs[{index}] has size {spec.size}, which is not the size of all its cidrBlocks"]
    return []


# -- the strategies -------------------------------------------------------------------------------------


def legacy_subnets(
    vpc: str,
    vpc_cidr: str,
    zones: Sequence[str],
    specs: Sequence[SubnetSpec] | None,
    name_tags: NameTagStrategy = "Legacy",
) -> list[Subnet]:
    """Lay out `Legacy`: an equal part of the VPC for each zone; private first, then public, then isolated."""
    zone_bits = (len(zones) - 1).bit_length() if zones else 0
    zone_blocks = [_subdivide(vpc_cidr, zone_bits, index) for index in range(len(zones))]
    if specs is None:
        return _legacy_default(vpc, zones, zone_blocks, name_tags)
    zone_mask = _mask(zone_blocks[0]) if zone_blocks else 0
    # A lone subnet may take the whole of its zone; otherwise at least a private and a public one share it.
    default_mask = zone_mask + (0 if len(specs) == 1 else 1)
    subnets: list[Subnet] = []
    for index, zone_block in enumerate(zone_blocks):
        previous = _block(_address(zone_block) - 1, _IPV4_BITS)  # the address before the zone
        last: str | None = None
        for type_name, smallest_mask in (("Private", 19), ("Public", 20), ("Isolated", 24)):
            # Within a type every candidate counts from where the previous type ended.
            base = zone_block if last is None else _subdivide(last, 0, 1)
            base_mask = _mask(zone_block if last is None else last)
            for nth, spec in enumerate(spec for spec in specs if spec.is_type(type_name)):
                mask = spec.cidr_mask if spec.cidr_mask is not None else max(default_mask, smallest_mask)
                block = _subdivide(base, mask - base_mask, nth)
                if _overlap(previous, block):
                    block = _next_block(_last(previous), mask)
                subnets.append(_subnet(vpc, spec, zones, index, name_tags, cidr_block=block, type=type_name))
                last = previous = block
    return subnets


def _legacy_default(
    vpc: str, zones: Sequence[str], zone_blocks: Sequence[str], name_tags: NameTagStrategy
) -> list[Subnet]:
    private_blocks = [_subdivide(block, 1, 0) for block in zone_blocks]
    public_blocks = [_subdivide(_subdivide(block, 0, 1), 1, 0) for block in private_blocks]
    return [
        _subnet(vpc, SubnetSpec(type=type_name), zones, index, name_tags, cidr_block=block, type=type_name)
        for type_name, blocks in (("Private", private_blocks), ("Public", public_blocks))
        for index, block in enumerate(blocks)
    ]


def zone_mask(vpc_cidr: str, zone_count: int, zone_cidr_mask: int | None) -> int:
    """Return the mask of a zone's part of the VPC: `availabilityZoneCidrMask`, else an even division."""
    return (
        zone_cidr_mask if zone_cidr_mask is not None else _network(vpc_cidr).prefixlen + _bits_for(zone_count)
    )


def with_block(subnet: Subnet, cidr_block: Any) -> Subnet:
    """Return the subnet with another range."""
    return replace(subnet, cidr_block=cidr_block)


def auto_blocks(
    vpc_cidr: str, zone_count: int, specs: Sequence[SubnetSpec] | None, zone_cidr_mask: int | None
) -> list[list[str]]:
    """Lay out `Auto` and `Exact`: for each zone, the range of each spec in the order given."""
    vpc = _network(vpc_cidr)
    mask_of_zone = zone_mask(vpc_cidr, zone_count, zone_cidr_mask)
    chosen = list(specs) if specs is not None else default_specs(mask_of_zone)
    if not chosen:
        raise SubnetError(
            "subnetSpecs is empty; leave it out for the default layout, or name at least one subnet"
        )
    default_mask = mask_of_zone + _bits_for(len(chosen))
    masks = [spec.cidr_mask if spec.cidr_mask is not None else default_mask for spec in chosen]
    if max([mask_of_zone, *masks]) > _IPV4_BITS:
        raise SubnetError(
            f"the VPC's range {vpc_cidr} is too small for {zone_count} zones of {len(chosen)} subnets each"
        )
    needed, available = sum(2 ** (_IPV4_BITS - mask) for mask in masks), 2 ** (_IPV4_BITS - mask_of_zone)
    if needed > available:
        raise SubnetError(
            f"subnetSpecs need {needed} addresses in each availability zone, "
            f"but the VPC's range {vpc_cidr} has {available}; "
            "make the subnets smaller or the VPC larger"
        )
    blocks = []
    for zone_index in range(zone_count):
        zone_start = int(vpc.network_address) + zone_index * available
        zone_blocks: list[str] = []
        for mask in masks:
            zone_blocks.append(
                _next_block(_last(zone_blocks[-1]), mask) if zone_blocks else _block(zone_start, mask)
            )
        blocks.append(zone_blocks)
    return blocks


def auto_subnets(
    vpc: str,
    zones: Sequence[str],
    specs: Sequence[SubnetSpec] | None,
    cidr_block_of: Any,
    name_tags: NameTagStrategy = "Legacy",
) -> list[Subnet]:
    """Name the subnets of `Auto`, `AutoMerge` and `Exact`.

    `cidr_block_of(zone index, spec index)` gives each range.
    """
    chosen = specs if specs is not None else [SubnetSpec(type=type_name) for type_name in _DEFAULT_TYPES]
    return [
        _subnet(vpc, spec, zones, zone, name_tags, cidr_block=cidr_block_of(zone, nth), type=spec.type)
        for zone in range(len(zones))
        for nth, spec in enumerate(chosen)
    ]


def merge_with_default_specs(
    specs: Sequence[SubnetSpec], mask_of_zone: int | None = None
) -> list[SubnetSpec]:
    """Lay `AutoMerge`'s specs over the default private and public ones; others are added after them.

    Without `mask_of_zone` the defaults carry no mask of their own.
    """
    defaults = (
        [SubnetSpec(type=type_name) for type_name in _DEFAULT_TYPES]
        if mask_of_zone is None
        else default_specs(mask_of_zone)
    )
    overrides: dict[str, SubnetSpec] = {}
    extra = []
    for spec in specs:
        type_name = spec.type.lower()
        if spec.name is not None or type_name not in {default.type.lower() for default in defaults}:
            extra.append(spec)
        elif type_name in overrides:
            raise SubnetError(
                f'several subnetSpecs of type "{type_name}" need different names, and only one may have none'
            )
        else:
            overrides[type_name] = spec
    # An override without a mask clears the default's too: the real provider's normalised spec has the key.
    return [overrides.get(default.type.lower(), default) for default in defaults] + extra


def default_specs(mask_of_zone: int) -> list[SubnetSpec]:
    """Return the default private and public specs: half and a quarter of the zone, or of a /16."""
    if mask_of_zone > _SMALLEST_DEFAULT_ZONE_MASK:
        raise SubnetError(
            f"default subnets need at least a /26 for each zone, but a /{mask_of_zone} is there; "
            "make the VPC larger, use fewer zones or give subnetSpecs"
        )
    return [
        SubnetSpec(type=name, cidr_mask=max(mask_of_zone, 16) + nth + 1)
        for nth, name in enumerate(_DEFAULT_TYPES)
    ]


def explicit_subnets(
    vpc: str, zones: Sequence[str], specs: Sequence[SubnetSpec], name_tags: NameTagStrategy = "Legacy"
) -> list[Subnet]:
    """Lay out specs that give their own `cidrBlocks`, one for each zone."""
    return auto_subnets(
        vpc, zones, specs, lambda zone, nth: cast(tuple[str, ...], specs[nth].cidr_blocks)[zone], name_tags
    )


# -- what a layout must satisfy -------------------------------------------------------------------------


def check_overlaps(subnets: Sequence[Subnet]) -> None:
    """Refuse a layout in which two subnets share an address."""
    overlapping = [
        subnet
        for subnet in subnets
        if any(other is not subnet and _overlap(other.cidr_block, subnet.cidr_block) for other in subnets)
    ]
    if overlapping:
        listed = ", ".join(f"{subnet.resource_name} ({subnet.cidr_block})" for subnet in overlapping)
        raise SubnetError(
            f"subnets overlap: {listed}; make the cidrBlock larger, the subnets smaller or the zones fewer"
        )


def check_no_gaps(vpc_cidr: str, subnets: Sequence[Subnet]) -> None:
    """Refuse, for `Exact`, a layout that doesn't account for the VPC's whole range in order."""
    vpc = _network(vpc_cidr)
    gaps = []
    expected = int(vpc.network_address)
    previous = f"the start of the VPC ({vpc_cidr})"
    for subnet in subnets:
        network = _network(subnet.cidr_block)
        if int(network.network_address) != expected:
            gaps.append(f"between {previous} and {subnet.resource_name} ({subnet.cidr_block})")
        expected = int(network.broadcast_address) + 1
        previous = f"{subnet.resource_name} ({subnet.cidr_block})"
    if expected != int(vpc.broadcast_address) + 1:
        gaps.append(f"between {previous} and the end of the VPC ({vpc_cidr})")
    if gaps:
        raise SubnetError(
            f'subnetStrategy "Exact" must cover the whole VPC, but there is a gap {", ".join(gaps)}; '
            'add specs of type "Unused" for them'
        )


def check_nat_subnets(strategy: str, subnets: Sequence[Subnet]) -> None:
    """Refuse a NAT gateway strategy without public subnets to hold the gateways and others to use them."""
    if strategy.lower() == "none":
        return
    has_public = any(subnet.is_type("Public") for subnet in subnets)
    has_inner = any(subnet.is_type("Private") or subnet.is_type("Isolated") for subnet in subnets)
    if not (has_public and has_inner):
        raise SubnetError(
            f'natGateways.strategy "{strategy}" needs public subnets and private or isolated ones; '
            'add them to subnetSpecs or set the strategy to "None"'
        )


def check_elastic_ips(strategy: str, allocation_count: int, zone_count: int) -> None:
    """Refuse an unknown NAT gateway strategy, or a number of `elasticIpAllocationIds` that doesn't fit it."""
    known = strategy.lower()
    if known not in {"none", "single", "oneperaz"}:
        raise SubnetError(f'natGateways.strategy "{strategy}" is unknown; choose None, Single or OnePerAz')
    allowed = {"none": {0}, "single": {0, 1}, "oneperaz": {0, zone_count}}[known]
    if allocation_count not in allowed:
        wanted = "none" if known == "none" else f"{max(allowed)}"
        raise SubnetError(
            f"natGateways.elasticIpAllocationIds has {allocation_count} entries, "
            f'but strategy "{strategy}" takes {wanted}'
        )


# -- the layout as an output ----------------------------------------------------------------------------


def resolved_layout(subnets: Sequence[Subnet], zone_count: int) -> list[dict[str, Any]]:
    """Describe one zone's layout as specs, with `Unused` ones for gaps, the way `subnetLayout` shows it.

    Takes the first `len(subnets) / zone_count` subnets for one zone's. Under the default Legacy layout,
    which lists all private subnets before the public ones, they belong to several zones, as in the real one.
    """
    layout: list[dict[str, Any]] = []
    previous: ipaddress.IPv4Network | None = None
    for subnet in subnets[: len(subnets) // zone_count if zone_count else 0]:
        network = _network(subnet.cidr_block)
        if previous is not None:
            layout.extend({"type": "Unused", "cidrMask": gap.prefixlen} for gap in _gaps(previous, network))
        layout.append({"type": subnet.type, "cidrMask": network.prefixlen})
        previous = network
    return layout


def spec_layout(specs: Sequence[SubnetSpec]) -> list[dict[str, Any]]:
    """Describe given specs the way `subnetLayout` shows them."""
    shown = (
        {
            "name": spec.name,
            "cidrBlocks": list(spec.cidr_blocks) if spec.cidr_blocks else None,
            "cidrMask": spec.cidr_mask,
            "size": spec.size,
            "type": spec.type,
        }
        for spec in specs
    )
    return [{key: value for key, value in spec.items() if value} for spec in shown]


def _gaps(one: ipaddress.IPv4Network, other: ipaddress.IPv4Network) -> list[ipaddress.IPv4Network]:
    start, end = sorted((one, other), key=lambda network: int(network.network_address))
    gaps: list[ipaddress.IPv4Network] = []
    previous, following = one, _after(start)
    while int(following.network_address) < int(end.network_address):
        while following.prefixlen > 0:
            wider = following.supernet()
            if _host_address(previous, last=True) in wider or _host_address(end, last=False) in wider:
                break
            following = wider
        gaps.append(following)
        previous, following = following, _after(following)
    return gaps


def _after(network: ipaddress.IPv4Network) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network((int(network.broadcast_address) + 1, network.prefixlen))


def _host_address(network: ipaddress.IPv4Network, *, last: bool) -> ipaddress.IPv4Address:
    margin = 1 if network.prefixlen <= 30 else 0
    return network.broadcast_address - margin if last else network.network_address + margin


# -- IPv6 -----------------------------------------------------------------------------------------------


def ipv6_subnet_block(vpc_ipv6_cidr: str, index: int) -> str:
    """Return the `index`-th /64 of the VPC's /56."""
    address, _, mask = vpc_ipv6_cidr.partition("/")
    hextets = address.split(":")
    if mask != "56" or len(hextets) < 4 or not re.fullmatch("[0-9a-fA-F]{1,4}", hextets[3]):
        raise SubnetError(
            f'the VPC\'s ipv6CidrBlock "{vpc_ipv6_cidr}" must be an IPv6 /56 to be divided into subnets'
        )
    if not 0 <= index <= 0xFF:
        raise SubnetError(
            f"a VPC's /56 holds 256 subnets, but one numbered {index} was asked for; use fewer subnets"
        )
    return f"{':'.join(hextets[:3])}:{int(hextets[3], 16) & 0xFF00 | index:x}::/64"


# -- IPv4 ranges as text --------------------------------------------------------------------------------


def _network(cidr: str) -> ipaddress.IPv4Network:
    try:
        return ipaddress.IPv4Network(cidr, strict=False)
    except ValueError as error:
        raise SubnetError(f'"{cidr}" is not an IPv4 range: {error}; write it as 10.0.0.0/16') from None


def _address(cidr: str) -> int:
    _network(cidr)
    return int(ipaddress.IPv4Address(cidr.partition("/")[0]))


def _mask(cidr: str) -> int:
    return _network(cidr).prefixlen


def _last(cidr: str) -> int:
    return int(_network(cidr).broadcast_address)


def _block(address: int, mask: int) -> str:
    return str(ipaddress.IPv4Network((address, mask), strict=False))


def _overlap(one: str, other: str) -> bool:
    return _network(one).overlaps(_network(other))


def _subdivide(cidr: str, new_bits: int, nth: int) -> str:
    """Return the `nth` part of the range at `new_bits` more bits of mask; parts past its end follow on."""
    mask = _mask(cidr) + new_bits
    if mask > _IPV4_BITS:
        raise SubnetError(
            f"{cidr} can't be divided by {new_bits} bits; make the cidrBlock larger or the subnets fewer"
        )
    return f"{ipaddress.IPv4Address(_address(cidr) + nth * 2 ** (_IPV4_BITS - mask))}/{mask}"


def _next_block(last_address: int, mask: int) -> str:
    """Return the first range of the mask that starts after the address."""
    size = 2 ** (_IPV4_BITS - mask)
    return f"{ipaddress.IPv4Address((last_address // size + 1) * size)}/{mask}"


def _bits_for(count: int) -> int:
    return math.ceil(math.log2(count)) if count else 0
