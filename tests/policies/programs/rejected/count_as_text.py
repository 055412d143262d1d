"""A desired count given as text, which the provider turns into a number."""

# rejected: scheduler-desired-count on download

from tests.policies.programs import fleet

fleet.scheduler(desired_count="2")
