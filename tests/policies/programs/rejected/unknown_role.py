"""A role that nobody knows."""

# rejected: ecs-service-role on batch

from tests.policies.programs import fleet

fleet.service("batch", role="cron")
