"""No desired count: ECS takes 0 and the scheduler never runs."""

# rejected: scheduler-desired-count on download

from tests.policies.programs import fleet

fleet.scheduler(desired_count=None)
