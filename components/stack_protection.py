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


class MadeResources:
    """What a program makes from here on."""

    def __init__(self) -> None:
        self._made: list[pulumi.Resource] = []
        pulumi.runtime.register_stack_transformation(self._collect)

    def _collect(self, args: pulumi.ResourceTransformationArgs) -> None:
        if not isinstance(args.resource, StackProtection):
            self._made.append(args.resource)

    async def all(self) -> list[pulumi.Resource]:
        """Those that can be deleted, once all are known to the engine; to be asked when the program is over.

        Earlier it may end too early: a function that is called in the program lets what waits go on.
        """
        known = 0
        # A remote component's resources join when it has answered, so this goes on until none does.
        while known < len(self._made):
            further, known = self._made[known:], len(self._made)
            await asyncio.gather(*(each.urn.future() for each in further))
        # Components have nothing to delete.
        return [each for each in self._made if isinstance(each, pulumi.CustomResource)]


class StackProtection(pulumi.ComponentResource):
    """Is deleted before all that was `made`, or keeps it while `protect` is true.

    The last resource of a program, in which it stays when `protect` becomes false: an `up` without it would
    be refused.
    """

    def __init__(
        self, name: str, made: MadeResources, *, protect: bool, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        own = pulumi.ResourceOptions(depends_on=pulumi.Output.from_input(made.all()), protect=protect)
        super().__init__(STACK_PROTECTION, name, None, pulumi.ResourceOptions.merge(opts, own))
        self.register_outputs({})
