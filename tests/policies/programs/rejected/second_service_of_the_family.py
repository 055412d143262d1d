"""Two services run one task definition."""

# rejected: scheduler-one-service on download

from tests.policies.programs import fleet

definition = fleet.task(
    "fileflow-scheduler-download-prod", fleet.container("fileflow-scheduler-download", 9091)
)
fleet.scheduler(task_definition=definition.arn)
fleet.scheduler("copy", task_definition=definition.arn)
