"""A scheduler that reaches other services by Service Connect and offers none."""

from tests.policies.programs import fleet

fleet.scheduler(service_connect_configuration={"enabled": True, "namespace": "fileflow"})
