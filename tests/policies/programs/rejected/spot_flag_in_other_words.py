"""A flag that almost says yes."""

# rejected: scheduler-spot-opt-in on download

from tests.policies.programs import fleet

fleet.scheduler(
    launch_type=None,
    capacity_provider_strategies=[{"capacity_provider": "FARGATE_SPOT", "weight": 1}],
    tags={"fileflow:role": "scheduler", "fileflow:spot-opt-in": "True"},
)
