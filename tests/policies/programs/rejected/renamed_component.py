"""A component of another name makes the scheduler's service."""

# rejected: scheduler-desired-count on jobs
# rejected: scheduler-no-public-ip on jobs

import pulumi

from tests.policies.programs import fleet


class Runner(pulumi.ComponentResource):
    def __init__(self, name: str) -> None:
        super().__init__("acme:jobs:Runner", name)
        security_group = fleet.group(name)
        fleet.scheduler(
            name,
            name="jobs",
            desired_count=2,
            security_group=security_group,
            network_configuration=fleet.network(security_group, public=True),
            task_definition=fleet.task("jobs", fleet.container("jobs", 9095)).arn,
            opts=pulumi.ResourceOptions(parent=self),
        )


Runner("jobs")
