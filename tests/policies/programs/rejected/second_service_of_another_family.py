"""The same container under another family and service name."""

# rejected: scheduler-one-service on twin

from tests.policies.programs import fleet

fleet.scheduler()
twin = fleet.task("outbox-scheduler", fleet.container("fileflow-scheduler-download", 9095))
fleet.scheduler("twin", task_definition=twin.arn)
