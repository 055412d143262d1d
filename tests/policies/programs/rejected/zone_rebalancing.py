"""Zone rebalancing left to ECS, which turns it on."""

# rejected: scheduler-no-zone-rebalancing on download

from tests.policies.programs import fleet

fleet.scheduler(availability_zone_rebalancing=None)
