"""No alarm tells when it runs twice, or not at all."""

# rejected: scheduler-heartbeat-alarms on download

from tests.policies.programs import fleet

fleet.scheduler(watched=False)
