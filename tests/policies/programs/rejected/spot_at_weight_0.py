"""Spot at weight 0, to be raised later by someone who doesn't think of this rule."""

# rejected: scheduler-spot-opt-in on download

from tests.policies.programs import fleet

fleet.scheduler(
    launch_type=None,
    capacity_provider_strategies=[
        {"capacity_provider": "FARGATE", "weight": 1},
        {"capacity_provider": "FARGATE_SPOT", "weight": 0},
    ],
)
