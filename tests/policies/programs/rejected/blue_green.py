"""Blue/green runs both versions on purpose."""

# rejected: scheduler-rolling-deployment on download

from tests.policies.programs import fleet

fleet.scheduler(deployment_configuration={"strategy": "BLUE_GREEN"})
