"""No tags and a plain name; only the task definition still shows what it is."""

# rejected: ecs-service-role on worker
# rejected: scheduler-desired-count on worker
# advice: ecs-tags on worker

from tests.policies.programs import fleet

definition = fleet.task("plain", fleet.container("plain", 9091))
fleet.service("worker", task_definition=definition.arn, tags=None)
