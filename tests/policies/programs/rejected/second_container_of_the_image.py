"""One service, one task, and the scheduler twice in it."""

# rejected: scheduler-one-container on download

from tests.policies.programs import fleet

SOLE = fleet.container("fileflow-scheduler-download", 9091)
definition = fleet.task(
    "fileflow-scheduler-download-prod",
    SOLE,
    {**fleet.container("helper", 9095), "image": SOLE["image"]},
)
fleet.scheduler(task_definition=definition.arn)
