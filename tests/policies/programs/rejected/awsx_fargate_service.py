"""awsx makes the service, with two tasks."""

# rejected: scheduler-desired-count on download
# rejected: scheduler-no-zone-rebalancing on download
# rejected: scheduler-stop-before-start on download
# rejected: scheduler-heartbeat-alarms on download
# rejected: ecs-deployment-rolls-back on download

import pulumi_awsx as awsx

from tests.policies.programs import fleet

definition = fleet.task(
    "fileflow-scheduler-download-prod", fleet.container("fileflow-scheduler-download", 9091)
)
awsx.ecs.FargateService(
    "download",
    name="fileflow-scheduler-download",
    desired_count=2,
    task_definition=definition.arn,
    network_configuration={"subnets": fleet.SUBNETS},
    tags={"fileflow:role": "scheduler"},
)
