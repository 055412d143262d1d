"""An existing service with two tasks is imported, and the program agrees with it."""

# rejected: scheduler-desired-count on download

import pulumi

from tests.policies.programs import fleet

fleet.scheduler(
    desired_count=2, opts=pulumi.ResourceOptions(import_="fileflow-main/fileflow-scheduler-download")
)
