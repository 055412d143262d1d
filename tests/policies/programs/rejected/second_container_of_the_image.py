"""One service, one task, and the scheduler twice in it."""

# rejected: scheduler-one-container on fileflow-scheduler-download-prod-task

from tests.policies.programs import fleet

definition = fleet.task(
    "fileflow-scheduler-download-prod",
    fleet.container("fileflow-scheduler-download", 9091),
    fleet.container("helper", 9095),
)
fleet.scheduler(task_definition=definition.arn)
