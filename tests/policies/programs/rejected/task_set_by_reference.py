"""A task set that refers to the service by its id."""

# rejected: scheduler-no-second-launcher on more

import pulumi_aws as aws

from tests.policies.programs import fleet

service = fleet.scheduler()
aws.ecs.TaskSet("more", service=service.id, cluster="fileflow-main", task_definition=service.task_definition)
