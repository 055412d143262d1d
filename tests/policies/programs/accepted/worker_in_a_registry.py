"""A worker that others find by Cloud Map."""

from tests.policies.programs import fleet

fleet.service("thumbnails", service_registries={"registry_arn": "arn:aws:servicediscovery:r:1:service/srv-1"})
