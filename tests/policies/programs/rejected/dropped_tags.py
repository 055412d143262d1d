"""A scheduler without its tags, running two tasks."""

# rejected: ecs-service-role on download
# advice: ecs-tags on download
# rejected: scheduler-desired-count on download

from tests.policies.programs import fleet

fleet.scheduler(desired_count=2, tags=None)
