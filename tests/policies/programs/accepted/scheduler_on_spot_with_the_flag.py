"""A scheduler whose owner accepts interruptions."""

from tests.policies.programs import fleet

fleet.scheduler(
    launch_type=None,
    capacity_provider_strategies=[{"capacity_provider": "FARGATE_SPOT", "weight": 1, "base": 0}],
    tags={"fileflow:role": "scheduler", "fileflow:spot-opt-in": "true"},
)
