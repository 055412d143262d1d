"""Fargate Spot, without a word."""

# rejected: scheduler-spot-opt-in on download

from tests.policies.programs import fleet

fleet.scheduler(
    launch_type=None, capacity_provider_strategies=[{"capacity_provider": "FARGATE_SPOT", "weight": 1}]
)
