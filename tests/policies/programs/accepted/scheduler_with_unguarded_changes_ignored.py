"""A property that no rule guards may be ignored."""

import pulumi

from tests.policies.programs import fleet

fleet.scheduler(opts=pulumi.ResourceOptions(ignore_changes=["triggers"]))
