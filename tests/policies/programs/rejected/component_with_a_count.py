"""A copy of the component that grew a desired count."""

# rejected: scheduler-desired-count on download

import pulumi


class Fork(pulumi.ComponentResource):
    def __init__(self, name: str) -> None:
        super().__init__("fileflow:ecs:SchedulerService", name, {"desiredCount": 2})


Fork("download")
