"""A public address for the scheduler's task."""

# rejected: scheduler-no-public-ip on download

from tests.policies.programs import fleet

security_group = fleet.group("download")
fleet.scheduler(
    security_group=security_group, network_configuration=fleet.network(security_group, public=True)
)
