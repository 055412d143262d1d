"""DAEMON runs one task on every instance."""

# rejected: scheduler-replica-strategy on download

from tests.policies.programs import fleet

fleet.scheduler(scheduling_strategy="DAEMON")
