"""A scheduled action that raises the count at night."""

# rejected: scheduler-no-autoscaling on night

import pulumi_aws as aws

from tests.policies.programs import fleet

fleet.scheduler()
aws.appautoscaling.ScheduledAction(
    "night",
    name="night",
    service_namespace="ecs",
    scalable_dimension="ecs:service:DesiredCount",
    resource_id="service/fileflow-main/fileflow-scheduler-download",
    schedule="cron(0 2 * * ? *)",
    scalable_target_action={"min_capacity": 2, "max_capacity": 2},
)
