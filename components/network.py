"""The VPC and subnets of an environment: made here, or found.

Owns the choice between the two. Doesn't own security groups: each service has its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi
import pulumi_aws as aws
import pulumi_awsx as awsx

from components.aws_rules import check_private_range, check_resource_ids, check_tags
from components.options import Placement
from components.validation import (
    InvalidArgumentError,
    all_mistakes,
    check_choice,
    check_cidr_block,
    check_range,
    refuse,
)

NETWORK = "fileflow:ec2:Network"


@dataclass(frozen=True, kw_only=True)
class NewVpc:
    """A VPC of the environment's own.

    10.20.0.0/16 over two availability zones by default, private subnets reaching out through one NAT
    gateway (`SINGLE`); `ONE_PER_AZ` survives the loss of a zone at that price, `NONE` leaves private
    subnets without a way out.
    """

    cidr_block: str = "10.20.0.0/16"
    number_of_availability_zones: int = 2
    nat_gateway_strategy: Literal["NONE", "SINGLE", "ONE_PER_AZ"] = "SINGLE"

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


class Network(pulumi.ComponentResource):
    """Where services live: private subnets for tasks, public ones for load balancers."""

    vpc_id: pulumi.Output[str]
    private_subnet_ids: pulumi.Output[Sequence[str]]
    public_subnet_ids: pulumi.Output[Sequence[str]]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(NETWORK, name, None, opts)
        cidr_block: pulumi.Input[str]
        if isinstance(args.vpc, NewVpc):
            vpc = awsx.ec2.Vpc(
                name,
                cidr_block=args.vpc.cidr_block,
                number_of_availability_zones=args.vpc.number_of_availability_zones,
                enable_dns_hostnames=True,
                nat_gateways=awsx.ec2.NatGatewayConfigurationArgs(
                    strategy=awsx.ec2.NatGatewayStrategy[args.vpc.nat_gateway_strategy]
                ),
                subnet_strategy=awsx.ec2.SubnetAllocationStrategy.AUTO,
                tags=args.tags,
                opts=pulumi.ResourceOptions(parent=self),
            )
            self.vpc_id = vpc.vpc_id
            self.private_subnet_ids = vpc.private_subnet_ids
            self.public_subnet_ids = vpc.public_subnet_ids
            cidr_block = args.vpc.cidr_block
        else:
            found = aws.ec2.get_vpc_output(
                id=args.vpc.vpc_id, tags=args.vpc.vpc_tags, opts=pulumi.InvokeOutputOptions(parent=self)
            )
            self.vpc_id = found.id
            self.private_subnet_ids = self._subnets(args.vpc.private_subnet_ids, args.vpc.private_subnet_tags)
            self.public_subnet_ids = self._subnets(args.vpc.public_subnet_ids, args.vpc.public_subnet_tags)
            cidr_block = found.cidr_block.apply(_private)
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
