"""A count of 1 under ignore_changes: the real count may be any other."""

# rejected: scheduler-guarded-properties on download

import pulumi

from tests.policies.programs import fleet

fleet.scheduler(opts=pulumi.ResourceOptions(ignore_changes=["desired_count"]))
