"""Every property under ignore_changes."""

# rejected: scheduler-guarded-properties on download

import pulumi

from tests.policies.programs import fleet

fleet.scheduler(opts=pulumi.ResourceOptions(ignore_changes=["*"]))
