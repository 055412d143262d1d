"""Service Connect offers the scheduler to other services."""

# rejected: scheduler-no-service-registry on download

from tests.policies.programs import fleet

fleet.scheduler(service_connect_configuration={"enabled": True, "services": [{"port_name": "actuator"}]})
