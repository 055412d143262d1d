"""A desired count hidden as a secret."""

# rejected: scheduler-desired-count on download

import pulumi

from tests.policies.programs import fleet

fleet.scheduler(desired_count=pulumi.Output.secret(2))
