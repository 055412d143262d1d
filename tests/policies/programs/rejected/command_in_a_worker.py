"""A worker whose command line starts the scheduler."""

# rejected: scheduler-declared-by-service on worker

from tests.policies.programs import fleet

plain = fleet.container("plain", 8080, command=["java", "-jar", "/app/bootstrap-scheduler-download.jar"])
fleet.service("worker", task_definition=fleet.task("plain", plain).arn)
