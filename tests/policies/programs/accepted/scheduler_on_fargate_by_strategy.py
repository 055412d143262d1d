"""A scheduler on Fargate, by a strategy instead of the launch type."""

from tests.policies.programs import fleet

fleet.scheduler(
    launch_type=None, capacity_provider_strategies=[{"capacity_provider": "FARGATE", "weight": 1}]
)
