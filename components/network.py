"""The VPC and subnets of an environment: made here, or found.

Owns the choice between the two, and where a new VPC's subnets lie. Doesn't own security groups: each
service has its own.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pulumi
import pulumi_aws as aws
import pulumi_awsx as awsx

from components.aws_rules import check_private_range, check_resource_ids, check_tags
from components.flow_logs import FlowLogs, create_flow_logs
from components.options import Logging, Placement
from components.refusal import refuse_after, refused, told
from components.remote_children import transforms
from components.validation import (
    InvalidArgumentError,
    all_mistakes,
    check_choice,
    check_cidr_block,
    check_range,
    refuse,
)
from components.vpc_endpoints import create_vpc_endpoints
from components.waiting import once

NETWORK = "fileflow:ec2:Network"

LONGEST_PUBLIC_PREFIX = 27
"""A load balancer takes subnets of /27 and larger.

Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
(section "Subnets for your load balancer")
"""


@dataclass(frozen=True, kw_only=True)
class NewVpc:
    """A VPC of the environment's own.

    10.20.0.0/16 over two availability zones by default, private subnets reaching out through one NAT
    gateway (`SINGLE`); `ONE_PER_AZ` survives the loss of a zone at that price, `NONE` leaves private
    subnets without a way out but to AWS. A third and a fourth zone may come and go on a running
    stack: the subnets of the other zones keep their ranges.
    Raises `InvalidArgumentError` for a range whose public subnets would be too small for a load balancer.
    """

    cidr_block: str = "10.20.0.0/16"
    number_of_availability_zones: int = 2
    availability_zone_cidr_mask: int | None = None
    """The prefix length of each zone's share of the range, half of which is the private subnet and a
    quarter the public one. By default the first two zones have half of the range each, and the third and
    the fourth lie in what those two leave free. It can't change on a running stack.
    """
    nat_gateway_strategy: Literal["NONE", "SINGLE", "ONE_PER_AZ"] = "SINGLE"
    vpc_endpoints: bool | None = None
    """Whether tasks reach S3, DynamoDB, ECR, CloudWatch Logs, KMS, Secrets Manager and SSM by endpoints
    inside the VPC: without a NAT gateway by default, since no task could pull its image otherwise. Their
    price is in docs/costs.md.
    """
    flow_logs: FlowLogs | None = None
    """Which traffic of the VPC is logged; none by default."""

    @all_mistakes
    def __post_init__(self) -> None:
        network = check_cidr_block("cidr_block", self.cidr_block)
        if network is not None:
            if not 16 <= network.prefixlen <= 24:
                refuse(
                    "cidr_block",
                    self.cidr_block,
                    "a VPC's range here is from /16 to /24",
                    "Choose another prefix length.",
                )
            check_private_range("cidr_block", self.cidr_block)
        check_range(
            "number_of_availability_zones",
            self.number_of_availability_zones,
            2,
            4,
            "the number of zones (a load balancer needs two)",
        )
        check_choice(
            "nat_gateway_strategy",
            self.nat_gateway_strategy,
            ("NONE", "SINGLE", "ONE_PER_AZ"),
            "the NAT strategy",
        )
        if self.nat_gateway_strategy == "NONE" and self.vpc_endpoints is False:
            refuse(
                "vpc_endpoints",
                False,
                "with nat_gateway_strategy NONE tasks reach ECR and CloudWatch Logs by endpoints alone",
                "Leave vpc_endpoints out, or choose another nat_gateway_strategy.",
            )
        self._check_room()

    @property
    def has_vpc_endpoints(self) -> bool:
        """Whether endpoints are made: where they are asked for, or there is no other way out."""
        return self.nat_gateway_strategy == "NONE" if self.vpc_endpoints is None else self.vpc_endpoints

    def _check_room(self) -> None:
        prefix = ipaddress.IPv4Network(self.cidr_block).prefixlen
        zones = self.number_of_availability_zones
        if self.availability_zone_cidr_mask is not None:
            check_range(
                "availability_zone_cidr_mask",
                self.availability_zone_cidr_mask,
                prefix + (1 if zones == 2 else 2),
                LONGEST_PUBLIC_PREFIX - 2,
                f"a share of {self.cidr_block} for each of {zones} zones, with a load balancer's quarter,",
            )
        public = max(block.prefixlen for block in subnet_layout(self).public)
        if public > LONGEST_PUBLIC_PREFIX:
            refuse(
                "cidr_block",
                self.cidr_block,
                f"over {zones} zones a public subnet of it is a /{public}, and a load balancer needs a "
                f"/{LONGEST_PUBLIC_PREFIX} or larger",
                f"Choose a /{prefix - (public - LONGEST_PUBLIC_PREFIX)} or larger, or fewer zones.",
            )


@dataclass(frozen=True, kw_only=True)
class SubnetLayout:
    """The ranges of a new VPC's subnets, one of each kind for each zone."""

    private: Sequence[ipaddress.IPv4Network]
    public: Sequence[ipaddress.IPv4Network]


def subnet_layout(vpc: NewVpc) -> SubnetLayout:
    """Where the subnets of `vpc` lie: half of a zone's share is private, the quarter behind it public.

    The ranges of a zone don't depend on how many zones there are: EC2 refuses a subnet that overlaps
    with one that is still there. awsx's own layout (`Auto`) cuts the range anew when a zone is added
    (https://www.pulumi.com/docs/iac/clouds/aws/guides/vpc/), so its cut for two zones is kept here, and
    further zones lie in the quarters that it leaves free.
    """
    whole = ipaddress.IPv4Network(vpc.cidr_block)
    if vpc.availability_zone_cidr_mask is not None:
        shares = list(whole.subnets(new_prefix=vpc.availability_zone_cidr_mask))
    else:
        halves = list(whole.subnets(prefixlen_diff=1))
        shares = halves + [list(half.subnets(prefixlen_diff=2))[3] for half in halves]
    zones = [list(share.subnets(prefixlen_diff=2)) for share in shares[: vpc.number_of_availability_zones]]
    return SubnetLayout(
        private=[quarters[0].supernet() for quarters in zones], public=[quarters[2] for quarters in zones]
    )


@dataclass(frozen=True, kw_only=True)
class ExistingVpc:
    """A VPC that exists already, by its id or by tags that only it has; likewise its subnets.

    Raises `InvalidArgumentError` when a thing is given both ways, or neither way.
    """

    vpc_id: str | None = None
    vpc_tags: Mapping[str, str] | None = None
    private_subnet_ids: Sequence[str] | None = None
    private_subnet_tags: Mapping[str, str] | None = None
    public_subnet_ids: Sequence[str] | None = None
    public_subnet_tags: Mapping[str, str] | None = None

    @all_mistakes
    def __post_init__(self) -> None:
        for by_id, by_tags in (
            ("vpc_id", "vpc_tags"),
            ("private_subnet_ids", "private_subnet_tags"),
            ("public_subnet_ids", "public_subnet_tags"),
        ):
            given = [name for name in (by_id, by_tags) if getattr(self, name)]
            if len(given) != 1:
                refuse(
                    by_id,
                    getattr(self, by_id),
                    f"exactly one of {by_id} and {by_tags} is given",
                    "Name one of the two.",
                )
        if self.vpc_id:
            check_resource_ids("vpc_id", [self.vpc_id], "vpc")
        check_resource_ids("private_subnet_ids", self.private_subnet_ids or (), "subnet")
        check_resource_ids("public_subnet_ids", self.public_subnet_ids or (), "subnet")
        if self.public_subnet_ids and len(self.public_subnet_ids) < 2:
            refuse(
                "public_subnet_ids",
                list(self.public_subnet_ids),
                "a load balancer needs subnets in two zones",
                "Name a second one.",
            )


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """Arguments of `Network`: a new VPC by default, or an existing one."""

    vpc: NewVpc | ExistingVpc = field(default_factory=NewVpc)
    logging: Logging = field(default_factory=Logging)
    """The key of flow logs, and whether they outlive the stack; for how many days says `FlowLogs`."""
    tags: Mapping[str, str] = field(default_factory=dict)

    @all_mistakes
    def __post_init__(self) -> None:
        check_tags("tags", self.tags)


def _private(cidr_block: str) -> str:
    """The range of a VPC that exists already, which is known as late as in the preview."""
    try:
        check_private_range("vpc_id", cidr_block)
    except InvalidArgumentError as error:
        # Shown as it is, without a traceback.
        raise pulumi.RunError(str(error)) from None
    return cidr_block


def no_public_addresses(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    """Only load balancers and NAT gateways live in public subnets, and those bring addresses of their own.

    awsx sets it on every public subnet, and has no argument for it.
    Source: https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-15
    """
    if args.type_ != "aws:ec2/subnet:Subnet":
        return None
    return pulumi.ResourceTransformResult({**args.props, "mapPublicIpOnLaunch": False}, args.opts)


class Network(pulumi.ComponentResource):
    """Where services live: private subnets for tasks, public ones for load balancers."""

    vpc_id: pulumi.Output[str]
    private_subnet_ids: pulumi.Output[Sequence[str]]
    public_subnet_ids: pulumi.Output[Sequence[str]]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(NETWORK, name, None, opts)
        cidr_block: pulumi.Input[str]
        if isinstance(args.vpc, NewVpc):
            layout = subnet_layout(args.vpc)
            vpc = awsx.ec2.Vpc(
                name,
                cidr_block=args.vpc.cidr_block,
                number_of_availability_zones=args.vpc.number_of_availability_zones,
                enable_dns_hostnames=True,
                nat_gateways=awsx.ec2.NatGatewayConfigurationArgs(
                    strategy=awsx.ec2.NatGatewayStrategy[args.vpc.nat_gateway_strategy]
                ),
                subnet_strategy=awsx.ec2.SubnetAllocationStrategy.AUTO,
                subnet_specs=[
                    awsx.ec2.SubnetSpecArgs(
                        type=awsx.ec2.SubnetType.PRIVATE, cidr_blocks=[str(each) for each in layout.private]
                    ),
                    awsx.ec2.SubnetSpecArgs(
                        type=awsx.ec2.SubnetType.PUBLIC, cidr_blocks=[str(each) for each in layout.public]
                    ),
                ],
                tags=args.tags,
                opts=pulumi.ResourceOptions(parent=self, transforms=transforms(no_public_addresses)),
            )
            refuse_after(vpc)
            kept = ranges_kept(name, args.vpc, layout, self)
            self.vpc_id = once(vpc.vpc_id, kept)
            self.public_subnet_ids = vpc.public_subnet_ids
            self.private_subnet_ids = vpc.private_subnet_ids
            # AWS's own rules let whatever has no other group talk to all that has none either.
            # https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html
            aws.ec2.DefaultSecurityGroup(
                f"{name}-default",
                vpc_id=self.vpc_id,
                tags={**args.tags, "Name": f"{name}-default"},
                opts=pulumi.ResourceOptions(parent=self),
            )
            if args.vpc.flow_logs is not None:
                create_flow_logs(name, self.vpc_id, args.vpc.flow_logs, args.logging, args.tags, self)
            if args.vpc.has_vpc_endpoints:
                self.private_subnet_ids = self._behind_endpoints(name, args.vpc, vpc, args.tags)
            cidr_block = args.vpc.cidr_block
        else:
            found = aws.ec2.get_vpc_output(
                id=args.vpc.vpc_id, tags=args.vpc.vpc_tags, opts=pulumi.InvokeOutputOptions(parent=self)
            )
            self.vpc_id = found.id
            self.private_subnet_ids = self._subnets(args.vpc.private_subnet_ids, args.vpc.private_subnet_tags)
            self.public_subnet_ids = self._subnets(args.vpc.public_subnet_ids, args.vpc.public_subnet_tags)
            cidr_block = found.cidr_block.apply(told(_private))
        self.placement = Placement(
            vpc_id=self.vpc_id, cidr_block=cidr_block, private_subnet_ids=self.private_subnet_ids
        )
        self.register_outputs(
            {
                "vpc_id": self.vpc_id,
                "private_subnet_ids": self.private_subnet_ids,
                "public_subnet_ids": self.public_subnet_ids,
            }
        )

    def _behind_endpoints(
        self, name: str, asked: NewVpc, vpc: awsx.ec2.Vpc, tags: Mapping[str, str]
    ) -> pulumi.Output[Sequence[str]]:
        """The private subnets, known when the endpoints stand: tasks that start earlier can't pull."""
        tables: pulumi.Output[Sequence[str]] = vpc.route_tables.apply(
            lambda made: pulumi.Output.all(*(table.id for table in made or ()))
        )
        endpoints = create_vpc_endpoints(
            name, self.vpc_id, asked.cidr_block, vpc.private_subnet_ids, tables, tags, self
        )
        return once(vpc.private_subnet_ids, *(each.urn for each in endpoints))

    def _subnets(
        self, ids: Sequence[str] | None, tags: Mapping[str, str] | None
    ) -> pulumi.Output[Sequence[str]]:
        if ids:
            return pulumi.Output.from_input(list(ids))
        return aws.ec2.get_subnets_output(
            filters=self.vpc_id.apply(
                lambda vpc_id: [aws.ec2.GetSubnetsFilterArgs(name="vpc-id", values=[vpc_id])]
            ),
            tags=tags,
            opts=pulumi.InvokeOutputOptions(parent=self),
        ).ids.apply(sorted)


def ranges_kept(name: str, vpc: NewVpc, layout: SubnetLayout, parent: pulumi.Resource) -> pulumi.Output[bool]:
    """Fails a preview that would cut the subnets of the running VPC `name` anew, or replace the VPC.

    EC2 refuses a subnet that overlaps with another one of its VPC, and a second NAT gateway with an address
    that the first one holds; and the engine makes the new ones before it deletes the old ones, which tasks
    live in: the run would fail halfway, and every run after it.
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNatGateway.html
    """
    options = pulumi.InvokeOutputOptions(parent=parent)
    planned = {
        f"{name}-{kind}-{zone}": str(block)
        for kind, blocks in (("private", layout.private), ("public", layout.public))
        for zone, block in enumerate(blocks, start=1)
    }
    running = aws.ec2.get_vpcs_output(
        filters=[aws.ec2.GetVpcsFilterArgs(name="tag:Name", values=[name])], opts=options
    )

    def subnets(vpc_ids: Sequence[str] | None) -> pulumi.Output[Sequence[str]]:
        if not vpc_ids:
            none: Sequence[str] = []
            return pulumi.Output.from_input(none)
        return aws.ec2.get_subnets_output(
            filters=[
                aws.ec2.GetSubnetsFilterArgs(name="vpc-id", values=list(vpc_ids)),
                aws.ec2.GetSubnetsFilterArgs(name="tag:Name", values=sorted(planned)),
            ],
            opts=options,
        ).ids

    def compared(subnet_ids: Sequence[str]) -> pulumi.Output[bool]:
        found = [aws.ec2.get_subnet_output(id=each, opts=options) for each in subnet_ids]
        if not found:
            return pulumi.Output.from_input(True)
        whole = aws.ec2.get_vpc_output(id=found[0].vpc_id, opts=options).cidr_block
        each_of = pulumi.Output.all(*(pulumi.Output.all(each.tags, each.cidr_block) for each in found))
        return pulumi.Output.all(whole, each_of).apply(told(lambda known: refuse_moved(known[0], known[1])))

    def refuse_moved(whole: str, found: Sequence[Sequence[Any]]) -> bool:
        if whole != vpc.cidr_block:
            raise refused(
                "cidr_block",
                vpc.cidr_block,
                f"{name} runs in {whole}, and a VPC keeps its range",
                f"Set network.create.cidr_block to {whole}, or end the stack and make it anew.",
            )
        moved = {
            tags["Name"]: (block, planned[tags["Name"]])
            for tags, block in found
            if block != planned[tags["Name"]]
        }
        if moved:
            subnet, (now, then) = min(moved.items())
            raise refused(
                "availability_zone_cidr_mask",
                vpc.availability_zone_cidr_mask,
                f"that would move subnet {subnet} from {now} to {then}, and subnets of a running VPC keep "
                "their ranges",
                f"Set network.create.availability_zone_cidr_mask to {cut_of(now, subnet)}, by which they "
                "were cut.",
            )
        return True

    found: pulumi.Output[Sequence[str]] = running.ids.apply(subnets)
    return found.apply(compared)


def cut_of(block: str, subnet: str) -> int:
    """The prefix length of the zone's share that a subnet of this range was cut from."""
    return ipaddress.IPv4Network(block).prefixlen - (1 if "-private-" in subnet else 2)
