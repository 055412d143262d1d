"""ECS's own 100 and 200 percent, by leaving both out."""

# rejected: scheduler-stop-before-start on download

from tests.policies.programs import fleet

fleet.scheduler(deployment_minimum_healthy_percent=None, deployment_maximum_percent=None)
