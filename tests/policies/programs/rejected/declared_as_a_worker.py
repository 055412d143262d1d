"""A scheduler that says it is a worker."""

# rejected: ecs-service-role on download
# rejected: scheduler-desired-count on download

from tests.policies.programs import fleet

fleet.scheduler(desired_count=3, tags={"fileflow:role": "worker"})
