"""The same scheduler once more, in another region."""

# rejected: scheduler-one-service on tokyo
# rejected: scheduler-heartbeat-alarms on tokyo

from tests.policies.programs import fleet

fleet.scheduler()
fleet.scheduler(
    "tokyo",
    name="fileflow-scheduler-download",
    region="ap-northeast-1",
    task_definition=fleet.task("tokyo-scheduler", fleet.container("tokyo-scheduler", 9095)).arn,
)
