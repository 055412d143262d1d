"""Keeps a stack whole: where part of it is protected against deletion, `pulumi destroy` deletes none of it.

The engine evaluates `protect` resource by resource as it deletes, dependents first, so with `--skip-preview`
everything that nothing protected depends on is gone when it meets the first protected one. Where a deletion
fails, what the resource depends on isn't deleted either: so here is a component that depends on all others.
Source: `erroredDeps` in
https://github.com/pulumi/pulumi/blob/master/pkg/resource/deploy/deployment_executor.go
"""

from __future__ import annotations

import asyncio

import pulumi

STACK_PROTECTION = "fileflow:stack:StackProtection"


class StackProtection(pulumi.ComponentResource):
    """Is deleted before all that the program makes from now on, or keeps it while `protect` is true.

    It stays in the program when `protect` becomes false: an `up` without it would be refused.
    """

    def __init__(self, name: str, *, protect: bool, opts: pulumi.ResourceOptions | None = None) -> None:
        made: list[pulumi.Resource] = []

        def collect(args: pulumi.ResourceTransformationArgs) -> None:
            if args.resource is not self:
                made.append(args.resource)

        async def everything() -> list[pulumi.Resource]:
            # A remote component's resources join when it has answered, so this goes on until none does.
            known = 0
            while known < len(made):
                further, known = made[known:], len(made)
                await asyncio.gather(*(each.urn.future() for each in further))
            # Components have nothing to delete.
            return [each for each in made if isinstance(each, pulumi.CustomResource)]

        pulumi.runtime.register_stack_transformation(collect)
        own = pulumi.ResourceOptions(depends_on=pulumi.Output.from_input(everything()), protect=protect)
        super().__init__(STACK_PROTECTION, name, None, pulumi.ResourceOptions.merge(opts, own))
        self.register_outputs({})
