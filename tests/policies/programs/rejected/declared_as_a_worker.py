"""A scheduler that says it is a worker."""

# rejected: scheduler-declared-by-service on download

from tests.policies.programs import fleet

fleet.scheduler(desired_count=3, tags={"fileflow:role": "worker"})
