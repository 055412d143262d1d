"""No stop timeout: an overlap may last as long as the task likes."""

# rejected: scheduler-stop-timeout on fileflow-scheduler-download-prod-task

from tests.policies.programs import fleet

slow = fleet.container("fileflow-scheduler-download", 9091)
del slow["stopTimeout"]
fleet.scheduler(task_definition=fleet.task("fileflow-scheduler-download-prod", slow).arn)
