"""A capacity provider of one's own, whose instances may be Spot."""

# rejected: scheduler-spot-opt-in on download

from tests.policies.programs import fleet

fleet.scheduler(launch_type=None, capacity_provider_strategies=[{"capacity_provider": "cheap", "weight": 1}])
