"""A worker on Spot, which needs no flag."""

from tests.policies.programs import fleet

fleet.service(
    "thumbnails",
    launch_type=None,
    capacity_provider_strategies=[{"capacity_provider": "FARGATE_SPOT", "weight": 1}],
)
