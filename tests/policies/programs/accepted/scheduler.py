"""A scheduler by pulumi_aws alone."""

from tests.policies.programs import fleet

fleet.scheduler()
