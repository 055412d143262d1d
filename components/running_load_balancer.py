"""Whether the load balancer that runs already can become the one that is asked for.

Scheme and VPC are fixed when a load balancer is made, so another value replaces it, and with deletion
protection AWS refuses that only after its listeners are gone. Owns the look at what runs and the refusal.
Doesn't own the load balancer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from components.refusal import refused, told
from components.web_options import LoadBalancing


def checked_scheme(
    options: LoadBalancing, vpc_id: pulumi.Input[str], parent: pulumi.Resource
) -> pulumi.Output[bool]:
    """`options.internal`, or a preview that fails because the running load balancer can't become that.

    Raises `pulumi.RunError` for a load balancer of the same name under deletion protection whose scheme or
    VPC is another one; without that protection the preview warns of the interruption.
    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
    (sections "Load balancer scheme" and "Deletion protection")
    """
    invoke = pulumi.InvokeOutputOptions(parent=parent)

    def running(arns: Sequence[str] | None) -> pulumi.Output[Any]:
        named = [arn for arn in arns or () if f":loadbalancer/app/{options.name}/" in arn]
        if not named:
            return pulumi.Output.from_input(None)
        found = aws.lb.get_load_balancer_output(arn=named[0], opts=invoke)
        return pulumi.Output.all(found.enable_deletion_protection, found.internal, found.vpc_id)

    def check(known: Sequence[Any]) -> bool:
        if known[0] is not None:
            protected, internal, runs_in = known[0]
            judge_replacement(
                options, protected=protected, internal=internal, runs_in=runs_in, wanted_vpc=known[1]
            )
        return options.internal

    arns: pulumi.Output[Sequence[str] | None] = aws.lb.get_lbs_output(opts=invoke).arns
    found = arns.apply(running)
    # A VPC that is about to be made has no id yet, and none that runs is in it.
    wanted = pulumi.Output.from_input(vpc_id).apply(
        lambda known: known if isinstance(known, str) else None, run_with_unknowns=True
    )
    return pulumi.Output.all(found, wanted).apply(told(check))


def judge_replacement(
    options: LoadBalancing, *, protected: bool, internal: bool, runs_in: str, wanted_vpc: str | None
) -> None:
    """Refuses what replaces a protected load balancer of this scheme in this VPC; else warns of it."""
    if options.internal != internal:
        argument: str = "load_balancer.internal"
        value: object = options.internal
        runs = f"{options.name} runs {'internal' if internal else 'internet-facing'}"
        cause = "another scheme replaces it"
    elif wanted_vpc != runs_in:
        argument, value = "network", wanted_vpc or "a new VPC"
        runs = f"{options.name} runs in {runs_in}"
        cause = "another VPC replaces it"
    else:
        return
    does = "interrupts the API for minutes and gives it another DNS name"
    if not protected:
        pulumi.log.warn(f"{argument} is {value!r}, but {runs}, and {cause}: this change {does}.")
        return
    raise refused(
        argument,
        value,
        f"{runs} under deletion protection, and {cause}",
        "Take two steps: set load_balancer.deletion_protection to false and run pulumi up; then make "
        f"this change, which {does}, and set it back.",
    )
