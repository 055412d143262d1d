"""A desired count of 2, in plain sight."""

# rejected: scheduler-desired-count on download

from tests.policies.programs import fleet

fleet.scheduler(desired_count=2)
