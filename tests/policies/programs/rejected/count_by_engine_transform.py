"""A transform that the engine calls back raises the count."""

# rejected: scheduler-desired-count on download

import pulumi

from tests.policies.programs import fleet


def double(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    if args.type_ == "aws:ecs/service:Service":
        return pulumi.ResourceTransformResult({**args.props, "desiredCount": 2}, args.opts)
    return None


pulumi.runtime.register_resource_transform(double)
fleet.scheduler()
