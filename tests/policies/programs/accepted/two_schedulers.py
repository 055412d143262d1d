"""Two schedulers side by side."""

from tests.policies.programs import fleet

fleet.scheduler()
fleet.scheduler("pipeline", port=9092)
