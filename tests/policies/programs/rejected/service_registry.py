"""A Cloud Map registry on the scheduler."""

# rejected: scheduler-no-service-registry on download

from tests.policies.programs import fleet

fleet.scheduler(service_registries={"registry_arn": "arn:aws:servicediscovery:r:1:service/srv-1"})
