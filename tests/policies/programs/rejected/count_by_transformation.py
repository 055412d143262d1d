"""A stack transformation raises the count after the program set it to 1."""

# rejected: scheduler-desired-count on download

import pulumi

from tests.policies.programs import fleet


def double(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    if args.type_ == "aws:ecs/service:Service":
        return pulumi.ResourceTransformationResult({**args.props, "desiredCount": 2}, args.opts)
    return None


pulumi.runtime.register_stack_transformation(double)
fleet.scheduler()
