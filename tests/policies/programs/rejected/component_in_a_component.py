"""A scheduler component inside another one, with a service of its own making."""

# rejected: scheduler-declared-by-service on jobs

import pulumi

from tests.policies.programs import fleet


class Fork(pulumi.ComponentResource):
    def __init__(self, name: str, parent: pulumi.Resource) -> None:
        super().__init__("fileflow:ecs:SchedulerService", name, {}, pulumi.ResourceOptions(parent=parent))
        fleet.scheduler(
            name,
            name="jobs",
            desired_count=2,
            tags={"fileflow:role": "worker"},
            task_definition=fleet.task("jobs", fleet.container("jobs", 8095)).arn,
            opts=pulumi.ResourceOptions(parent=self),
        )


class Outer(pulumi.ComponentResource):
    def __init__(self, name: str) -> None:
        super().__init__("acme:jobs:Outer", name)
        Fork("jobs", self)


Outer("outer")
